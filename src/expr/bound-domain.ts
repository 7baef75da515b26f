/** Bounds and literals of one type in a form in which they compare quickly: text and bytes as bytes, all else as it is. */
import { compareBytes, compareValues } from '../spec/compare.ts';
import { fromBinary } from '../spec/single-value.ts';
import type { Type, Value } from '../spec/types.ts';

export interface BoundDomain {
	/** of values in this domain */
	compare(a: Value, b: Value): number;
	/** a literal or an engine value of the type */
	ofValue(value: Value): Value;
	/** A bound in its binary form, also one of a type since promoted; `undefined` when it is none that can be trusted. */
	ofBinary(bytes: Uint8Array): Value | undefined;
	/** An engine value of the type, or of one that was promoted to it; `undefined` for other values. */
	ofPromoted(value: Value): Value | undefined;
	/** float or double */
	readonly hasNaN: boolean;
}

const encoder = new TextEncoder();
const MICROS_PER_DAY = 86_400_000_000n;

/** `undefined` for types whose values have no order: only null tests look at them. */
export function boundDomain(type: Type): BoundDomain | undefined {
	switch (type.kind) {
		case 'string':
			return {
				compare: compareBytes as BoundDomain['compare'],
				ofValue: encode,
				ofBinary: (bytes) => bytes,
				ofPromoted: (value) => (typeof value === 'string' || value instanceof Uint8Array ? encode(value) : undefined),
				hasNaN: false,
			};
		case 'binary':
		case 'fixed':
			return {
				compare: compareBytes as BoundDomain['compare'],
				ofValue: (value) => value,
				ofBinary: (bytes) => bytes,
				ofPromoted: (value) => (value instanceof Uint8Array ? value : undefined),
				hasNaN: false,
			};
		case 'struct':
		case 'list':
		case 'map':
		case 'variant':
		case 'unknown':
		case 'unsupported':
		case 'geometry':
		case 'geography':
			return undefined;
		default:
			return {
				compare: compareValues(type),
				ofValue: (value) => value,
				ofBinary: (bytes) => {
					try {
						return fromBinary(type, bytes);
					} catch {
						// A bound that cannot be read says nothing; the rows themselves are checked when they are read.
						return undefined;
					}
				},
				ofPromoted: (value) => promoted(type, value),
				hasNaN: type.kind === 'float' || type.kind === 'double',
			};
	}
}

function encode(value: Value): Uint8Array {
	return typeof value === 'string' ? encoder.encode(value) : (value as Uint8Array);
}

function promoted(type: Type, value: Value): Value | undefined {
	switch (type.kind) {
		case 'int':
		case 'date':
		case 'float':
		case 'double':
			return typeof value === 'number' ? value : undefined;
		case 'long':
			return typeof value === 'number' ? BigInt(value) : typeof value === 'bigint' ? value : undefined;
		case 'timestamp':
		case 'timestamptz':
			return typeof value === 'number' ? BigInt(value) * MICROS_PER_DAY : typeof value === 'bigint' ? value : undefined;
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return typeof value === 'number'
				? BigInt(value) * MICROS_PER_DAY * 1_000n
				: typeof value === 'bigint'
					? value
					: undefined;
		case 'boolean':
			return typeof value === 'boolean' ? value : undefined;
		case 'uuid':
			return typeof value === 'string' ? value : undefined;
		default:
			return typeof value === 'bigint' ? value : undefined;
	}
}
