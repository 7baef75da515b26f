/** Every table of the conformance corpus is read as other implementations read it, or refused for a reason that it has. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { compileJsonOutput } from '../../src/column/json-out.ts';
import type { ColumnBatch } from '../../src/column/vector.ts';
import { getValue } from '../../src/column/vector-values.ts';
import { isIcebergError } from '../../src/errors/iceberg-error.ts';
import { LAST_UPDATED_COLUMN, ROW_ID_COLUMN } from '../../src/read/metadata-columns.ts';
import { scanBatches } from '../../src/read/scan-batches.ts';
import { bindExpression } from '../../src/expr/bind.ts';
import type { Expression } from '../../src/expr/expression.ts';
import { compileRowFilter } from '../../src/expr/row-filter.ts';
import { planFiles } from '../../src/scan/plan.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import { parseTableMetadata } from '../../src/spec/table-metadata-json.ts';
import { currentSchema, currentSnapshot, schemaById, snapshotById } from '../../src/spec/table-metadata-lookup.ts';
import type { NestedField, Type } from '../../src/spec/types.ts';
import { parseJson, stringifyJson } from '../../src/util/json.ts';
import { corpusFileIO, corpusTables, type Loose } from '../support/corpus.ts';
import { corpusFilter } from '../support/corpus-values.ts';

const tables = corpusTables();

interface Read {
	readonly metadata: TableMetadata;
	readonly snapshot: Snapshot | undefined;
	readonly schema: Schema;
	readonly fields?: readonly NestedField[];
	readonly filter?: Expression;
}

/** Filters of each table that are tried: enough for all kinds, few enough to be quick. */
const FILTERS_OF_A_TABLE = 12;

async function readBatches({
	metadata,
	snapshot,
	schema,
	fields = schema.fields,
	filter,
}: Read): Promise<ColumnBatch[]> {
	const io = corpusFileIO();
	const tasks = planFiles({ io, metadata, snapshot, schema, ...(filter === undefined ? {} : { filter }) });
	const batches: ColumnBatch[] = [];
	for await (const batch of scanBatches(tasks, { io, metadata, schema, fields })) batches.push(batch);
	return batches;
}

/** The rows as lines of canonical JSON. */
async function readLines(read: Read): Promise<string[]> {
	const output = compileJsonOutput(read.fields ?? read.schema.fields);
	return (await readBatches(read)).flatMap((batch) => output(batch));
}

/** The corpus writes longs as text; here they are integers. */
function expectedLine(row: Loose, fields: readonly NestedField[]): string {
	return `{${fields.map((field) => `${JSON.stringify(field.name)}:${expectedValue(row[field.name] ?? null, field.type)}`).join(',')}}`;
}

function expectedValue(value: Loose, type: Type): string {
	if (value === null) return 'null';
	switch (type.kind) {
		case 'long':
			return String(value);
		case 'float':
		case 'double':
			return typeof value === 'string' ? JSON.stringify(value) : Object.is(value, -0) ? '-0' : String(Number(value));
		case 'struct':
			return expectedLine(value, type.fields);
		case 'list':
			return `[${value.map((item: Loose) => expectedValue(item, type.element)).join(',')}]`;
		case 'map':
			return `[${value.map(([key, item]: Loose[]) => `[${expectedValue(key, type.key)},${expectedValue(item, type.value)}]`).join(',')}]`;
		default:
			return stringifyJson(value);
	}
}

/** What a row reads as with text for longs, in the digits of the corpus' checksums. */
function checksumLine(line: string, fields: readonly NestedField[]): string {
	const row = parseJson(line) as Loose;
	const asText = (value: Loose, type: Type): Loose => {
		if (value === null) return null;
		if (type.kind === 'long') return String(value);
		if (type.kind === 'struct')
			return Object.fromEntries(type.fields.map((field) => [field.name, asText(value[field.name], field.type)]));
		if (type.kind === 'list') return value.map((item: Loose) => asText(item, type.element));
		return value;
	};
	return stringifyJson(Object.fromEntries(fields.map((field) => [field.name, asText(row[field.name], field.type)])));
}

function checkRows(lines: string[], expected: Loose, fields: readonly NestedField[]): void {
	expect(lines.length).toBe(Number(expected['row-count']));
	if (expected.rows !== undefined) {
		expect([...lines].sort()).toEqual(expected.rows.map((row: Loose) => expectedLine(row, fields)).sort());
		return;
	}
	// checksums of doubles depend on Java's spelling of them
	if (fields.some(({ type }) => ['double', 'float', 'map'].includes(type.kind))) return;
	const sorted = lines.map((line) => checksumLine(line, fields)).sort();
	const hash = createHash('sha256');
	for (const line of sorted) hash.update(`${line}\n`);
	expect(hash.digest('hex')).toBe(expected['rows-sha256']);
}

