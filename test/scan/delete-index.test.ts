import { describe, expect, it } from 'vitest';
import type { DataFile, ManifestEntry } from '../../src/manifest/types.ts';
import { DeleteIndex } from '../../src/scan/delete-index.ts';
import { partitionKey } from '../../src/scan/partition-key.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import { toBinary } from '../../src/spec/single-value.ts';
import type { NestedField, Type, Value } from '../../src/spec/types.ts';

const FILE_PATH_ID = 2147483546;
const specs: PartitionSpec[] = [
	{ specId: 0, fields: [] },
	{ specId: 1, fields: [{ sourceId: 2, fieldId: 1000, name: 'p', transform: { kind: 'identity' } }] },
	{ specId: 2, fields: [{ sourceId: 2, fieldId: 1000, name: 'p', transform: { kind: 'void' } }] },
];
const types: Type[] = [
	{ kind: 'long' },
	{ kind: 'string' },
	{ kind: 'double' },
	{ kind: 'list', elementId: 9, elementRequired: false, element: { kind: 'int' } },
];
const fields = types.map((type, i): NestedField => ({ id: i + 1, name: `c${i}`, required: false, type }));
const nested: NestedField = { id: 20, name: 'x', required: false, type: { kind: 'long' } };

function indexOf(...entries: ManifestEntry[]): DeleteIndex {
	const index = new DeleteIndex({
		spec: (id) => specs.find((spec) => spec.specId === id) as PartitionSpec,
		field: (id) => [...fields, nested].find((field) => field.id === id),
		topLevelIds: new Set(fields.map((field) => field.id)),
	});
	for (const entry of entries) index.add(entry);
	return index;
}

function file(overrides: Partial<DataFile>): DataFile {
	return {
		content: 'data',
		location: 'data-1',
		format: 'parquet',
		specId: 0,
		partition: [],
		recordCount: 10,
		fileSizeInBytes: 100,
		...overrides,
	};
}
function entry(sequenceNumber: bigint, overrides: Partial<DataFile>): ManifestEntry {
	return { status: 'added', snapshotId: 1n, sequenceNumber, fileSequenceNumber: sequenceNumber, file: file(overrides) };
}
const equality = (sequenceNumber: bigint, location: string, overrides: Partial<DataFile> = {}): ManifestEntry =>
	entry(sequenceNumber, { content: 'equality-deletes', location, equalityIds: [1], ...overrides });
const position = (sequenceNumber: bigint, location: string, overrides: Partial<DataFile> = {}): ManifestEntry =>
	entry(sequenceNumber, { content: 'position-deletes', location, ...overrides });
const vector = (sequenceNumber: bigint, of: string, overrides: Partial<DataFile> = {}): ManifestEntry =>
	position(sequenceNumber, 'dv.puffin', {
		format: 'puffin',
		referencedDataFile: of,
		contentOffset: 4,
		contentSizeInBytes: 40,
		...overrides,
	});

function found(index: DeleteIndex, sequenceNumber: bigint, overrides: Partial<DataFile> = {}): string[] {
	return index.forDataFile(file(overrides), sequenceNumber).map((deletes) => deletes.location);
}

/** Metrics of column 1 or another. */
function metrics(type: Type, values: readonly Value[], id = 1): Partial<DataFile> {
	const numbers = values.filter((value) => value !== null && value === value).sort((a, b) => Number(a) - Number(b));
	return {
		valueCounts: new Map([[id, values.length]]),
		nullValueCounts: new Map([[id, values.filter((value) => value === null).length]]),
		nanValueCounts: new Map([[id, values.filter((value) => value !== value).length]]),
		...(numbers.length === 0
			? {}
			: {
					lowerBounds: new Map([[id, toBinary(type, numbers[0] as Value)]]),
					upperBounds: new Map([[id, toBinary(type, numbers.at(-1) as Value)]]),
				}),
	};
}

