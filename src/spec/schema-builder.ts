/** Schemas built from typed fields; TypeScript infers the rows. Iceberg spec: Schemas and Data Types. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { type AnyField, type AssignId, FieldBuilder, type MakeType } from './field-builder.ts';
import { Schema } from './schema.ts';
import { DEFAULT_CRS, DEFAULT_EDGE_ALGORITHM } from './type-text.ts';
import type { NestedField, SimplePrimitiveKind, Type } from './types.ts';

/** Fields by name, in the order in which they are to stand. */
export type FieldMap = Readonly<Record<string, AnyField>>;

type Types<F> = F extends { readonly '~types'?: infer T } ? NonNullable<T> : never;
type InOf<F> = Types<F> extends { readonly in: infer In } ? In : never;
type OutOf<F> = Types<F> extends { readonly out: infer Out } ? Out : never;
type IsRequired<F> = Types<F> extends { readonly required: true } ? true : false;
type MayBeLeftOut<F> = Types<F> extends { readonly required: true; readonly hasDefault: false } ? false : true;
type Flat<T> = { [K in keyof T]: T[K] };

/** What a field gives when read: null too, where it is optional. */
export type FieldRow<F> = IsRequired<F> extends true ? OutOf<F> : OutOf<F> | null;
/** What a field takes when written: null and undefined too, where it is optional. */
export type FieldInputValue<F> = IsRequired<F> extends true ? InOf<F> : InOf<F> | null | undefined;
/** The rows that fields give. */
export type RowOf<F> = { -readonly [K in keyof F]: FieldRow<F[K]> };
/** The rows that fields take: those that are optional or have a default may be left out. */
export type InputOf<F> = Flat<
	{ readonly [K in keyof F as MayBeLeftOut<F[K]> extends true ? never : K]: FieldInputValue<F[K]> } & {
		readonly [K in keyof F as MayBeLeftOut<F[K]> extends true ? K : never]?: FieldInputValue<F[K]> | undefined;
	}
>;
type MapInput<K, V> =
	| ReadonlyMap<InOf<K>, FieldInputValue<V>>
	| readonly (readonly [InOf<K>, FieldInputValue<V>])[]
	| (OutOf<K> extends string ? Readonly<Record<string, FieldInputValue<V>>> : never);

/** What instants are taken as: text, a Date, or the type's own units from 1970 on. */
type InstantInput = string | Date | bigint;

export function boolean(): FieldBuilder<boolean, boolean> {
	return simple('boolean');
}
/** 32-bit integer */
export function int(): FieldBuilder<number, number> {
	return simple('int');
}
/** 64-bit integer */
export function long(): FieldBuilder<bigint | number, bigint> {
	return simple('long');
}
export function float(): FieldBuilder<number, number> {
	return simple('float');
}
export function double(): FieldBuilder<number, number> {
	return simple('double');
}
/** @param precision digits in all, 1 to 38; @param scale digits after the point */
export function decimal(precision: number, scale: number): FieldBuilder<string | bigint | number, string> {
	return leaf({ kind: 'decimal', precision, scale });
}
export function date(): FieldBuilder<string | Date, string> {
	return simple('date');
}
/** time of day in microseconds, without a zone */
export function time(): FieldBuilder<string | bigint, string> {
	return simple('time');
}
/** wall-clock time in microseconds, without a zone */
export function timestamp(): FieldBuilder<InstantInput, string> {
	return simple('timestamp');
}
/** instant in microseconds */
export function timestamptz(): FieldBuilder<InstantInput, string> {
	return simple('timestamptz');
}
/** wall-clock time in nanoseconds, without a zone; format version 3 */
export function timestampNs(): FieldBuilder<InstantInput, string> {
	return simple('timestamp_ns');
}
/** instant in nanoseconds; format version 3 */
export function timestamptzNs(): FieldBuilder<InstantInput, string> {
	return simple('timestamptz_ns');
}
export function string(): FieldBuilder<string, string> {
	return simple('string');
}
export function uuid(): FieldBuilder<string, string> {
	return simple('uuid');
}
/** @param length bytes of each value */
export function fixed(length: number): FieldBuilder<Uint8Array, Uint8Array> {
	return leaf({ kind: 'fixed', length });
}
export function binary(): FieldBuilder<Uint8Array, Uint8Array> {
	return simple('binary');
}
/** any JSON-like value; format version 3 */
export function variant(): FieldBuilder<unknown, unknown> {
	return simple('variant');
}
/** always null; format version 3 */
export function unknown(): FieldBuilder<null, null> {
	return simple('unknown');
}
/** WKB; format version 3. @param crs coordinate reference system */
export function geometry(crs: string = DEFAULT_CRS): FieldBuilder<Uint8Array, Uint8Array> {
	return leaf({ kind: 'geometry', crs });
}
/** WKB; format version 3. @param crs coordinate reference system; @param algorithm how edges run between points */
export function geography(
	crs: string = DEFAULT_CRS,
	algorithm: string = DEFAULT_EDGE_ALGORITHM,
): FieldBuilder<Uint8Array, Uint8Array> {
	return leaf({ kind: 'geography', crs, algorithm });
}

