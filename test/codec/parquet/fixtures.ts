/** The Parquet files of pyarrow below test/fixtures/parquet (scripts/make-parquet-fixtures.py) and helpers to read them. */
import { readFileSync } from 'node:fs';
import type { ByteSource, ParquetReader } from '../../../src/codec/parquet/api.ts';
import type { ColumnBatch } from '../../../src/column/vector.ts';
import { getValue } from '../../../src/column/vector-values.ts';
import type { Type, Value } from '../../../src/spec/types.ts';

const FOLDER = new URL('../../fixtures/parquet/', import.meta.url);

interface FixtureIndex {
	/** by file name without ending: the table of which it holds the first rows */
	readonly files: Readonly<Record<string, { readonly table: string; readonly rows: number }>>;
	readonly tables: Readonly<Record<string, { readonly columns: string[]; readonly data: unknown[][] }>>;
}
export const fixtureIndex = JSON.parse(readFileSync(new URL('index.json', FOLDER), 'utf8')) as FixtureIndex;

export function fixtureBytes(name: string): Uint8Array {
	return new Uint8Array(readFileSync(new URL(`${name}.parquet`, FOLDER)));
}

/** A source that hands out views, and refuses reads outside of the bytes. */
export function sourceOf(bytes: Uint8Array, location = 'test.parquet'): ByteSource & { reads: number } {
	return {
		location,
		reads: 0,
		async length() {
			return bytes.length;
		},
		async read(offset: number, length: number) {
			if (offset < 0 || length < 0 || offset + length > bytes.length) throw new Error(`read ${offset} ${length}`);
			this.reads++;
			return bytes.subarray(offset, offset + length);
		},
	};
}

/** An engine value as the fixtures' JSON has it. */
export function canonical(type: Type, value: Value): unknown {
	if (value === null) return null;
	switch (type.kind) {
		case 'struct':
			return type.fields.map((field, i) => canonical(field.type, (value as Value[])[i] as Value));
		case 'list':
			return (value as Value[]).map((item) => canonical(type.element, item));
		case 'map':
			return (value as [Value, Value][]).map(([k, v]) => [canonical(type.key, k), canonical(type.value, v)]);
		case 'float':
		case 'double':
			return Number.isFinite(value) ? value : String(value);
		case 'uuid':
			return (value as string).replaceAll('-', '');
		default:
			if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
			return typeof value === 'bigint' ? String(value) : value;
	}
}

export async function readAll(
	reader: ParquetReader,
	options?: Parameters<ParquetReader['read']>[1],
	fields = reader.info.fields,
): Promise<unknown[][]> {
	const rows: unknown[][] = [];
	for await (const { batch } of reader.read({ fields }, options)) rows.push(...rowsOf(batch));
	return rows;
}

export function rowsOf(batch: ColumnBatch): unknown[][] {
	const rows: unknown[][] = [];
	for (let i = 0; i < batch.length; i++) {
		rows.push(batch.columns.map((column, k) => canonical(batch.fields[k]!.type, getValue(column, i))));
	}
	return rows;
}

/** The rows of a fixture's table. */
export function expectedRows(name: string): unknown[][] {
	const file = fixtureIndex.files[name]!;
	const table = fixtureIndex.tables[file.table]!;
	return Array.from({ length: file.rows }, (_, i) => table.data.map((column) => column[i]));
}
