import { isAscii, isUtf8 } from 'node:buffer';
import { IcebergError } from '../errors/iceberg-error.ts';
import { isNullAt } from './vector-values.ts';
import type { BytesVector } from './vector.ts';

/**
 * The elements of a `bytes` vector as text; `null` for nulls. Checked as a whole: much quicker than one by one.
 * @throws `CORRUPT` when an element is not UTF-8
 */
export function decodeTexts(vector: BytesVector): (string | null)[] {
	const { offsets, values, length, nullCount } = vector;
	const texts: (string | null)[] = new Array(length);
	const start = offsets[0] as number;
	const end = offsets[length] as number;
	const buffer = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
	const used = buffer.subarray(start, end);
	const ascii = isAscii(used);
	if (!ascii) checkUtf8(vector, isUtf8(used));
	const encoding = ascii ? 'latin1' : 'utf8';
	for (let i = 0; i < length; i++) {
		if (nullCount > 0 && isNullAt(vector, i)) texts[i] = null;
		else {
			const from = offsets[i] as number;
			const to = offsets[i + 1] as number;
			texts[i] = from === to ? '' : buffer.toString(encoding, from, to);
		}
	}
	return texts;
}

/** Elements are sound when the whole is and none of them starts within a character. */
function checkUtf8(vector: BytesVector, wholeIsUtf8: boolean): void {
	const { offsets, values, length } = vector;
	const end = offsets[length] as number;
	for (let i = 0; i < length; i++) {
		const from = offsets[i] as number;
		const continues = from < end && ((values[from] as number) & 0xc0) === 0x80;
		if (!continues && wholeIsUtf8) continue;
		// either this element starts amid a character, or some element (perhaps a null's remains) is unsound: look at each
		const to = offsets[i + 1] as number;
		if (isNullAt(vector, i) || isUtf8(values.subarray(from, to))) continue;
		throw new IcebergError('CORRUPT', `element ${i} of a text column is not UTF-8`, { context: { element: i } });
	}
}