describe('deletes of a data file', () => {
	it('by equality are those of strictly later commits', () => {
		const index = indexOf(equality(4n, 'e4'), equality(5n, 'e5'), equality(6n, 'e6'));
		expect(found(index, 4n)).toEqual(['e5', 'e6']);
		expect(found(index, 6n)).toEqual([]);
	});

	it('by position are those of the same commit and later ones, by partition and by path', () => {
		const index = indexOf(
			position(4n, 'p4'),
			position(5n, 'p5'),
			position(4n, 'r4', { referencedDataFile: 'data-1' }),
			position(5n, 'r5', { referencedDataFile: 'data-1' }),
			position(9n, 'other', { referencedDataFile: 'data-2' }),
		);
		expect(found(index, 5n)).toEqual(['p5', 'r5']);
		expect(found(index, 4n)).toEqual(['p4', 'p5', 'r4', 'r5']);
	});

	it('by position are of one file when the bounds of its path are equal', () => {
		const path = (low: string, high: string): Partial<DataFile> => ({
			lowerBounds: new Map([[FILE_PATH_ID, toBinary({ kind: 'string' }, low)]]),
			upperBounds: new Map([[FILE_PATH_ID, toBinary({ kind: 'string' }, high)]]),
		});
		const index = indexOf(
			position(5n, 'one', path('data-2', 'data-2')),
			position(5n, 'range', path('data-1', 'data-3')),
		);
		expect(found(index, 1n)).toEqual(['range']);
		expect(found(index, 1n, { location: 'data-2' })).toEqual(['range', 'one']);
	});

	it('stay in their partition, unless they are equality deletes of an unpartitioned spec', () => {
		const index = indexOf(
			equality(5n, 'global'),
			equality(5n, 'void', { specId: 2, partition: [null] }),
			equality(5n, 'a', { specId: 1, partition: ['a'] }),
			position(5n, 'pos-a', { specId: 1, partition: ['a'] }),
			position(5n, 'unpartitioned'),
		);
		expect(found(index, 1n, { specId: 1, partition: ['a'] })).toEqual(['global', 'void', 'a', 'pos-a']);
		expect(found(index, 1n, { specId: 1, partition: ['b'] })).toEqual(['global', 'void']);
		expect(found(index, 1n, { specId: 1, partition: [null] })).toEqual(['global', 'void']);
		expect(found(index, 1n)).toEqual(['global', 'void', 'unpartitioned']);
	});

	it('by vector replace those by position, not those by equality', () => {
		const index = indexOf(
			vector(5n, 'data-1'),
			position(5n, 'pos'),
			position(5n, 'ref', { referencedDataFile: 'data-1' }),
			equality(5n, 'eq'),
		);
		expect(found(index, 1n)).toEqual(['eq', 'dv.puffin']);
		expect(found(index, 5n)).toEqual(['dv.puffin']);
		expect(found(index, 1n, { location: 'data-2' })).toEqual(['eq', 'pos']);
	});

	it('carry their sequence number and lose metrics that say nothing', () => {
		const [deletes] = indexOf(
			equality(5n, 'e', {
				valueCounts: new Map([
					[1, 3],
					[2, 3],
				]),
				lowerBounds: new Map([[2, Uint8Array.of(1)]]),
			}),
		).forDataFile(file({}), 1n);
		expect(deletes).toMatchObject({ sequenceNumber: 5n, valueCounts: new Map([[1, 3]]) });
		expect(deletes?.lowerBounds).toBeUndefined();
	});

	const refused: [string, () => unknown, RegExp][] = [
		[
			'a vector older than its file',
			() => found(indexOf(vector(4n, 'data-1')), 5n),
			/sequence number 4.*data-1.*later 5/,
		],
		[
			'a vector of another partition',
			() => found(indexOf(vector(4n, 'data-1', { specId: 1, partition: ['a'] })), 1n),
			/another partition/,
		],
		[
			'deletes of the very file in another partition',
			() => found(indexOf(position(4n, 'p', { referencedDataFile: 'data-1', specId: 1, partition: ['a'] })), 1n),
			/another partition/,
		],
		['two vectors of one file', () => indexOf(vector(4n, 'data-1'), vector(5n, 'data-1')), /two deletion vectors/],
		['a vector of no file', () => indexOf(position(4n, 'dv', { format: 'puffin' })), /which data file/],
		['equality deletes without columns', () => indexOf(entry(4n, { content: 'equality-deletes' })), /no columns/],
	];
	for (const [name, make, message] of refused)
		it(`are refused as corrupt: ${name}`, () => {
			expect(make).toThrow(
				expect.objectContaining({ code: 'CORRUPT', message: expect.stringMatching(message) as string }),
			);
		});
});

