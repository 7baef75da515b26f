/** Taking snapshots out of a table's history. Iceberg spec: Snapshot Retention Policy. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { integerProperty, type Properties, textProperty } from '../metadata/table-properties.ts';
import type { TableRequirement, TableUpdate } from '../metadata/table-update.ts';
import type { SnapshotRef } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { ancestorsOf, MAIN_BRANCH, snapshotById } from '../spec/table-metadata-lookup.ts';
import type { Action, ActionContext, ActionResult } from './action.ts';

const MAX_SNAPSHOT_AGE = 'history.expire.max-snapshot-age-ms';
const MIN_SNAPSHOTS = 'history.expire.min-snapshots-to-keep';
const MAX_REF_AGE = 'history.expire.max-ref-age-ms';
const DEFAULT_MAX_SNAPSHOT_AGE_MS = 5 * 86_400_000;

/** Which snapshots are to go. What a branch or tag says of its own retention counts before this. */
export interface RetentionPolicy {
	/** age from which snapshots go, ms. Default: the table property `history.expire.max-snapshot-age-ms`, else 5 days */
	readonly olderThanMs?: number;
	/** newest snapshots of each branch that stay. Default: `history.expire.min-snapshots-to-keep`, else 1 */
	readonly retainLast?: number;
	/** Snapshots that go whatever their age; with them alone, only they go. */
	readonly snapshotIds?: readonly bigint[];
}

/** What goes. */
export interface Expiry {
	readonly snapshotIds: readonly bigint[];
	/** branches and tags that have outlived their `max-ref-age-ms`, or whose snapshot is gone */
	readonly refNames: readonly string[];
}

/**
 * Applies a retention policy. `main`, the snapshots that refs point at, and each branch's newest ones stay.
 * @throws `VALIDATION_FAILED` for a snapshot that is asked for by its id, but that a branch or tag points at;
 *   `INVALID_ARGUMENT` for numbers or table properties that make no sense
 */
export function planExpiry(base: TableMetadata, policy: RetentionPolicy, nowMs: number): Expiry {
	const asked = new Set(policy.snapshotIds);
	const byIdAlone =
		policy.snapshotIds !== undefined && policy.olderThanMs === undefined && policy.retainLast === undefined;
	const limits = retentionLimits(base.properties, policy);
	const refs = byIdAlone
		? Object.entries(base.refs)
		: Object.entries(base.refs).filter(([name, ref]) => isRetained(base, name, ref, limits, nowMs));
	checkUnreferenced(asked, refs);
	const refNames = Object.keys(base.refs).filter((name) => !refs.some(([kept]) => kept === name));
	const goes = (id: bigint): boolean => asked.has(id) && id !== base.currentSnapshotId;
	if (byIdAlone) {
		return { snapshotIds: base.snapshots.map((each) => each.snapshotId).filter(goes), refNames: [] };
	}
	const kept = keptSnapshots(base, refs, limits, nowMs);
	const snapshotIds = base.snapshots.map((each) => each.snapshotId).filter((id) => goes(id) || !kept.has(id));
	return { snapshotIds, refNames };
}

interface RetentionLimits {
	readonly maxSnapshotAgeMs: number;
	readonly minSnapshots: number;
	readonly maxRefAgeMs: number;
}

function retentionLimits(properties: Properties, policy: RetentionPolicy): RetentionLimits {
	const { olderThanMs, retainLast } = policy;
	if (olderThanMs !== undefined && !(olderThanMs >= 0))
		throw new IcebergError('INVALID_ARGUMENT', `olderThanMs is a number of milliseconds from 0 up, not ${olderThanMs}`);
	if (retainLast !== undefined && !(Number.isSafeInteger(retainLast) && retainLast >= 1))
		throw new IcebergError('INVALID_ARGUMENT', `retainLast is a whole number of at least 1, not ${retainLast}`);
	return {
		maxSnapshotAgeMs: olderThanMs ?? longProperty(properties, MAX_SNAPSHOT_AGE, DEFAULT_MAX_SNAPSHOT_AGE_MS),
		minSnapshots: retainLast ?? integerProperty(properties, MIN_SNAPSHOTS, 1, { min: 1 }),
		maxRefAgeMs: longProperty(properties, MAX_REF_AGE, Number.POSITIVE_INFINITY),
	};
}

