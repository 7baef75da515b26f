/** Sources over text in memory. */
import type { ByteSource } from '../../src/codec/parquet/api.ts';
import { getValue } from '../../src/column/vector-values.ts';
import type { ColumnBatch } from '../../src/column/vector.ts';
import type { ImportSource } from '../../src/import/import-source.ts';
import { typeToString } from '../../src/spec/type-text.ts';
import type { NestedField, Type, Value } from '../../src/spec/types.ts';
import { canonicalJson } from '../../src/spec/value-text.ts';

/** A file in memory. */
export function fileOf(content: string | Uint8Array): ByteSource {
	const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
	return {
		location: 'memory',
		length: async () => bytes.length,
		read: async (offset, length) => bytes.slice(offset, offset + length),
	};
}

/** A stream that gives its bytes in pieces of the size. */
export async function* streamOf(content: string | Uint8Array, pieceBytes = 7): AsyncGenerator<Uint8Array> {
	const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
	for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
}

export function batchRows(batch: ColumnBatch): unknown[] {
	return Array.from({ length: batch.length }, (_, row) =>
		Object.fromEntries(
			batch.fields.map((field, column) => {
				const value: Value = getValue(batch.columns[column]!, row);
				return [field.name, canonicalJson(field.type, value)];
			}),
		),
	);
}

/** All rows of a source in canonical JSON values, read with its own inferred schema or the given fields. */
export async function rowsOf(source: ImportSource, fields?: readonly NestedField[]): Promise<unknown[]> {
	const wanted = fields ?? (await source.inferSchema()).schema.fields;
	const rows: unknown[] = [];
	for await (const batch of source.batches(wanted)) for (const row of batchRows(batch)) rows.push(row);
	return rows;
}

/** `name type` of each inferred column. */
export async function typesOf(source: ImportSource): Promise<Record<string, string>> {
	const { schema } = await source.inferSchema();
	return Object.fromEntries(schema.fields.map((field) => [field.name, typeToString(field.type)]));
}

/** Fields with ids from 1. */
export function fieldsOf(types: Record<string, Type | { required: Type }>): NestedField[] {
	return Object.entries(types).map(([name, type], index) => ({
		id: index + 1,
		name,
		required: 'required' in type,
		type: 'required' in type ? type.required : type,
	}));
}