export function struct<F extends FieldMap>(fields: F): FieldBuilder<InputOf<F>, RowOf<F>> {
	return nested((assign, at) => ({ kind: 'struct', fields: makeFields(fields, assign, `${at}.`) }));
}

/** @param element its elements; `.required()` for such that are never null */
export function list<E extends AnyField>(element: E): FieldBuilder<readonly FieldInputValue<E>[], FieldRow<E>[]> {
	return nested((assign, at) => {
		const elementId = element.takeId(assign);
		const type = element.makeType(assign, `${at}.element`);
		return { kind: 'list', elementId, elementRequired: element.isRequired, element: type };
	});
}

/** @param key its keys, never null; @param value its values, `.required()` for such that are never null */
export function map<K extends AnyField, V extends AnyField>(
	key: K,
	value: V,
): FieldBuilder<MapInput<K, V>, Map<OutOf<K>, FieldRow<V>>> {
	return nested((assign, at) => {
		const keyId = key.takeId(assign);
		const valueId = value.takeId(assign);
		const keyType = key.makeType(assign, `${at}.key`);
		const valueType = value.makeType(assign, `${at}.value`);
		return { kind: 'map', keyId, key: keyType, valueId, valueRequired: value.isRequired, value: valueType };
	});
}

/**
 * A schema from fields by name:
 * `schema({ run_id: long().required(), status: string(), tags: list(string()) })`.
 *
 * Ids count from 1: all columns first, then what is nested in each, level by level, as Iceberg's other writers do; ids
 * that fields ask for are kept, and passed over in counting.
 *
 * @param options `schemaId` 0 when left out; `identifierFields`: names of the fields that together name a row
 * @throws `INVALID_SCHEMA` as the constructor of {@link Schema}
 */
export function schema<F extends FieldMap>(
	fields: F,
	options: { readonly schemaId?: number; readonly identifierFields?: readonly string[] } = {},
): Schema<InputOf<F>, RowOf<F>> {
	const asked = collectIds(fields);
	const built = makeFields(fields, idAssigner(asked), '');
	const schemaId = options.schemaId ?? 0;
	const identifierFields = options.identifierFields ?? [];
	const plain = new Schema({ schemaId, fields: built });
	if (identifierFields.length === 0) return plain as unknown as Schema<InputOf<F>, RowOf<F>>;
	const identifierFieldIds = identifierFields.map((name) => {
		const field = plain.findFieldByName(name);
		if (field === undefined)
			throw new IcebergError('INVALID_SCHEMA', `identifier field '${name}' is not in the schema`);
		return field.id;
	});
	return new Schema<InputOf<F>, RowOf<F>>({ schemaId, fields: built, identifierFieldIds });
}

/**
 * A single field, for adding to a table's schema.
 *
 * @param assign gives ids: the explicit one where there is one, else the next free one of the table
 */
export function buildField(name: string, field: AnyField, assign: AssignId): NestedField {
	return field.makeField(name, field.takeId(assign), assign, name);
}

function simple<In, Out>(kind: SimplePrimitiveKind): FieldBuilder<In, Out> {
	return leaf({ kind });
}

function leaf<In, Out>(type: Type): FieldBuilder<In, Out> {
	return nested(() => type);
}

function nested<In, Out>(make: MakeType): FieldBuilder<In, Out> {
	return new FieldBuilder({ make, required: false });
}

function makeFields(fields: FieldMap, assign: AssignId, prefix: string): NestedField[] {
	const entries = Object.entries(fields);
	for (const [name, field] of entries) {
		if (!(field instanceof FieldBuilder)) {
			throw new IcebergError(
				'INVALID_SCHEMA',
				`field '${prefix}${name}': expected a type such as long(), found ${String(field)}`,
			);
		}
	}
	const ids = entries.map(([, field]) => field.takeId(assign));
	return entries.map(([name, field], i) => field.makeField(name, ids[i] as number, assign, prefix + name));
}

/** A first pass over all fields, to know the ids that are asked for anywhere. */
function collectIds(fields: FieldMap): ReadonlySet<number> {
	const asked = new Set<number>();
	makeFields(
		fields,
		(explicit) => {
			if (explicit !== undefined) asked.add(explicit);
			return explicit ?? 0;
		},
		'',
	);
	return asked;
}

function idAssigner(asked: ReadonlySet<number>): AssignId {
	let last = 0;
	return (explicit) => {
		if (explicit !== undefined) return explicit;
		do last++;
		while (asked.has(last));
		return last;
	};
}