describe('equality deletes ruled out by metrics', () => {
	const long: Type = { kind: 'long' };
	const applies = (inDeletes: Partial<DataFile>, inData: Partial<DataFile>, ids = [1]): boolean =>
		found(indexOf(equality(5n, 'e', { equalityIds: ids, ...inDeletes })), 1n, inData).length === 1;

	it('are those whose values lie beyond the bounds of the file', () => {
		expect(applies(metrics(long, [1n, 4n]), metrics(long, [5n, 9n]))).toBe(false);
		expect(applies(metrics(long, [10n]), metrics(long, [5n, 9n]))).toBe(false);
		expect(applies(metrics(long, [1n, 5n]), metrics(long, [5n, 9n]))).toBe(true);
		expect(applies(metrics(long, [1n, 4n]), {})).toBe(true);
		expect(applies({}, metrics(long, [5n, 9n]))).toBe(true);
	});

	it('are not those that delete nulls of a file that may have them', () => {
		expect(applies(metrics(long, [1n, null]), metrics(long, [5n, null]))).toBe(true);
		expect(applies(metrics(long, [1n, null]), metrics(long, [5n]))).toBe(false);
		expect(applies(metrics(long, [null]), metrics(long, [5n]))).toBe(false);
		expect(applies(metrics(long, [1n]), metrics(long, [null, null]))).toBe(false);
	});

	it('are not those that delete NaN, which no bound tells of', () => {
		const double: Type = { kind: 'double' };
		expect(applies(metrics(double, [1, NaN], 3), metrics(double, [5, NaN], 3), [3])).toBe(true);
		expect(applies(metrics(double, [1, NaN], 3), metrics(double, [5], 3), [3])).toBe(false);
		expect(applies(metrics(double, [0], 3), metrics(double, [-0], 3), [3])).toBe(true);
	});

	it('need every column to leave a match', () => {
		const both = { ...metrics(long, [5n]), equalityIds: [1, 2] };
		expect(applies(both, metrics(long, [5n]), [1, 2])).toBe(true);
		expect(applies({ ...metrics(long, [4n]), equalityIds: [1, 2] }, metrics(long, [5n]), [1, 2])).toBe(false);
	});

	it('are not those of columns that are nested, unordered or unknown', () => {
		expect(applies(metrics(long, [1n], 20), metrics(long, [null], 20), [20])).toBe(true);
		expect(applies({}, {}, [4])).toBe(true);
		expect(applies({}, {}, [77])).toBe(true);
	});
});

describe('the key of a partition', () => {
	it('is shared by equal partitions alone', () => {
		const partitions: [number, Value[]][] = [
			[0, []],
			[1, []],
			[1, [null]],
			[1, ['']],
			[1, ['null']],
			[1, ['1']],
			[1, [1]],
			[1, [-0]],
			[1, [0]],
			[1, [NaN]],
			[1, [true]],
			[1, [Uint8Array.of(1)]],
			[1, [Uint8Array.of()]],
			[1, ['a', 'b']],
			[1, ["a;1'b"]],
			[1, ['a;1', 'b']],
		];
		const keys = partitions.map(([specId, partition]) => partitionKey(specId, partition));
		expect(new Set(keys).size).toBe(partitions.length);
		expect(partitionKey(1, [NaN, 'x', Uint8Array.of(1)])).toBe(partitionKey(1, [NaN, 'x', Uint8Array.of(1)]));
	});
});
