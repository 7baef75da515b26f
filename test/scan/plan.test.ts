import { beforeAll, describe, expect, it } from 'vitest';
import * as build from '../../src/expr/builders.ts';
import { parseWhere } from '../../src/expr/parse-where.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { encodeManifest } from '../../src/manifest/encode-manifest.ts';
import { encodeManifestList } from '../../src/manifest/manifest-list.ts';
import type { DataFile, EntryStatus, ManifestEntry, ManifestFile } from '../../src/manifest/types.ts';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';
import { type FilePlan, planFiles, type PlanFilesOptions } from '../../src/scan/plan.ts';
import { parsePartitionSpec } from '../../src/spec/partition-spec.ts';
import { Schema } from '../../src/spec/schema.ts';
import { toBinary } from '../../src/spec/single-value.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import type { NestedField, StructValue, Type } from '../../src/spec/types.ts';

const ids = ['id', 'ts', 'region'];
function schemaWith(idType: Type, schemaId: number): Schema {
	const types: Type[] = [idType, { kind: 'timestamp' }, { kind: 'string' }];
	return new Schema({
		schemaId,
		fields: types.map((type, i): NestedField => ({ id: i + 1, name: ids[i] as string, required: false, type })),
	});
}
const oldSchema = schemaWith({ kind: 'int' }, 0);
const schema = schemaWith({ kind: 'long' }, 1);
const byDay = { ...parsePartitionSpec(schema, ['day(ts)']), specId: 0 };
const byId = { ...parsePartitionSpec(schema, ['id']), specId: 1 };
const DAY = 86_400_000_000n;

function metadataWith(currentSchemaId: number): TableMetadata {
	return {
		formatVersion: 2,
		tableUuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
		location: 'memory:/t',
		lastSequenceNumber: 3n,
		lastUpdatedMs: 0,
		lastColumnId: 3,
		schemas: [oldSchema, schema],
		currentSchemaId,
		partitionSpecs: [byDay, byId],
		defaultSpecId: 0,
		lastPartitionId: 1000,
		properties: {},
		snapshots: [],
		snapshotLog: [],
		metadataLog: [],
		sortOrders: [{ orderId: 0, fields: [] }],
		defaultSortOrderId: 0,
		refs: {},
		statistics: [],
		partitionStatistics: [],
	};
}

function file(
	location: string,
	specId: number,
	partition: StructValue,
	low: bigint,
	high: bigint,
	more: Partial<DataFile> = {},
): DataFile {
	return {
		content: 'data',
		location,
		format: 'parquet',
		specId,
		partition,
		recordCount: 10,
		fileSizeInBytes: 1_000,
		valueCounts: new Map([
			[1, 10],
			[2, 10],
		]),
		nullValueCounts: new Map([
			[1, 0],
			[2, 0],
		]),
		lowerBounds: new Map([[1, toBinary({ kind: 'long' }, low)]]),
		upperBounds: new Map([[1, toBinary({ kind: 'long' }, high)]]),
		...more,
	};
}

/** Counts what is read, and how much of it at a time. */
class CountingIO extends MemoryFileIO {
	readonly opened: string[] = [];
	atOnce = 0;
	mostAtOnce = 0;
	override input(location: string): ReturnType<FileIO['input']> {
		const input = super.input(location);
		return {
			location,
			length: () => input.length(),
			read: (offset, length) => input.read(offset, length),
			close: () => input.close(),
			readAll: async (options) => {
				this.opened.push(location);
				this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
				await new Promise((resolve) => setImmediate(resolve));
				try {
					return await input.readAll(options);
				} finally {
					this.atOnce--;
				}
			},
		};
	}
}

class Fixture {
	readonly io = new CountingIO();
	readonly manifests: ManifestFile[] = [];
	readonly metadata = metadataWith(1);

