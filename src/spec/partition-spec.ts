/** Iceberg spec: Partitioning. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Schema } from './schema.ts';
import { checkSource, parseTransformedColumn } from './transform-text.ts';
import { canTransform, type Transform, transformResultType, transformsEqual } from './transform.ts';
import { typeToString } from './type-text.ts';
import type { JsonValue, NestedField, StructType } from './types.ts';

export type { Transform } from './transform.ts';

export interface PartitionField {
	/** field id of the source column; the first one of a multi-argument transform */
	readonly sourceId: number;
	/** v3, only where there is more than one */
	readonly sourceIds?: readonly number[];
	/** 1000 and up */
	readonly fieldId: number;
	readonly name: string;
	readonly transform: Transform;
	readonly extra?: Readonly<Record<string, JsonValue>>;
}

export interface PartitionSpec {
	readonly specId: number;
	readonly fields: readonly PartitionField[];
	/** JSON keys that this version does not know, kept for writing back */
	readonly extra?: Readonly<Record<string, JsonValue>>;
}

/** The id of the first partition field of a table; the ids of the following ones count up. */
export const FIRST_PARTITION_FIELD_ID = 1000;

/** The spec of a table without partitions. */
export const UNPARTITIONED: PartitionSpec = { specId: 0, fields: [] };

/** True when a spec puts rows into more than one partition: it has a field whose transform is not void. */
export function isPartitioned(spec: PartitionSpec): boolean {
	return spec.fields.some((field) => field.transform.kind !== 'void');
}

/**
 * The type of a spec's partition tuples: optional fields under the ids and names of the partition fields. A field whose
 * source column is not in the schema has the type `unknown`, unless the transform's result does not depend on it.
 *
 * @param schemas the schema, or several to look for source columns in, in that order
 */
export function partitionType(spec: PartitionSpec, ...schemas: readonly Schema[]): StructType {
	return {
		kind: 'struct',
		fields: spec.fields.map((field): NestedField => {
			let source: NestedField | undefined;
			for (const schema of schemas) source ??= schema.findField(field.sourceId);
			const type = transformResultType(field.transform, source?.type ?? { kind: 'unknown' });
			return { id: field.fieldId, name: field.name, required: false, type };
		}),
	};
}

/**
 * A partition spec from texts such as `day(ts)`, `bucket(16, id)`, `truncate(4, name)`, `region`, or
 * `day(ts) as event_day`. Fields are named as Iceberg's other writers name them: `ts_day`, `id_bucket`, `name_trunc`,
 * `region`.
 *
 * @param options `firstFieldId`: id of the first field, 1000 when left out; `specId`: 0 when left out
 * @throws `INVALID_SCHEMA` as `parseTransformedColumn` and {@link validatePartitionSpec}
 */
export function parsePartitionSpec(
	schema: Schema,
	texts: readonly string[],
	options: { readonly firstFieldId?: number; readonly specId?: number } = {},
): PartitionSpec {
	const firstFieldId = options.firstFieldId ?? FIRST_PARTITION_FIELD_ID;
	const fields = texts.map((text, i): PartitionField => {
		const named =
			schema.findFieldByName(text.trim()) === undefined ? /^(.*\S)\s+as\s+(\S+)$/is.exec(text.trim()) : null;
		const { transform, field, name } = parseTransformedColumn(schema, named?.[1] ?? text, 'partition field');
		// It fits every column of other writers' specs; of a new one it can keep only what could be a partition value.
		if (transform.kind === 'void' && !canTransform({ kind: 'identity' }, field.type)) {
			throw invalid(`partition field '${text.trim()}'`, `a ${typeToString(field.type)} cannot be a partition's value`);
		}
		return {
			sourceId: field.id,
			fieldId: firstFieldId + i,
			name: named?.[2] ?? defaultName(name, transform),
			transform,
		};
	});
	const spec = { specId: options.specId ?? 0, fields };
	validatePartitionSpec(spec, schema);
	return spec;
}

/**
 * Checks a spec that is to be used with a schema.
 *
 * @throws `INVALID_SCHEMA` when a source column is missing, inside of a list or map, or of a type that the transform does
 *   not take; when a name is empty, stands twice, or is that of another column; when a field repeats another one
 */
export function validatePartitionSpec(spec: PartitionSpec, schema: Schema): void {
	const names = new Set<string>();
	const ids = new Set<number>();
	const seen: PartitionField[] = [];
	for (const field of spec.fields) {
		const what = `partition field '${field.name}'`;
		if (field.name === '') throw invalid(what, 'a name is not empty');
		if (names.has(field.name)) throw invalid(what, 'two partition fields go by this name');
		names.add(field.name);
		if (ids.has(field.fieldId)) throw invalid(what, `two partition fields have the id ${field.fieldId}`);
		ids.add(field.fieldId);
		const { kind } = field.transform;
		if (kind === 'void') continue;
		const source = schema.findField(field.sourceId);
		if (source === undefined) throw invalid(what, `there is no column with the id ${field.sourceId}`);
		checkSource(schema, source, field.transform, what);
		const namesake = schema.findFieldByName(field.name);
		if (namesake !== undefined && (kind !== 'identity' || namesake.id !== field.sourceId)) {
			throw invalid(what, 'the name is that of a column; give the field another one');
		}
		if (seen.some((other) => repeats(other, field))) throw invalid(what, 'it repeats another partition field');
		seen.push(field);
	}
}

/** True when both have the same fields in the same order: ids aside, as specs are told apart when one is added. */
export function specsCompatible(a: PartitionSpec, b: PartitionSpec): boolean {
	return (
		a.fields.length === b.fields.length &&
		a.fields.every((field, i) => {
			const other = b.fields[i] as PartitionField;
			return (
				field.sourceId === other.sourceId &&
				(field.sourceIds ?? []).join() === (other.sourceIds ?? []).join() &&
				field.name === other.name &&
				transformsEqual(field.transform, other.transform)
			);
		})
	);
}

const TIME_KINDS: readonly string[] = ['year', 'month', 'day', 'hour'];

function repeats(a: PartitionField, b: PartitionField): boolean {
	if (a.sourceId !== b.sourceId) return false;
	if (TIME_KINDS.includes(a.transform.kind)) return TIME_KINDS.includes(b.transform.kind);
	return transformsEqual(a.transform, b.transform);
}

function defaultName(column: string, transform: Transform): string {
	switch (transform.kind) {
		case 'identity':
			return column;
		case 'truncate':
			return `${column}_trunc`;
		case 'void':
			return `${column}_null`;
		default:
			return `${column}_${transform.kind}`;
	}
}

function invalid(what: string, reason: string): IcebergError {
	return new IcebergError('INVALID_SCHEMA', `${what}: ${reason}`);
}
