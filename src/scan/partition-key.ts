/** Equality of partitions. Iceberg spec: Scan Planning, notes 3 and 4. */
import type { StructValue, Value } from '../spec/types.ts';
import { toHex } from '../util/hex.ts';

/** A text that two partitions share when spec and values are equal: NaN equals NaN, -0.0 differs from 0.0. */
export function partitionKey(specId: number, partition: StructValue): string {
	let key = String(specId);
	for (const value of partition) key += `;${valueKey(value)}`;
	return key;
}

function valueKey(value: Value): string {
	switch (typeof value) {
		case 'number':
			return Object.is(value, -0) ? '-0' : String(value);
		case 'bigint':
		case 'boolean':
			return String(value);
		case 'string':
			// With its length, so that no text can look like the end of one value and the start of another.
			return `${value.length}'${value}`;
		default:
			return value instanceof Uint8Array ? `x${toHex(value)}` : 'null';
	}
}
