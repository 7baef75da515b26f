/** Thinning a table's history: all of the newest snapshots, ever fewer of the older ones, back to the first. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { thinningProperties } from '../metadata/maintenance-properties.ts';
import type { Properties } from '../metadata/table-properties.ts';
import type { TableUpdate } from '../metadata/table-update.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { Action, ActionContext, ActionResult } from './action.ts';
import { planThinning } from './thin-history-plan.ts';

/** Commits, about, between two looks at the history. A prime, so that commits of several snapshots do not pass it by. */
const COMMITS_BETWEEN_LOOKS = 7;
/** Snapshots to be removed, as a share of those that stay, from which on removing them is worth it. */
const LEAST_SHARE = 0.1;

/**
 * Removes snapshots that a thinned history does not have; see {@link planThinning}. Meant to ride along in the commit of
 * another action, behind it: mostly there is nothing to do, which is found out by looking at two numbers. Files are left
 * alone: {@link removed} tells whose may be deleted.
 */
export class ThinHistoryAction implements Action {
	readonly name = 'thin history';
	readonly #keepNewest: number;
	readonly #force: boolean;
	#planned: readonly Snapshot[] = [];
	#removed: readonly Snapshot[] = [];

	/** @param options.force look, and remove what is too much, however little it is */
	constructor(options: { readonly keepNewest: number; readonly force?: boolean }) {
		this.#keepNewest = options.keepNewest;
		this.#force = options.force === true;
	}

	/** What the commit removed; empty before it is committed. */
	get removed(): readonly Snapshot[] {
		return this.#removed;
	}

	/** Does nothing where too little is to go, and where what is to be kept cannot be told. */
	async apply(base: TableMetadata, context: ActionContext): Promise<ActionResult> {
		this.#planned = this.#isDue(base) ? this.#plan(base, context.nowMs) : [];
		const snapshotIds = this.#planned.map(({ snapshotId }) => snapshotId);
		const updates: TableUpdate[] = snapshotIds.length === 0 ? [] : [{ action: 'remove-snapshots', snapshotIds }];
		return { updates, requirements: [], newFiles: [] };
	}

	async committed(): Promise<void> {
		this.#removed = this.#planned;
	}

	async abandoned(): Promise<void> {
		this.#planned = [];
	}

	#isDue(base: TableMetadata): boolean {
		if (base.snapshots.length <= this.#keepNewest) return false;
		if (this.#force) return true;
		const count = base.formatVersion === 1 ? BigInt(base.snapshots.length) : base.lastSequenceNumber;
		return count % BigInt(COMMITS_BETWEEN_LOOKS) === 0n;
	}

	#plan(base: TableMetadata, nowMs: number): readonly Snapshot[] {
		try {
			const removed = planThinning(base, this.#keepNewest, nowMs);
			const kept = base.snapshots.length - removed.length;
			return this.#force || removed.length >= kept * LEAST_SHARE ? removed : [];
		} catch (error) {
			// Retention properties that make no sense are no reason to refuse an append, nor to remove anything.
			if (error instanceof IcebergError && error.code === 'INVALID_ARGUMENT') return [];
			throw error;
		}
	}
}

/**
 * The action that thins a table's history as its properties say, to be added behind those of an append; `undefined` where
 * they say that it stays as it is, or make no sense.
 */
export function thinHistoryAction(properties: Properties): ThinHistoryAction | undefined {
	try {
		const { enabled, keepNewest } = thinningProperties(properties);
		return enabled ? new ThinHistoryAction({ keepNewest }) : undefined;
	} catch (error) {
		if (error instanceof IcebergError && error.code === 'INVALID_ARGUMENT') return undefined;
		throw error;
	}
}