	async manifest(
		files: readonly DataFile[],
		options: { status?: EntryStatus; content?: 'data' | 'deletes'; table?: TableMetadata } = {},
	): Promise<ManifestFile> {
		const status = options.status ?? 'added';
		const entries = files.map((data): ManifestEntry => {
			const number = status === 'added' ? null : 1n;
			return { status, snapshotId: number, sequenceNumber: number, fileSequenceNumber: number, file: data };
		});
		const { bytes, manifest } = await encodeManifest(entries, {
			formatVersion: 2,
			table: options.table ?? this.metadata,
			specId: (files[0] as DataFile).specId,
			content: options.content ?? 'data',
			snapshotId: 7n,
		});
		const location = `memory:/t/metadata/m${this.manifests.length}.avro`;
		await this.io.write(location, bytes);
		this.manifests.push({ ...manifest, location });
		return { ...manifest, location };
	}

	async snapshot(): Promise<Snapshot> {
		const { bytes } = await encodeManifestList(this.manifests, {
			formatVersion: 2,
			snapshotId: 7n,
			sequenceNumber: 3n,
		});
		const manifestList = 'memory:/t/metadata/snap-7.avro';
		await this.io.write(manifestList, bytes, { overwrite: true });
		return { snapshotId: 7n, sequenceNumber: 3n, timestampMs: 0, manifestList };
	}

	async plan(
		more: Partial<PlanFilesOptions> = {},
	): Promise<{ plan: FilePlan; tasks: FileScanTask[]; names: string[] }> {
		const snapshot = await this.snapshot();
		this.io.opened.length = 0;
		const plan = planFiles({ io: this.io, metadata: this.metadata, snapshot, ...more });
		const tasks: FileScanTask[] = [];
		for await (const task of plan) tasks.push(task);
		return { plan, tasks, names: tasks.map((task) => task.file.location) };
	}
}

