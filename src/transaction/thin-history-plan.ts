/** Which snapshots a thinned history has. Pure. Iceberg spec: Snapshot Retention Policy. */
import type { Snapshot, SnapshotRef } from '../spec/snapshot.ts';
import { ancestorsOf, MAIN_BRANCH } from '../spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { explicitRetention } from './remove-snapshots.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** One snapshot in `everyMs` stays while it is younger than `youngerThanMs`. Each span is a multiple of the one before. */
const LEVELS: readonly { readonly youngerThanMs: number; readonly everyMs: number }[] = [
	{ youngerThanMs: 5 * SECOND_MS, everyMs: SECOND_MS },
	{ youngerThanMs: MINUTE_MS, everyMs: 15 * SECOND_MS },
	{ youngerThanMs: 15 * MINUTE_MS, everyMs: MINUTE_MS },
	{ youngerThanMs: DAY_MS, everyMs: HOUR_MS },
	{ youngerThanMs: 30 * DAY_MS, everyMs: DAY_MS },
];
/** Beyond the last level ages double, and the span with them: four snapshots, about, for each doubling. */
const FIRST_LONG_AGE_MS = 30 * DAY_MS;
const FIRST_LONG_SPAN_MS = 8 * DAY_MS;
/** Age up to which a staged snapshot that no branch has yet may still be published. */
const STAGED_AGE_MS = 5 * DAY_MS;
const STAGED_KEY = 'wap.id';

/**
 * The snapshots that a thinned history lacks, in the order of the table's. Of each branch stay: the newest `keepNewest`, and
 * as many, or as young ones, as its own retention or the table's `history.expire.*` asks for, where they ask; of those
 * before, the first of each second for 5 seconds, of each 15 for a minute, of each minute for 15, of each hour for a day, of each
 * day for 30 days, then ever fewer; so the first of all stays. What a branch or tag points at stays, and so does what was
 * staged lately.
 *
 * What stays once a plan is carried out is what a later plan finds there: thinning often or rarely gives the same history.
 * @throws `INVALID_ARGUMENT` for retention properties that make no sense
 */
export function planThinning(base: TableMetadata, keepNewest: number, nowMs: number): readonly Snapshot[] {
	const asked = explicitRetention(base.properties);
	const kept = new Set<bigint>();
	if (base.currentSnapshotId !== undefined) kept.add(base.currentSnapshotId);
	for (const { snapshotId } of Object.values(base.refs)) kept.add(snapshotId);
	for (const { ref, newestFirst } of linesOf(base)) {
		const count = Math.max(keepNewest, ref?.minSnapshotsToKeep ?? asked.minSnapshots ?? 0);
		const maxAgeMs = ref?.maxSnapshotAgeMs ?? asked.maxSnapshotAgeMs ?? 0;
		newestFirst.forEach(({ snapshotId, timestampMs, summary }, i) => {
			const ageMs = nowMs - timestampMs;
			const isStaged = summary?.[STAGED_KEY] !== undefined && ageMs < STAGED_AGE_MS;
			if (i < count || ageMs < maxAgeMs || isStaged) kept.add(snapshotId);
		});
		keepFirstOfSpans(newestFirst, nowMs, kept);
	}
	return base.snapshots.filter(({ snapshotId }) => !kept.has(snapshotId));
}

interface Line {
	/** undefined: no branch has these snapshots any more, or they stand before a gap in its history */
	readonly ref: SnapshotRef | undefined;
	readonly newestFirst: readonly Snapshot[];
}

/**
 * Each snapshot in one line: that of the branch that has it, `main` first. What no branch reaches goes with `main`: before a
 * gap that thinning made, parents are not known any more.
 */
function linesOf(base: TableMetadata): Line[] {
	const rest = new Map(base.snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]));
	const lineOf = (snapshotId: bigint | undefined): Snapshot[] => {
		const line: Snapshot[] = [];
		for (const snapshot of ancestorsOf(base, snapshotId)) {
			// From here on it is another branch's.
			if (!rest.delete(snapshot.snapshotId)) break;
			line.push(snapshot);
		}
		return line;
	};
	const main = lineOf(base.currentSnapshotId);
	const others: Line[] = [];
	for (const [name, ref] of Object.entries(base.refs))
		if (name !== MAIN_BRANCH && ref.type === 'branch') others.push({ ref, newestFirst: lineOf(ref.snapshotId) });
	return [{ ref: base.refs[MAIN_BRANCH], newestFirst: [...main, ...[...rest.values()].reverse()] }, ...others];
}

function keepFirstOfSpans(newestFirst: readonly Snapshot[], nowMs: number, kept: Set<bigint>): void {
	const seen = new Set<string>();
	// Of those of one instant the oldest comes first.
	const oldestFirst = newestFirst.toReversed().sort((a, b) => a.timestampMs - b.timestampMs);
	for (const { snapshotId, timestampMs } of oldestFirst) {
		const everyMs = spanMs(nowMs - timestampMs);
		const span = `${everyMs}:${Math.floor(timestampMs / everyMs)}`;
		if (seen.has(span)) continue;
		seen.add(span);
		kept.add(snapshotId);
	}
}

/** How long a span is of which one snapshot stays, for snapshots of an age. */
function spanMs(ageMs: number): number {
	for (const { youngerThanMs, everyMs } of LEVELS) if (ageMs < youngerThanMs) return everyMs;
	let spanOfAge = FIRST_LONG_SPAN_MS;
	for (let age = FIRST_LONG_AGE_MS * 2; ageMs >= age; age *= 2) spanOfAge *= 2;
	return spanOfAge;
}
