/** Plans of the tables of other writers, compared with the plans that Iceberg's Java library made of them. */
import { describe, expect, it } from 'vitest';
import { bindExpression } from '../../src/expr/bind.ts';
import { predicatesOf } from '../../src/expr/bound.ts';
import { boundDomain } from '../../src/expr/bound-domain.ts';
import type { BoundExpression } from '../../src/expr/expression.ts';
import { compileRowFilter } from '../../src/expr/row-filter.ts';
import type { DataFile } from '../../src/manifest/types.ts';
import { type FilePlan, planFiles, type PlanFilesOptions } from '../../src/scan/plan.ts';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';
import { valuesEqual } from '../../src/spec/compare.ts';
import { partitionType } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';
import { valueFromJson } from '../../src/spec/single-value.ts';
import { parseTableMetadata } from '../../src/spec/table-metadata-json.ts';
import { currentSchema, currentSnapshot } from '../../src/spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import { bindTransform, canTransform } from '../../src/spec/transform.ts';
import type { NestedField, StructValue, Type, Value } from '../../src/spec/types.ts';
import { fromHex, toHex } from '../../src/util/hex.ts';
import { CORPUS_ROOT, type CorpusTable, corpusFileIO, corpusTables, type Loose } from '../support/corpus.ts';
import { canonicalToEngine, corpusFilter, javaDeviates, ordersUuids } from '../support/corpus-values.ts';

const tables = corpusTables();

async function collect(plan: FilePlan): Promise<FileScanTask[]> {
	const tasks: FileScanTask[] = [];
	for await (const task of plan) tasks.push(task);
	return tasks;
}

function load(table: CorpusTable): { metadata: TableMetadata; schema: Schema; options: PlanFilesOptions } {
	const metadata = parseTableMetadata(table.metadataText(), table.metadataLocation);
	const options = { io: corpusFileIO(), metadata, snapshot: currentSnapshot(metadata) };
	return { metadata, schema: currentSchema(metadata), options };
}

