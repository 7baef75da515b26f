/**
 * Whatever schema, values, partitions, order and settings: what a table is given it gives back, its statistics are true
 * of its rows, and a filter keeps the rows that it should, whatever is left out on the way.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileJsonOutput } from '../../src/column/json-out.ts';
import { compileRowOutput } from '../../src/column/rows-out.ts';
import { vectorOf } from '../../src/column/vector-values.ts';
import type { ColumnBatch } from '../../src/column/vector.ts';
import { bindExpression } from '../../src/expr/bind.ts';
import { compileRowFilter } from '../../src/expr/row-filter.ts';
import {
	type AppendInput,
	createTable,
	type CreateTableOptions,
	type Expression,
	isIcebergError,
	type LiteralInput,
	loadTable,
	MemoryFileIO,
	type NestedField,
	type RowInput,
	Schema,
	type Table,
	type Type,
	type Value,
	verifyTable,
} from '../../src/index.ts';
import { canTransform, parseTransform } from '../../src/spec/transform.ts';
import { formatValue } from '../../src/spec/value-text.ts';
import { tables } from '../column/arbitraries.ts';
import { poolOf, PRIMITIVES } from '../expr/arbitraries.ts';

type Settings = Required<Pick<CreateTableOptions, 'partitionBy' | 'sortBy' | 'properties' | 'formatVersion'>>;

const TRANSFORMS = ['identity', 'bucket[3]', 'truncate[2]', 'year', 'month', 'day', 'hour', 'void'];

/** Partition fields that go with the columns, under names that do not clash. */
function partitions(fields: readonly NestedField[]): fc.Arbitrary<string[]> {
	const possible = fields.flatMap(({ name, type }) =>
		TRANSFORMS.filter(
			(text) =>
				type.kind !== 'unknown' && canTransform({ kind: 'identity' }, type) && canTransform(parseTransform(text), type),
		).map((text) => {
			const [transform, width] = text.replace(']', '').split('[');
			if (transform === 'identity') return name;
			return width === undefined ? `${transform}(${name})` : `${transform}(${width}, ${name})`;
		}),
	);
	return fc
		.subarray(possible, { maxLength: Math.min(2, possible.length) })
		.filter((chosen) => chosen.filter((text) => /^(year|month|day|hour)/.test(text)).length < 2);
}

function settings(fields: readonly NestedField[]): fc.Arbitrary<Settings> {
	const sortable = fields.filter(({ type }) => PRIMITIVES.some(({ kind }) => kind === type.kind));
	return fc.record({
		partitionBy: partitions(fields),
		sortBy: fc.subarray(
			sortable.map(({ name }, i) => `${name} ${i % 2 === 0 ? 'desc nulls last' : 'asc'}`),
			{ maxLength: Math.min(2, sortable.length) },
		),
		properties: fc.record(
			{
				'write.parquet.compression-codec': fc.constantFrom('uncompressed', 'snappy', 'gzip', 'zstd', 'lz4_raw'),
				'write.parquet.page-version': fc.constantFrom('v1', 'v2'),
				'write.parquet.page-row-limit': fc.constantFrom('1', '5', '20000'),
				'write.parquet.dict-size-bytes': fc.constantFrom('1', '100', '2097152'),
				'write.target-file-size-bytes': fc.constantFrom('1', '1000', '536870912'),
				'write.metadata.metrics.default': fc.constantFrom('none', 'counts', 'truncate(2)', 'full'),
				'write.object-storage.enabled': fc.constantFrom('true', 'false'),
				'write.metadata.compression-codec': fc.constantFrom('none', 'gzip'),
				'write.manifest.compression-codec': fc.constantFrom('uncompressed', 'gzip', 'zstd', 'snappy'),
				'commit.manifest.min-count-to-merge': fc.constantFrom('2', '100'),
			},
			{ requiredKeys: [] },
		) as fc.Arbitrary<Record<string, string>>,
		formatVersion: fc.constant(3 as const),
	});
}

function batchOf(fields: readonly NestedField[], rows: readonly (readonly Value[])[]): ColumnBatch {
	const columns = fields.map(({ type }, k) =>
		vectorOf(
			type,
			rows.map((row) => row[k] as Value),
		),
	);
	return { fields, length: rows.length, columns };
}

async function linesOf(table: Table, where?: Expression): Promise<string[]> {
	const lines: string[] = [];
	for await (const chunk of table.scan(where === undefined ? {} : { where }).jsonLines()) lines.push(...chunk);
	return lines.sort();
}

/** Whether rows as objects lose something: in them the null of a variant and a null that is no variant are one. */
function hasVariant(type: Type): boolean {
	if (type.kind === 'struct') return type.fields.some((field) => hasVariant(field.type));
	if (type.kind === 'list') return hasVariant(type.element);
	return type.kind === 'variant' || (type.kind === 'map' && hasVariant(type.value));
}

/** Rows [from, to) as an append takes them: as objects, every other time and where these lose something as columns. */
function inputOf(
	fields: readonly NestedField[],
	rows: readonly (readonly Value[])[],
	from: number,
	to: number,
): AppendInput {
	const batch = batchOf(fields, rows.slice(from, to));
	if (from % 2 === 0 && !fields.some(({ type }) => hasVariant(type))) return compileRowOutput(fields)(batch);
	return {
		async *batches() {
			yield batch;
		},
	};
}

