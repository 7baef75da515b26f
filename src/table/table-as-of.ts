import type { DataFile, ManifestFile } from '../manifest/types.ts';
import type { Row, RowInput } from '../spec/row-types.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { ScanOptions, SelectableRow } from './scan-options.ts';
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
	readonly #state: TableState;
	/** Resolved against `#state`, which never changes, it names the same snapshot and schema each time. */
	readonly #selector: SnapshotSelector;

	/** Not for users: it comes from `table.timeTravel()`. */
	constructor(
		state: TableState,
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
		return new TableScan<Out>(async () => this.#state, { ...options, ...this.#selector });
	}

	/** As {@link Table.manifests}, of this state. */
	async manifests(): Promise<readonly ManifestFile[]> {
		const { manifestsOf } = await import('./state-reads.ts');
		return manifestsOf(this.#state, this.#selector);
	}

	/** As {@link Table.dataFiles}, of this state. */
	async dataFiles(): Promise<readonly DataFile[]> {
		const { dataFilesOf } = await import('./state-reads.ts');
		return dataFilesOf(this.#state, this.#selector);
	}

	/** As {@link Table.rowCount}, of this state. */
	async rowCount(): Promise<number> {
		const { rowCountOf } = await import('./state-reads.ts');
		return rowCountOf(this.#state, this.#selector);
	}
}

/** {@link ScanOptions} where the snapshot is given already. */
export type TimelessScanOptions = Omit<ScanOptions, keyof SnapshotSelector>;