describe('a plan', () => {
	const fixture = new Fixture();

	beforeAll(async () => {
		for (let day = 0; day < 4; day++) {
			const low = BigInt(day * 100);
			await fixture.manifest([
				file(`d${day}-a`, 0, [day], low, low + 9n),
				file(`d${day}-b`, 0, [day], low + 10n, low + 19n),
			]);
		}
		await fixture.manifest([file('gone', 0, [0], 0n, 9n)], { status: 'deleted' });
		await fixture.manifest([file('by-id-500', 1, [500n], 500n, 500n), file('by-id-501', 1, [501n], 501n, 501n)]);
	});

	it('without a filter has every live file, and opens no manifest without one', async () => {
		const { tasks, names, plan } = await fixture.plan();
		expect(names).toEqual(['d0-a', 'd0-b', 'd1-a', 'd1-b', 'd2-a', 'd2-b', 'd3-a', 'd3-b', 'by-id-500', 'by-id-501']);
		expect(fixture.io.opened).not.toContain('memory:/t/metadata/m4.avro');
		expect(plan.report).toEqual({
			dataManifests: { total: 6, skippedEmpty: 1, skippedByPartition: 0 },
			deleteManifests: { total: 0, skippedEmpty: 0, skippedByPartition: 0 },
			dataFiles: { read: 10, planned: 10, skippedByPartition: 0, skippedByMetrics: 0 },
			deleteFiles: { read: 0, indexed: 0 },
		});
		expect(tasks[0]).toMatchObject({
			sequenceNumber: 3n,
			fileSequenceNumber: 3n,
			snapshotId: 7n,
			spec: { specId: 0 },
			residual: { op: 'true' },
			deletes: [],
		});
		expect(tasks[0]?.file.valueCounts).toBeUndefined();
	});

	it('opens only the manifests whose partitions may match', async () => {
		const { names, plan, tasks } = await fixture.plan({
			filter: build.and(build.gtEq('ts', 2n * DAY + 1n), build.lt('ts', 3n * DAY)),
		});
		expect(names).toEqual(['d2-a', 'd2-b', 'by-id-500', 'by-id-501']);
		expect(fixture.io.opened.map((location) => location.slice(location.lastIndexOf('/') + 1)).sort()).toEqual([
			'm2.avro',
			'm5.avro',
			'snap-7.avro',
		]);
		expect(plan.report.dataManifests.skippedByPartition).toBe(3);
		expect(tasks[0]?.residual).toMatchObject({ op: 'gt-eq' });
		expect(tasks[2]?.residual).toMatchObject({ op: 'and' });
	});

	it('leaves out files by metrics and by partition values, and keeps metrics of the filter alone', async () => {
		const { names, plan, tasks } = await fixture.plan({ filter: parseWhere('id = 115 or id = 501') });
		expect(names).toEqual(['d1-b', 'by-id-501']);
		expect(plan.report.dataFiles).toEqual({ read: 10, planned: 2, skippedByPartition: 1, skippedByMetrics: 7 });
		expect([...(tasks[0]?.file.lowerBounds?.keys() ?? [])]).toEqual([1]);
		expect([...(tasks[0]?.file.valueCounts?.keys() ?? [])]).toEqual([1]);
		expect(tasks[1]?.residual).toEqual({ op: 'true' });
	});

	it('gives the metrics that are asked for', async () => {
		const { tasks } = await fixture.plan({ metricsFor: new Set([2]) });
		expect([...(tasks[0]?.file.valueCounts?.keys() ?? [])]).toEqual([2]);
		const all = await fixture.plan({ metricsFor: 'all' });
		expect([...(all.tasks[0]?.file.valueCounts?.keys() ?? [])]).toEqual([1, 2]);
	});

	it('reads nothing when no row can match, or there is no snapshot', async () => {
		expect((await fixture.plan({ filter: build.alwaysFalse() })).names).toEqual([]);
		expect(fixture.io.opened).toEqual([]);
		expect((await fixture.plan({ snapshot: undefined })).names).toEqual([]);
	});

	it('refuses a filter that does not bind at once', () => {
		expect(() =>
			planFiles({ io: fixture.io, metadata: fixture.metadata, snapshot: undefined, filter: build.eq('nope', 1) }),
		).toThrow(/no column 'nope'/);
	});

	it('reads no more manifests at once than it may', async () => {
		fixture.io.mostAtOnce = 0;
		await fixture.plan({ concurrency: 2 });
		expect(fixture.io.mostAtOnce).toBe(2);
		await expect(fixture.plan({ concurrency: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});

	it('ends when it is aborted, before or midway, and when its consumer stops', async () => {
		await expect(fixture.plan({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
		const controller = new AbortController();
		const snapshot = await fixture.snapshot();
		const plan = planFiles({
			io: fixture.io,
			metadata: fixture.metadata,
			snapshot,
			signal: controller.signal,
			concurrency: 1,
		});
		const taken = async (): Promise<void> => {
			for await (const _ of plan) controller.abort();
		};
		await expect(taken()).rejects.toMatchObject({ code: 'ABORTED' });
		fixture.io.opened.length = 0;
		for await (const _ of planFiles({ io: fixture.io, metadata: fixture.metadata, snapshot, concurrency: 1 })) break;
		expect(fixture.io.opened.length).toBeLessThan(5);
	});

	it('gives the same tasks in batches', async () => {
		const { plan } = await fixture.plan();
		const single: FileScanTask[] = [];
		for await (const task of plan) single.push(task);
		const { report } = plan;
		const batches: (readonly FileScanTask[])[] = [];
		for await (const tasks of plan.batches()) batches.push(tasks);
		expect(batches.length).toBeGreaterThan(1);
		expect(batches.flat().map((task) => task.file.location)).toEqual(single.map((task) => task.file.location));
		expect(plan.report).not.toBe(report);
		expect(plan.report).toEqual(report);
	});

	it('counts anew each time', async () => {
		const { plan } = await fixture.plan();
		for await (const _ of plan) break;
		expect(plan.report.dataFiles.planned).toBeLessThan(20);
	});
});

describe('a plan of old data', () => {
	it('types partitions by the schema of the scan, before and after a promotion', async () => {
		const fixture = new Fixture();
		const before = metadataWith(0);
		await fixture.manifest([file('int-500', 1, [500], 500n, 500n), file('int-501', 1, [501], 501n, 501n)], {
			table: before,
		});
		for (const scan of [oldSchema, schema]) {
			const { names, plan } = await fixture.plan({ schema: scan, filter: build.eq('id', 501) });
			expect(names).toEqual(['int-501']);
			expect(plan.report.dataFiles.skippedByPartition).toBe(1);
		}
	});

	it('takes snapshots that list their manifests themselves', async () => {
		const fixture = new Fixture();
		const { location } = await fixture.manifest([file('a', 0, [1], 0n, 9n), file('b', 0, [2], 0n, 9n)]);
		const snapshot: Snapshot = { snapshotId: 7n, sequenceNumber: 0n, timestampMs: 0, manifests: [location] };
		const { names, tasks } = await fixture.plan({ snapshot, filter: build.lt('ts', 2n * DAY) });
		expect(names).toEqual(['a']);
		expect(tasks[0]?.sequenceNumber).toBe(0n);
	});
});

describe('deletes in a plan', () => {
	it('come with the files that they apply to, and are left out with their partitions', async () => {
		const fixture = new Fixture();
		await fixture.manifest([file('d1', 0, [1], 0n, 9n), file('d2', 0, [2], 0n, 9n)], { status: 'existing' });
		const deletes = (location: string, day: number, content: DataFile['content'], more: Partial<DataFile>): DataFile =>
			file(location, 0, [day], 0n, 0n, { content, ...more });
		await fixture.manifest(
			[deletes('eq-1', 1, 'equality-deletes', { equalityIds: [1] }), deletes('pos-1', 1, 'position-deletes', {})],
			{
				content: 'deletes',
			},
		);
		await fixture.manifest([deletes('pos-2', 2, 'position-deletes', {})], { content: 'deletes' });
		const all = await fixture.plan();
		expect(all.tasks.map((task) => task.deletes.map((found) => found.location))).toEqual([
			['eq-1', 'pos-1'],
			['pos-2'],
		]);
		expect(all.plan.report.deleteFiles).toEqual({ read: 3, indexed: 3 });
		const one = await fixture.plan({ filter: build.gtEq('ts', 2n * DAY) });
		expect(one.tasks.map((task) => task.deletes.map((found) => found.location))).toEqual([['pos-2']]);
		expect(one.plan.report.deleteManifests).toEqual({ total: 2, skippedEmpty: 0, skippedByPartition: 1 });
	});
});

describe('what cannot be planned is refused', () => {
	async function refusal(
		change: (manifest: ManifestFile) => ManifestFile,
		snapshotOf?: (snapshot: Snapshot) => Snapshot,
	): Promise<unknown> {
		const fixture = new Fixture();
		await fixture.manifest([file('a', 0, [1], 0n, 9n)]);
		fixture.manifests[0] = change(fixture.manifests[0] as ManifestFile);
		const snapshot = await fixture.snapshot();
		return fixture
			.plan(snapshotOf === undefined ? {} : { snapshot: snapshotOf(snapshot) })
			.catch((error: unknown) => error);
	}
	const same = (manifest: ManifestFile): ManifestFile => manifest;

	it('a spec that the table lacks', async () => {
		expect(await refusal((manifest) => ({ ...manifest, specId: 9 }))).toMatchObject({ code: 'CORRUPT' });
	});
	it('an encrypted manifest or manifest list', async () => {
		expect(await refusal((manifest) => ({ ...manifest, keyMetadata: Uint8Array.of(1) }))).toMatchObject({
			code: 'UNSUPPORTED',
		});
		expect(await refusal(same, (snapshot) => ({ ...snapshot, keyId: 'k' }))).toMatchObject({ code: 'UNSUPPORTED' });
	});
	it('a manifest or list that is not there', async () => {
		expect(await refusal((manifest) => ({ ...manifest, location: 'memory:/t/nowhere.avro' }))).toMatchObject({
			code: 'NOT_FOUND',
		});
		expect(await refusal(same, (snapshot) => ({ ...snapshot, manifestList: 'memory:/t/nowhere.avro' }))).toMatchObject({
			code: 'NOT_FOUND',
		});
	});
	it('a snapshot without manifests', async () => {
		const bare: Snapshot = { snapshotId: 7n, sequenceNumber: 0n, timestampMs: 0 };
		expect(await refusal(same, () => bare)).toMatchObject({ code: 'CORRUPT' });
	});
});
