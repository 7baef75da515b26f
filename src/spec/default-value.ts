/** Defaults as people write them, made into engine values. Iceberg spec: Default values. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { typeToString } from './type-text.ts';
import type { Type, Value } from './types.ts';
import { parseValue } from './value-text.ts';

const MS_PER_DAY = 86_400_000;

/**
 * The engine value of a default: numbers, bigints, booleans and texts by type, `Date` for dates and timestamps, bytes,
 * arrays for lists, Maps or pairs for maps, `{}` for a struct (whose fields' own defaults apply).
 *
 * @param at the field's name, for messages
 * @throws `INVALID_SCHEMA` naming the field, for what is no value of the type
 */
export function defaultValue(type: Type, input: unknown, at: string): Value {
	if (input === null) return null;
	const value = convert(type, input, at);
	if (value === undefined) {
		throw new IcebergError(
			'INVALID_SCHEMA',
			`field '${at}': ${String(input)} is no default of type ${typeToString(type)}`,
			{
				context: { field: at },
			},
		);
	}
	return value;
}

function convert(type: Type, input: unknown, at: string): Value | undefined {
	switch (type.kind) {
		case 'boolean':
			return typeof input === 'boolean' ? input : undefined;
		case 'int':
		case 'long':
			return typeof input === 'bigint' || Number.isSafeInteger(input) ? parse(type, String(input), at) : undefined;
		case 'float':
		case 'double':
			return typeof input === 'number' ? parse(type, String(input), at) : undefined;
		case 'decimal':
			return ['string', 'bigint', 'number'].includes(typeof input) ? parse(type, String(input), at) : undefined;
		case 'date':
			if (!(input instanceof Date)) return typeof input === 'string' ? parse(type, input, at) : undefined;
			return input.getTime() % MS_PER_DAY === 0 ? input.getTime() / MS_PER_DAY : undefined;
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			if (typeof input === 'bigint') return BigInt.asIntN(64, input) === input ? input : undefined;
			if (!(input instanceof Date)) return typeof input === 'string' ? parse(type, input, at) : undefined;
			if (Number.isNaN(input.getTime())) return undefined;
			return BigInt(input.getTime()) * (type.kind.endsWith('_ns') ? 1_000_000n : 1_000n);
		case 'time':
			if (typeof input === 'bigint') return input >= 0n && input < 86_400_000_000n ? input : undefined;
			return typeof input === 'string' ? parse(type, input, at) : undefined;
		case 'string':
		case 'uuid':
			return typeof input === 'string' ? parse(type, input, at) : undefined;
		case 'binary':
			return input instanceof Uint8Array ? input.slice() : undefined;
		case 'fixed':
			return input instanceof Uint8Array && input.length === type.length ? input.slice() : undefined;
		case 'list':
			return Array.isArray(input) ? input.map((item) => defaultValue(type.element, item, at)) : undefined;
		case 'map': {
			if (!(input instanceof Map) && !Array.isArray(input)) return undefined;
			return Array.from(input as Iterable<readonly [unknown, unknown]>, ([key, item]) => [
				defaultValue(type.key, key, at),
				defaultValue(type.value, item, at),
			]);
		}
		case 'struct':
			return typeof input === 'object' && Object.keys(input as object).length === 0 ? [] : undefined;
		default:
			return undefined;
	}
}

function parse(type: Type, text: string, at: string): Value {
	try {
		return parseValue(type, text);
	} catch (error) {
		if (!(error instanceof IcebergError)) throw error;
		throw new IcebergError('INVALID_SCHEMA', `field '${at}': default: ${error.message}`, {
			context: { field: at },
			cause: error,
		});
	}
}
