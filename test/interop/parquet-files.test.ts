/** Our data files and their metrics, as pyarrow finds them. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTable, double, long, schema, string, type Table } from '../../src/index.ts';
import type { Loose } from '../support/corpus.ts';
import { Peer } from './peer.ts';
import { writePrunedTable } from './pruned-table.ts';
import { writeSamplesFor, type WrittenTable } from './sample-tables.ts';
import { temporaryFolder } from './temporary.ts';

const BOUND_CHARACTERS = 16;
const SAMPLES = [
	'primitives',
	'primitives_v1',
	'times_of_day',
	'nested',
	'by_identity',
	'by_bucket',
	'sorted',
	'nanoseconds',
];

const warehouse = temporaryFolder();
let pyiceberg: Peer;
let written: Map<string, WrittenTable>;

const sample = (name: string): WrittenTable => written.get(name) as WrittenTable;

beforeAll(async () => {
	pyiceberg = new Peer('pyiceberg');
	written = await writeSamplesFor('pyiceberg', warehouse);
});
afterAll(() => pyiceberg?.close());

/** Bounds must enclose, be exact where they are not cut, and be cut where they are long. */
function checkBounds(at: string, lower: Loose, upper: Loose, column: Loose, cut: 'text' | 'bytes' | undefined): void {
	const inCharacters = (value: string): string[] => (cut === 'bytes' ? (value.match(/../g) ?? []) : [...value]);
	const isLong = (value: Loose): boolean => cut !== undefined && inCharacters(value).length > BOUND_CHARACTERS;
	const start = (value: string): string => inCharacters(value).slice(0, BOUND_CHARACTERS).join('');
	expect({ at, lower }).toEqual({ at, lower: isLong(column.min) ? start(column.min) : column.min });
	if (!isLong(column.max)) expect({ at, upper }).toEqual({ at, upper: column.max });
	else if (upper !== undefined) {
		expect(Buffer.compare(Buffer.from(upper), Buffer.from(column.max))).toBeGreaterThan(0);
		expect(inCharacters(upper).length).toBeLessThanOrEqual(BOUND_CHARACTERS);
	}
}

function checkFile(at: string, { manifest, parquet }: Loose, kinds: ReadonlyMap<string, string>): void {
	expect(parquet.footerSound).toBe(true);
	for (const fact of ['recordCount', 'fileSizeInBytes', 'columnSizes'] as const)
		expect({ at, [fact]: manifest[fact] }).toEqual({ at, [fact]: parquet[fact] });
	expect(manifest.splitOffsets).toEqual(parquet.rowGroupOffsets);
	// a page of NaN alone has no bounds, and then a column has no index (Parquet's format says so)
	const columns = Object.values<Loose>(parquet.columns);
	const withoutNumbers = columns.filter(({ nanCount, min }) => nanCount > 0 && min === undefined).length;
	expect({ at, columnIndexes: parquet.columnIndexes }).toEqual({ at, columnIndexes: parquet.chunks - withoutNumbers });
	expect(parquet.offsetIndexes).toBe(parquet.chunks);
	// like Java, none for what stands in lists and maps
	const counted = Object.keys(parquet.columns).filter((id) => !parquet.columns[id].repeated);
	const ascending = counted.toSorted((a, b) => Number(a) - Number(b));
	expect({ at, counted: Object.keys(manifest.valueCounts) }).toEqual({ at, counted: ascending });
	for (const bounds of [manifest.lowerBounds, manifest.upperBounds, manifest.nanValueCounts])
		expect(Object.keys(bounds).filter((id) => !counted.includes(id))).toEqual([]);
	for (const [id, column] of Object.entries<Loose>(parquet.columns)) {
		if (column.repeated) continue;
		const where = `${at}, field ${id}`;
		expect({ where, count: manifest.valueCounts[id] }).toEqual({ where, count: column.valueCount });
		expect({ where, nulls: manifest.nullValueCounts[id] }).toEqual({ where, nulls: column.nullCount });
		expect({ where, nans: manifest.nanValueCounts[id] }).toEqual({ where, nans: column.nanCount });
		const lower = manifest.lowerBounds[id];
		const upper = manifest.upperBounds[id];
		if (column.min === undefined)
			expect({ where, lower, upper }).toEqual({ where, lower: undefined, upper: undefined });
		else {
			const kind = kinds.get(id);
			checkBounds(
				where,
				lower,
				upper,
				column,
				kind === 'string' ? 'text' : kind === 'binary' || kind === 'fixed' ? 'bytes' : undefined,
			);
		}
	}
}

const kindsOf = (table: Table): Map<string, string> =>
	new Map([...table.schema.fieldsById].map(([id, field]) => [String(id), field.type.kind]));

describe('the Parquet files that we write', () => {
	it.each(SAMPLES)('carry the field ids of %s at every level', async (name) => {
		const { files, schema: ids } = await pyiceberg.call('field_ids', { metadata: sample(name).metadataLocation });
		expect(files.length).toBeGreaterThan(0);
		expect(Object.keys(ids).length).toBeGreaterThan(1);
		for (const file of files) expect(file).toEqual(ids);
	});

	it.each(SAMPLES)('have the metrics in the manifests of %s', async (name) => {
		const { table, metadataLocation: metadata } = sample(name);
		const files: Loose[] = await pyiceberg.call('file_metrics', { metadata });
		expect(files.length).toBe((await table.dataFiles()).length);
		for (const [n, file] of files.entries()) checkFile(`${name}, file ${n}`, file, kindsOf(table));
	});

	it('have metrics with bounds that are cut above and below', async () => {
		const { table } = await writePrunedTable(warehouse);
		const files: Loose[] = await pyiceberg.call('file_metrics', { metadata: table.metadataLocation });
		expect(files).toHaveLength(6);
		for (const [n, file] of files.entries()) {
			checkFile(`pruned, file ${n}`, file, kindsOf(table));
			expect(file.manifest.lowerBounds[3]).not.toBe(file.parquet.columns[3].min);
			expect([...file.manifest.upperBounds[3]]).toHaveLength(BOUND_CHARACTERS);
		}
	});

	it('have row groups of the size that was asked for, each with page indexes, and offsets to split at', async () => {
		const columns = schema({ id: long().required(), text: string(), ratio: double() });
		const table = await createTable(join(warehouse, 'db', 'groups'), columns, {
			sortBy: ['id'],
			properties: { 'write.parquet.row-group-size-bytes': '200000', 'write.parquet.page-row-limit': '1000' },
		});
		const count = 40_000;
		const rows = Array.from({ length: count }, (_, n) => ({
			id: BigInt((n * 7919) % count),
			text: n % 11 === 0 ? null : `row ${(n * 104_729) % 1_000_003}`,
			ratio: n / 3,
		}));
		await table.append(rows);
		const [file] = await pyiceberg.call('file_metrics', { metadata: table.metadataLocation });
		checkFile('groups', file, kindsOf(table as unknown as Table));
		expect(file.parquet.rowGroupRows.length).toBeGreaterThan(2);
		expect(file.parquet.codecs).toEqual(['ZSTD']);
		expect(file.manifest.splitOffsets.length).toBe(file.parquet.rowGroupRows.length);
		expect(file.manifest.sortOrderId).toBe(table.sortOrder.orderId);
		const [ids] = await pyiceberg.call('column_in_file_order', { metadata: table.metadataLocation, column: 'id' });
		expect(ids).toEqual(Array.from({ length: count }, (_, n) => String(n)));
	});
});
