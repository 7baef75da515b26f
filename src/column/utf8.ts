/** Whether text is UTF-8. */
import { isAscii, isUtf8 } from 'node:buffer';
import type { BytesVector } from './vector.ts';
import { isNullAt } from './vector-values.ts';

/**
 * The first element, not null, that is not UTF-8; -1 where all are. Checked as a whole: much quicker than one by one.
 */
export function firstNotUtf8(vector: BytesVector): number {
	const { offsets, values, length } = vector;
	const whole = values.subarray(offsets[0], offsets[length]);
	if (isAscii(whole) || (isUtf8(whole) && !startsWithinCharacter(vector))) return -1;
	// some element is unsound, perhaps a null's remains
	for (let i = 0; i < length; i++)
		if (!isNullAt(vector, i) && !isUtf8(values.subarray(offsets[i], offsets[i + 1]))) return i;
	return -1;
}

/** True when an element starts amid a character: that one and the one before are unsound, sound as the whole may be. */
function startsWithinCharacter({ offsets, values, length }: BytesVector): boolean {
	const end = offsets[length] as number;
	for (let i = 0; i < length; i++) {
		const from = offsets[i] as number;
		if (from < end && ((values[from] as number) & 0xc0) === 0x80) return true;
	}
	return false;
}