/** A table with the rows, appended in parts; undefined for what Parquet cannot hold. */
async function tableWith(
	fields: readonly NestedField[],
	rows: readonly (readonly Value[])[],
	parts: number,
	options: Settings,
): Promise<Table | undefined> {
	const io = new MemoryFileIO();
	const table = await createTable<RowInput>('memory:/t', new Schema({ fields }), { io, ...options });
	const size = Math.max(1, Math.ceil(rows.length / parts));
	for (let from = 0; from < rows.length; from += size) {
		try {
			await table.append(inputOf(fields, rows, from, from + size));
		} catch (error) {
			if (
				isIcebergError(error, 'UNSUPPORTED') &&
				/no field that is stored|which Parquet cannot hold/.test(error.message)
			)
				return undefined;
			throw error;
		}
	}
	return loadTable('memory:/t', { io });
}

describe('a table', () => {
	it('gives back what it was given, and verifies', async () => {
		let held = 0;
		await fc.assert(
			fc.asyncProperty(
				tables(12, 2).chain((made) =>
					fc.tuple(fc.constant(made), settings(made.fields), fc.integer({ min: 1, max: 3 })),
				),
				async ([{ fields, rows }, options, parts]) => {
					const table = await tableWith(fields, rows, parts, options);
					if (table === undefined) return;
					held += 1;
					const wanted = compileJsonOutput(fields)(batchOf(fields, rows)).sort();
					expect(await linesOf(table)).toEqual(wanted);
					expect(await table.rowCount()).toBe(rows.length);
					expect(await table.scan().count()).toBe(rows.length);
					const report = await verifyTable(table, { deep: true });
					expect(report.problems).toEqual([]);
					// what a scan gives an append takes, and nothing is lost on the way
					const again = await createTable<RowInput>('memory:/again', table.schema as Schema<RowInput>, {
						io: new MemoryFileIO(),
						formatVersion: 3,
					});
					const asRows = !fields.some(({ type }) => hasVariant(type));
					await again.append(
						asRows ? (table.scan() as AsyncIterable<object>) : { batches: () => table.scan().batches() },
					);
					expect(await linesOf(again as unknown as Table)).toEqual(wanted);
				},
			),
			{ numRuns: 100 },
		);
		expect(held).toBeGreaterThan(50);
	}, 60_000);

	it('filters as if nothing were left out', async () => {
		let kept = 0;
		let skipped = 0;
		await fc.assert(
			fc.asyncProperty(filteredTables, async ({ fields, rows, options, filters }) => {
				const table = await tableWith(fields, rows, 3, options);
				if (table === undefined) return;
				const lines = compileJsonOutput(fields)(batchOf(fields, rows));
				for (const filter of filters) {
					const matches = compileRowFilter(bindExpression(filter, table.schema as Schema));
					const wanted = lines.filter((_, i) => matches(rows[i] as Value[])).sort();
					const scan = table.scan({ where: filter });
					expect(await linesOf(table, filter)).toEqual(wanted);
					expect(await scan.count()).toBe(wanted.length);
					kept += wanted.length;
					const report = scan.report?.dataFiles;
					skipped += report === undefined ? 0 : report.skippedByPartition + report.skippedByMetrics;
				}
			}),
			{ numRuns: 40 },
		);
		expect(kept).toBeGreaterThan(100);
		expect(skipped).toBeGreaterThan(50);
	}, 60_000);
});

const OPS = ['lt', 'lt-eq', 'gt', 'gt-eq', 'eq', 'not-eq'] as const;

/** A value as a user writes it in a predicate. */
function literalOf(type: Type, value: Value): LiteralInput {
	if (type.kind === 'boolean' || type.kind === 'int' || type.kind === 'long') return value as LiteralInput;
	if (type.kind === 'float' || type.kind === 'double') return value as number;
	if (type.kind === 'binary' || type.kind === 'fixed') return value as Uint8Array;
	return formatValue(type, value);
}

function filtersOn(fields: readonly NestedField[]): fc.Arbitrary<Expression> {
	const leaf = fc.constantFrom(...fields).chain(({ name, type }): fc.Arbitrary<Expression> => {
		const ref = { name };
		const literals = poolOf(type).filter((value) => value === value);
		const literal = fc.constantFrom(...literals).map((value) => literalOf(type, value));
		return fc.oneof(
			fc.constantFrom<Expression>({ op: 'is-null', ref }, { op: 'not-null', ref }),
			{
				weight: 4,
				arbitrary: fc
					.tuple(fc.constantFrom(...OPS), literal)
					.map(([op, found]): Expression => ({ op, ref, literal: found })),
			},
			fc
				.tuple(fc.constantFrom('in' as const, 'not-in' as const), fc.array(literal, { minLength: 1, maxLength: 4 }))
				.map(([op, found]): Expression => ({ op, ref, literals: found })),
		);
	});
	return fc.oneof(
		{ weight: 3, arbitrary: leaf },
		fc
			.tuple(fc.constantFrom('and' as const, 'or' as const), leaf, leaf)
			.map(([op, a, b]): Expression => ({ op, children: [a, b] })),
		leaf.map((child): Expression => ({ op: 'not', child })),
	);
}

const filteredTables = fc
	.uniqueArray(fc.integer({ min: 0, max: PRIMITIVES.length - 1 }), { minLength: 1, maxLength: 3 })
	.chain((kinds) => {
		const fields = kinds.map(
			(kind, i): NestedField => ({
				id: i + 1,
				name: `c${i}`,
				required: false,
				type: PRIMITIVES[kind] as Type,
			}),
		);
		const row = fc.tuple(...fields.map(({ type }) => fc.option(fc.constantFrom(...poolOf(type)), { freq: 5 })));
		return fc.record({
			fields: fc.constant(fields),
			rows: fc.array(row, { minLength: 4, maxLength: 40 }) as fc.Arbitrary<Value[][]>,
			options: settings(fields),
			filters: fc.array(filtersOn(fields), { minLength: 4, maxLength: 8 }),
		});
	});