function byText(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

function countsOf(map: ReadonlyMap<number, number> | undefined): Record<string, number> {
	return Object.fromEntries(map ?? []);
}
function boundsOf(map: ReadonlyMap<number, Uint8Array> | undefined): Record<string, string> {
	return Object.fromEntries([...(map ?? [])].map(([id, bytes]) => [id, toHex(bytes)]));
}
function nullable<T>(value: T | undefined): T | null {
	return value ?? null;
}

describe.skipIf(tables.length === 0)('the plan of each table of the corpus', () => {
	it('finds the tables', () => {
		expect(tables.length).toBe(96);
		expect(tables.every((table) => table.metadataLocation.startsWith(`${CORPUS_ROOT}/`))).toBe(true);
	});

	for (const table of tables) {
		it(`${table.name} has the files, partitions, metrics, sequence numbers and deletes of Java's`, async () => {
			const expected = table.expected();
			const { metadata, schema, options } = load(table);
			const tasks = await collect(planFiles({ ...options, metricsFor: 'all' }));
			const java: Loose[] = expected.plan ?? [];
			expect(tasks.map((task) => task.file.location).sort(byText)).toEqual(java.map((file) => file.path).sort(byText));
			for (const file of java) {
				const task = tasks.find((candidate) => candidate.file.location === file.path) as FileScanTask;
				compareFile(task.file, file, metadata, schema);
				expect(task.sequenceNumber).toBe(BigInt(file['data-sequence-number']));
				expect(task.fileSequenceNumber).toBe(BigInt(file['file-sequence-number']));
				expect({
					valueCounts: countsOf(task.file.valueCounts),
					nullCounts: countsOf(task.file.nullValueCounts),
					nanCounts: countsOf(task.file.nanValueCounts),
					lowerBounds: boundsOf(task.file.lowerBounds),
					upperBounds: boundsOf(task.file.upperBounds),
				}).toEqual({
					valueCounts: file['value-counts'] ?? {},
					nullCounts: file['null-counts'] ?? {},
					nanCounts: file['nan-counts'] ?? {},
					lowerBounds: file['lower-bounds'] ?? {},
					upperBounds: file['upper-bounds'] ?? {},
				});
				expect(deleteKeys(task)).toEqual(javaDeleteKeys(file));
				for (const found of task.deletes) {
					const same = file.deletes.find(
						(other: Loose) =>
							other.path === found.location && (other['content-offset'] ?? null) === nullable(found.contentOffset),
					);
					compareFile(found, same, metadata, schema);
					expect(found.sequenceNumber).toBe(BigInt(same['data-sequence-number']));
					expect(nullable(found.equalityIds)).toEqual(nullable(same['equality-ids']));
					expect(nullable(found.referencedDataFile)).toBe(nullable(same['referenced-data-file']));
				}
			}
		});
	}
});

function deleteKeys(task: FileScanTask): string[] {
	return task.deletes.map((file) => `${file.location}@${file.contentOffset ?? ''}`).sort(byText);
}
function javaDeleteKeys(file: Loose): string[] {
	return file.deletes.map((other: Loose) => `${other.path}@${other['content-offset'] ?? ''}`).sort(byText);
}

function compareFile(file: DataFile, java: Loose, metadata: TableMetadata, schema: Schema): void {
	expect({
		content: file.content.replace('-', '_'),
		format: file.format,
		specId: file.specId,
		recordCount: file.recordCount,
		fileSize: file.fileSizeInBytes,
		firstRowId: file.firstRowId === undefined ? null : Number(file.firstRowId),
		sortOrderId: nullable(file.sortOrderId),
	}).toEqual({
		content: java.content,
		format: java.format,
		specId: java['spec-id'],
		recordCount: java['record-count'],
		fileSize: java['file-size'],
		firstRowId:
			java['first-row-id'] === undefined || java['first-row-id'] === null ? null : Number(java['first-row-id']),
		sortOrderId: nullable(java['sort-order-id']),
	});
	const spec = metadata.partitionSpecs.find((candidate) => candidate.specId === file.specId);
	if (spec === undefined) throw new Error(`no spec ${file.specId}`);
	const { fields } = partitionType(spec, schema, ...metadata.schemas);
	fields.forEach((field, i) => {
		const found = file.partition[i] as Value;
		const json = java.partition[field.name];
		const value = json === null || json === undefined ? null : partitionValue(field.type, json);
		expect(valuesEqual(field.type, found, value), `${field.name}: ${String(found)} is ${String(json)}`).toBe(true);
	});
}

function partitionValue(type: Type, json: Loose): Value {
	if (type.kind === 'long') return BigInt(json);
	if (type.kind === 'fixed' || type.kind === 'binary') return fromHex(json) as Uint8Array;
	return valueFromJson(type, json);
}

describe.skipIf(tables.length === 0)('the filters of the corpus', () => {
	let filters = 0;
	let deviations = 0;
	let certain = 0;

	for (const table of tables) {
		const expected = table.expected();
		const list: Loose[] = expected.filters ?? [];
		if (list.length === 0) continue;
		it(`${table.name}: ${list.length} filters keep Java's rows and plan no more files, and all that hold such rows`, async () => {
			const { metadata, schema, options } = load(table);
			const all = await collect(planFiles({ ...options, metricsFor: 'all' }));
			const struct = schema.asStruct();
			const rows: StructValue[] | undefined = expected.current.rows?.map(
				(row: Loose) => canonicalToEngine(struct, row) as StructValue,
			);
			for (const filter of list) {
				filters++;
				const expr = corpusFilter(filter.filter, schema);
				const bound = bindExpression(expr, schema);
				const plan = planFiles({ ...options, filter: expr });
				const planned = await collect(plan);
				const may = new Set(planned.map((task) => task.file.location));
				if (!nanAboveBounds(bound, all) && !ordersUuids(bound))
					expect(planned.length, filter.text).toBeLessThanOrEqual(filter['java-planned-files']);
				expect(plan.report.dataFiles.planned).toBe(planned.length);
				if (rows === undefined) continue;
				const keep = compileRowFilter(bound);
				const kept = rows.flatMap((row, i) => (keep(row) ? [i] : []));
				if (filter['row-indexes'] !== undefined) {
					const java = new Set<number>(filter['row-indexes']);
					const ours = new Set(kept);
					for (let i = 0; i < rows.length; i++) {
						if (java.has(i) === ours.has(i)) continue;
						expect(javaDeviates(bound, rows[i] as StructValue), `${filter.text}, row ${i}`).toBe(true);
						deviations++;
					}
				}
				for (const i of kept) {
					const row = rows[i] as StructValue;
					const holders = all.filter((task) => mayHold(task, row, schema, metadata));
					expect(holders.length, `${filter.text}: no file could hold row ${i}`).toBeGreaterThan(0);
					expect(
						holders.some((task) => may.has(task.file.location)),
						`${filter.text}: row ${i} is in no planned file`,
					).toBe(true);
					if (holders.length === 1) certain++;
				}
			}
		});
	}

	it('are as many as the corpus has, and mostly say for certain which file holds a row', () => {
		expect(filters).toBeGreaterThan(2_500);
		expect(certain).toBeGreaterThan(10_000);
		expect(deviations).toBeGreaterThan(0);
		expect(deviations).toBeLessThan(400);
	});
});

/** Java leaves out files whose upper bound, which no NaN raises, is too low; NaN rows in them are lost. */
function nanAboveBounds(expr: BoundExpression, all: readonly FileScanTask[]): boolean {
	for (const pred of predicatesOf(expr)) {
		if (pred.op !== 'gt' && pred.op !== 'gt-eq') continue;
		if (pred.ref.type.kind !== 'float' && pred.ref.type.kind !== 'double') continue;
		if (all.some((task) => task.file.nanValueCounts?.get(pred.ref.fieldId) !== 0)) return true;
	}
	return false;
}

/** Whether partition and bounds of a file let it hold a row of the current schema. */
function mayHold({ file, spec }: FileScanTask, row: StructValue, schema: Schema, metadata: TableMetadata): boolean {
	const types = partitionType(spec, schema, ...metadata.schemas).fields;
	const inPartition = spec.fields.every((field, i) => {
		const position = schema.fields.findIndex((candidate) => candidate.id === field.sourceId);
		const source = schema.fields[position];
		if (source === undefined || field.transform.kind === 'void' || !canTransform(field.transform, source.type))
			return true;
		const value = bindTransform(field.transform, source.type)(row[position] as Value);
		return valuesEqual((types[i] as NestedField).type, value, file.partition[i] as Value);
	});
	return (
		inPartition &&
		schema.fields.every((field, position) => {
			const value = row[position] as Value;
			const nulls = file.nullValueCounts?.get(field.id);
			if (value === null) return nulls !== 0;
			const domain = boundDomain(field.type);
			const lower = file.lowerBounds?.get(field.id);
			const upper = file.upperBounds?.get(field.id);
			if (domain === undefined || value !== value) return true;
			const key = domain.ofValue(value);
			const low = lower === undefined ? undefined : domain.ofBinary(lower);
			const high = upper === undefined ? undefined : domain.ofBinary(upper);
			return (
				(low === undefined || domain.compare(low, key) <= 0) && (high === undefined || domain.compare(key, high) <= 0)
			);
		})
	);
}
