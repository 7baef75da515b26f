/** Names of types. Iceberg spec: Primitive Types; Appendix C: JSON serialization, Schemas. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { stringifyJson } from '../util/json.ts';
import type { PrimitiveType, SimplePrimitiveKind, Type } from './types.ts';

/** What `geometry` and `geography` without a coordinate reference system mean. */
export const DEFAULT_CRS = 'OGC:CRS84';
/** What `geography` without an algorithm means. */
export const DEFAULT_EDGE_ALGORITHM = 'spherical';

const SIMPLE_KINDS: ReadonlySet<string> = new Set<SimplePrimitiveKind>([
	'boolean',
	'int',
	'long',
	'float',
	'double',
	'date',
	'time',
	'timestamp',
	'timestamptz',
	'timestamp_ns',
	'timestamptz_ns',
	'string',
	'uuid',
	'binary',
	'unknown',
	'variant',
]);
const DECIMAL = /^decimal\(\s*(\d{1,9})\s*,\s*(\d{1,9})\s*\)$/i;
const FIXED = /^fixed\[\s*(\d{1,9})\s*\]$/i;
const GEOMETRY = /^geometry\s*(?:\(\s*([^)]*?)\s*\))?$/i;
const GEOGRAPHY = /^geography\s*(?:\(\s*([^,)]*?)\s*(?:,\s*(\w*)\s*)?\))?$/i;

/** The name of a primitive type as the spec's JSON has it; `undefined` for structs, lists, maps and unsupported types. */
export function primitiveTypeText(type: Type): string | undefined {
	switch (type.kind) {
		case 'decimal':
			return `decimal(${type.precision}, ${type.scale})`;
		case 'fixed':
			return `fixed[${type.length}]`;
		// The parameters are always written, also the default ones, as Java's writer does.
		case 'geometry':
			return `geometry(${type.crs})`;
		case 'geography':
			return `geography(${type.crs}, ${type.algorithm})`;
		case 'struct':
		case 'list':
		case 'map':
		case 'unsupported':
			return undefined;
		default:
			return type.kind;
	}
}

/** A type for people: `decimal(9, 2)`, `list<int>`, `struct<a: long, b: string>`. */
export function typeToString(type: Type): string {
	switch (type.kind) {
		case 'struct':
			return `struct<${type.fields.map((field) => `${field.name}: ${typeToString(field.type)}`).join(', ')}>`;
		case 'list':
			return `list<${typeToString(type.element)}>`;
		case 'map':
			return `map<${typeToString(type.key)}, ${typeToString(type.value)}>`;
		case 'unsupported':
			return typeof type.json === 'string' ? type.json : stringifyJson(type.json);
		default:
			return primitiveTypeText(type) ?? type.kind;
	}
}

/**
 * The type of a primitive's name: `long`, `decimal(9, 2)`, `fixed[16]`. A name that this version does not know becomes
 * `unsupported`.
 *
 * @param at where the text stands, for messages
 * @throws `INVALID_SCHEMA` for a decimal that no decimal can be, and for an empty name
 */
export function typeFromText(text: string, at: string): PrimitiveType {
	const name = text.trim().toLowerCase();
	if (SIMPLE_KINDS.has(name)) return { kind: name as SimplePrimitiveKind };
	const decimal = DECIMAL.exec(name);
	if (decimal !== null) {
		const precision = Number(decimal[1]);
		const scale = Number(decimal[2]);
		if (precision < 1 || precision > 38) throw invalid(at, `a decimal has a precision of 1 to 38, not ${precision}`);
		if (scale > precision) throw invalid(at, `the scale of ${text} is above its precision`);
		return { kind: 'decimal', precision, scale };
	}
	const fixed = FIXED.exec(name);
	if (fixed !== null) return { kind: 'fixed', length: Number(fixed[1]) };
	const geometry = GEOMETRY.exec(text.trim());
	if (geometry !== null) return { kind: 'geometry', crs: geometry[1] || DEFAULT_CRS };
	const geography = GEOGRAPHY.exec(text.trim());
	if (geography !== null) {
		return {
			kind: 'geography',
			crs: geography[1] || DEFAULT_CRS,
			algorithm: (geography[2] || DEFAULT_EDGE_ALGORITHM).toLowerCase(),
		};
	}
	if (name === '') throw invalid(at, 'a type needs a name');
	return { kind: 'unsupported', json: text };
}

function invalid(at: string, reason: string): IcebergError {
	return new IcebergError('INVALID_SCHEMA', `${at}: ${reason}`, { context: { at } });
}
