import { isAscii } from 'node:buffer';
import { IcebergError } from '../errors/iceberg-error.ts';
import { firstNotUtf8 } from './utf8.ts';
import type { BytesVector } from './vector.ts';
import { isNullAt } from './vector-values.ts';

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
	const unsound = ascii ? -1 : firstNotUtf8(vector);
	if (unsound >= 0)
		throw new IcebergError('CORRUPT', `element ${unsound} of a text column is not UTF-8`, {
			context: { element: unsound },
		});
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