const REFUSALS = /rows deleted by|is orc/;

/** Reads and checks; tables with what this version lacks must be refused, never read wrongly. */
async function readOrRefuse(read: Read, expected: Loose): Promise<'read' | 'refused'> {
	let lines: string[];
	try {
		lines = await readLines(read);
	} catch (error) {
		if (!isIcebergError(error, 'UNSUPPORTED')) throw error;
		expect(error.message).toMatch(REFUSALS);
		return 'refused';
	}
	checkRows(lines, expected, read.fields ?? read.schema.fields);
	return 'read';
}

describe.skipIf(tables.length === 0)('corpus (needs ../shared)', () => {
	const readable = new Set<string>();
	describe.each(tables)('$name', (table) => {
		const load = (): { metadata: TableMetadata; expected: Loose } => ({
			metadata: parseTableMetadata(table.metadataText(), table.metadataLocation),
			expected: table.expected(),
		});

		it('current rows', async () => {
			const { metadata, expected } = load();
			const schema = currentSchema(metadata);
			const read = { metadata, snapshot: currentSnapshot(metadata), schema };
			const outcome = await readOrRefuse(read, expected.current);
			if (outcome === 'read') readable.add(table.name);
			const lacking = (expected.plan ?? []).some((file: Loose) => file.deletes.length > 0 || file.format === 'orc');
			expect(outcome).toBe(lacking ? 'refused' : 'read');
		});

		it('rows with lineage', async () => {
			const { metadata, expected } = load();
			const lineage = expected['rows-with-lineage'];
			if (lineage === undefined || !readable.has(table.name)) return;
			const schema = currentSchema(metadata);
			const fields = [...schema.fields, ROW_ID_COLUMN, LAST_UPDATED_COLUMN];
			const read = { metadata, snapshot: currentSnapshot(metadata), schema, fields };
			const lines = await readLines(read);
			expect([...lines].sort()).toEqual(lineage.map((row: Loose) => expectedLine(row, fields)).sort());
		});

		it('snapshots under their own schemas', async () => {
			const { metadata, expected } = load();
			for (const each of expected.snapshots ?? []) {
				const snapshot = snapshotById(metadata, BigInt(each['snapshot-id']));
				const schema = each['schema-id'] === undefined ? undefined : schemaById(metadata, Number(each['schema-id']));
				await readOrRefuse({ metadata, snapshot, schema: schema ?? currentSchema(metadata) }, each);
			}
		});

		it('filtered reads give the rows of the whole that match, whatever is left out on the way', async () => {
			const { metadata, expected } = load();
			if (!readable.has(table.name)) return;
			const schema = currentSchema(metadata);
			const read = { metadata, snapshot: currentSnapshot(metadata), schema };
			const batches = await readBatches(read);
			const output = compileJsonOutput(schema.fields);
			const filters: Loose[] = expected.filters ?? [];
			const stride = Math.max(1, Math.floor(filters.length / FILTERS_OF_A_TABLE));
			for (let i = 0; i < filters.length; i += stride) {
				const filter = corpusFilter(filters[i].filter, schema);
				const matches = compileRowFilter(bindExpression(filter, schema));
				const kept = batches.flatMap((batch) =>
					output(batch).filter((_, row) => matches(batch.columns.map((column) => getValue(column, row)))),
				);
				expect((await readLines({ ...read, filter })).sort(), filters[i].text).toEqual(kept.sort());
			}
		});

		it('a column of its own, the last one first', async () => {
			const { metadata } = load();
			if (!readable.has(table.name)) return;
			const schema = currentSchema(metadata);
			const read = { metadata, snapshot: currentSnapshot(metadata), schema };
			const all = (await readLines(read)).map((line) => parseJson(line) as Loose);
			const fields = schema.fields.slice(-1);
			const name = fields[0]?.name as string;
			const lines = await readLines({ ...read, fields });
			expect(lines.map((line) => stringifyJson((parseJson(line) as Loose)[name])).sort()).toEqual(
				all.map((row) => stringifyJson(row[name])).sort(),
			);
		});
	});

	it('are read but for those with deletes or ORC', () => {
		expect(readable.size).toBe(71);
	});
});
