/** Tables whose maintenance a test drives step by step, over a clock that it moves. */
import { createFolderTable, openFolderTable, type OpenedTable } from '../../src/catalog/folder-table.ts';
import { decodeManifest } from '../../src/manifest/manifest.ts';
import { manifestBytes, snapshotManifests } from '../../src/scan/snapshot-manifests.ts';
import { GroupAppender } from '../../src/ingest/group-appender.ts';
import { SelfMaintenance } from '../../src/maintenance/self-maintenance.ts';
import { parsePartitionSpec } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';
import { parseSortOrder } from '../../src/spec/sort-order.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import { Table } from '../../src/table/table.ts';
import type { Committer } from '../../src/transaction/committer.ts';
import type { Clock, Random } from '../../src/util/ports.ts';
import type { Processes } from '../../src/util/process-identity.ts';
import type { FileIO } from '../../src/index.ts';
import { runs, T } from './support.ts';

/** A clock that goes when something sleeps, or when it is told to. */
export class VirtualClock implements Clock {
	#ms = 1_700_000_000_000;
	nowMs(): number {
		return Math.floor(this.#ms);
	}
	monotonicMs(): number {
		return this.#ms;
	}
	async sleep(ms: number): Promise<void> {
		this.#ms += ms;
	}
	pass(ms: number): void {
		this.#ms += ms;
	}
}

let openings = 0;

/** Repeatable: Mulberry32. Each opening draws other numbers. */
export function seeded(seed: number): Random {
	let state = seed * 7_919 + ++openings;
	const next = (): number => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
	};
	return { float: next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
}

export interface MaintainedOptions {
	readonly io: FileIO;
	readonly clock: Clock;
	readonly random?: Random;
	readonly processes?: Processes;
	readonly errors?: unknown[];
}

export interface Maintained {
	readonly table: Table;
	readonly maintenance: SelfMaintenance;
	readonly opened: OpenedTable;
	/** rows that compaction has written anew, so far */
	readonly rewritten: { rows: number };
}

export interface TableShape {
	readonly partitionBy?: readonly string[];
	readonly sortBy?: readonly string[];
	readonly properties?: Readonly<Record<string, string>>;
	readonly formatVersion?: FormatVersion;
}

export async function create(options: MaintainedOptions, shape: TableShape = {}): Promise<Maintained> {
	const { io, clock } = options;
	const opened = await createFolderTable(
		T,
		{
			schema: runs as unknown as Schema,
			partitionSpec: parsePartitionSpec(runs as unknown as Schema, shape.partitionBy ?? []),
			sortOrder: parseSortOrder(runs as unknown as Schema, shape.sortBy ?? []),
			properties: shape.properties ?? {},
			formatVersion: shape.formatVersion ?? 2,
		},
		{ io, clock, random: options.random ?? seeded(1) },
	);
	return maintained(opened, options);
}

/** Another opening of the table, as by another process. */
export async function reopen(options: MaintainedOptions): Promise<Maintained> {
	return maintained(await openFolderTable(T, { io: options.io }), options);
}

function maintained(opened: OpenedTable, options: MaintainedOptions): Maintained {
	const { clock, random = seeded(2), processes, errors } = options;
	const rewritten = { rows: 0 };
	const committer: Committer = {
		io: opened.committer.io,
		load: (signal) => opened.committer.load(signal),
		swap: async (request) => {
			const swapped = await opened.committer.swap(request);
			if (swapped.outcome === 'committed')
				for (const update of request.updates)
					if (update.action === 'add-snapshot')
						rewritten.rows += Number(update.snapshot.summary?.['deleted-records'] ?? 0);
			return swapped;
		},
	};
	const maintenance = new SelfMaintenance({
		committer,
		location: T,
		clock,
		random,
		...(processes === undefined ? {} : { processes }),
		onError: (error) => {
			if (errors === undefined) throw error;
			errors.push(error);
		},
	});
	const table = new Table({
		location: T,
		committer,
		loaded: opened.loaded,
		readOnly: false,
		clock,
		random,
		createAppender: (host) => new GroupAppender({ ...host, maintenance }),
	});
	return { table, maintenance, opened, rewritten };
}

/** Data files, manifests and manifest lists on the disk that no snapshot of the newest state reaches. */
export async function unreachable(io: FileIO): Promise<string[]> {
	const { loaded } = await openFolderTable(T, { io });
	const { metadata } = loaded;
	const reached = new Set<string>();
	for (const snapshot of metadata.snapshots) {
		reached.add(snapshot.manifestList as string);
		for (const manifest of await snapshotManifests(io, snapshot)) {
			if (reached.has(manifest.location)) continue;
			reached.add(manifest.location);
			const entries = await decodeManifest(await manifestBytes(io, manifest), manifest, metadata, { liveOnly: true });
			for (const { file } of entries) reached.add(file.location);
		}
	}
	const files: string[] = [];
	for await (const { location } of io.list(T))
		if (!location.endsWith('.json') && !location.endsWith('.text')) files.push(location);
	return files.filter((location) => !reached.has(location)).sort();
}