/** What the table's properties ask to keep; parts that they say nothing of are absent. @throws `INVALID_ARGUMENT` */
export function explicitRetention(properties: Properties): {
	readonly minSnapshots?: number;
	readonly maxSnapshotAgeMs?: number;
} {
	const isSet = (name: string): boolean => textProperty(properties, name) !== undefined;
	return {
		...(isSet(MIN_SNAPSHOTS) ? { minSnapshots: integerProperty(properties, MIN_SNAPSHOTS, 1, { min: 1 }) } : {}),
		...(isSet(MAX_SNAPSHOT_AGE) ? { maxSnapshotAgeMs: longProperty(properties, MAX_SNAPSHOT_AGE, 0) } : {}),
	};
}

/** Other engines write the largest `long` for 'never'. */
function longProperty(properties: Properties, name: string, fallback: number): number {
	const text = textProperty(properties, name)?.trim();
	if (text !== undefined && /^\d{17,19}$/.test(text)) return Number.MAX_SAFE_INTEGER;
	return integerProperty(properties, name, fallback);
}

function isRetained(
	base: TableMetadata,
	name: string,
	ref: SnapshotRef,
	limits: RetentionLimits,
	nowMs: number,
): boolean {
	if (name === MAIN_BRANCH) return true;
	const snapshot = snapshotById(base, ref.snapshotId);
	return snapshot !== undefined && nowMs - snapshot.timestampMs <= (ref.maxRefAgeMs ?? limits.maxRefAgeMs);
}

function checkUnreferenced(asked: ReadonlySet<bigint>, refs: readonly (readonly [string, SnapshotRef])[]): void {
	for (const id of asked) {
		const names = refs.filter(([, ref]) => ref.snapshotId === id).map(([name]) => name);
		if (names.length === 0) continue;
		throw new IcebergError(
			'VALIDATION_FAILED',
			`snapshot ${id} cannot be removed: ${names.map((name) => `'${name}'`).join(', ')} points at it`,
			{ context: { snapshotId: id, refs: names } },
		);
	}
}

function keptSnapshots(
	base: TableMetadata,
	refs: readonly (readonly [string, SnapshotRef])[],
	limits: RetentionLimits,
	nowMs: number,
): ReadonlySet<bigint> {
	const kept = new Set<bigint>();
	const ofBranches = new Set<bigint>();
	if (base.currentSnapshotId !== undefined) kept.add(base.currentSnapshotId);
	const isYoung = (timestampMs: number, maxAgeMs: number): boolean => nowMs - timestampMs < maxAgeMs;
	for (const [, ref] of refs) {
		kept.add(ref.snapshotId);
		ofBranches.add(ref.snapshotId);
		if (ref.type === 'tag') continue;
		const maxAgeMs = ref.maxSnapshotAgeMs ?? limits.maxSnapshotAgeMs;
		const minSnapshots = ref.minSnapshotsToKeep ?? limits.minSnapshots;
		let count = 0;
		let ended = false;
		for (const snapshot of ancestorsOf(base, ref.snapshotId)) {
			ofBranches.add(snapshot.snapshotId);
			// Once one has gone, so do all before it: history has no holes.
			ended ||= count >= minSnapshots && !isYoung(snapshot.timestampMs, maxAgeMs);
			if (ended) continue;
			kept.add(snapshot.snapshotId);
			count++;
		}
	}
	for (const { snapshotId, timestampMs } of base.snapshots)
		if (!ofBranches.has(snapshotId) && isYoung(timestampMs, limits.maxSnapshotAgeMs)) kept.add(snapshotId);
	return kept;
}

/** Removes snapshots, and refs past their age, by a policy that is applied anew to each base. Deletes no files. */
export class RemoveSnapshotsAction implements Action {
	readonly name = 'remove snapshots';
	readonly #policy: RetentionPolicy;

	constructor(policy: RetentionPolicy) {
		this.#policy = policy;
	}

	/** Does nothing when nothing is to go. @throws as {@link planExpiry} */
	async apply(base: TableMetadata, context: ActionContext): Promise<ActionResult> {
		const { snapshotIds, refNames } = planExpiry(base, this.#policy, context.nowMs);
		const updates: TableUpdate[] = refNames.map((refName) => ({ action: 'remove-snapshot-ref', refName }));
		if (snapshotIds.length > 0) updates.push({ action: 'remove-snapshots', snapshotIds });
		// A ref that has moved meanwhile may need what was about to go.
		const requirements: TableRequirement[] = Object.entries(base.refs).map(([ref, { snapshotId }]) => ({
			type: 'assert-ref-snapshot-id',
			ref,
			snapshotId,
		}));
		return { updates, requirements: updates.length === 0 ? [] : requirements, newFiles: [] };
	}

	async committed(): Promise<void> {
		// It writes no files.
	}

	async abandoned(): Promise<void> {
		// It writes no files.
	}
}
