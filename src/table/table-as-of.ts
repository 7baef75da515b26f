import type { DataFile, ManifestFile } from '../manifest/types.ts';
import type { Row, RowInput } from '../spec/row-types.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { type CallOptions, within } from '../util/deadline.ts';
import type { Clock } from '../util/ports.ts';
import { CALL_KEYS, checkOptions } from './check-options.ts';
import type { ScanOptions, SelectableRow } from './scan-options.ts';
import type * as StateReads from './state-reads.ts';
import { TableScan } from './table-scan.ts';
import type { SnapshotSelector, TableState } from './table-source.ts';

/** Where to travel to: exactly one key. */
export interface TimeTravelTarget {
	readonly snapshotId?: bigint | number | string;
	/** milliseconds since 1970, or a `Date` */
	readonly timestampMs?: number | Date;
	/** a branch or tag */
	readonly ref?: string;
}

/** A table as it was at one snapshot. It stays so, whatever is committed. */
export class TableAsOf<Out = Row> {
	/** undefined: the table had no snapshot */
	readonly snapshot: Snapshot | undefined;
	readonly schema: Schema<RowInput, Out>;
	readonly #state: TableState & { readonly clock: Clock };
	/** Resolved against `#state`, which never changes, it names the same snapshot and schema each time. */
	readonly #selector: SnapshotSelector;

	/** Not for users: it comes from `table.timeTravel()`. */
	constructor(
		state: TableState & { readonly clock: Clock },
		snapshot: Snapshot | undefined,
		schema: Schema<RowInput, Out>,
		selector: SnapshotSelector,
	) {
		this.#state = state;
		this.snapshot = snapshot;
		this.schema = schema;
		this.#selector = selector;
	}

	/** As {@link Table.scan}, of this state. */
	scan<const K extends keyof SelectableRow<Out> & string>(
		options: TimelessScanOptions & { readonly select: readonly K[] },
	): TableScan<Pick<SelectableRow<Out>, K>>;
	scan(options?: TimelessScanOptions): TableScan<Out>;
	scan(options: TimelessScanOptions = {}): TableScan<Out> {
		const { metadata, clock } = this.#state;
		const source = { location: metadata.location, clock, state: async () => this.#state };
		return new TableScan<Out>(source, { ...options, ...this.#selector });
	}

	/** As {@link Table.manifests}, of this state. */
	async manifests(options: CallOptions = {}): Promise<readonly ManifestFile[]> {
		return this.#read('manifests', options, (reads, ...state) => reads.manifestsOf(...state));
	}

	/** As {@link Table.dataFiles}, of this state. */
	async dataFiles(options: CallOptions = {}): Promise<readonly DataFile[]> {
		return this.#read('dataFiles', options, (reads, ...state) => reads.dataFilesOf(...state));
	}

	/** As {@link Table.rowCount}, of this state. */
	async rowCount(options: CallOptions = {}): Promise<number> {
		return this.#read('rowCount', options, (reads, ...state) => reads.rowCountOf(...state));
	}

	async #read<T>(
		name: string,
		options: CallOptions,
		read: (reads: typeof StateReads, ...of: StateReads.StateRead) => Promise<T>,
	): Promise<T> {
		checkOptions(name, options, CALL_KEYS);
		const { metadata, clock } = this.#state;
		return within({ name: `${name} of ${metadata.location}`, effect: 'none', clock }, options, async (signal) =>
			read(await import('./state-reads.ts'), this.#state, this.#selector, signal),
		);
	}
}

/** {@link ScanOptions} where the snapshot is given already. */
export type TimelessScanOptions = Omit<ScanOptions, keyof SnapshotSelector>;
