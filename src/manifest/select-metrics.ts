/** Metrics maps of a row that was just read: lazy, chosen, or none. */
import type { AvroCursor } from '../codec/avro/cursor.ts';
import { EncodedBounds, EncodedCounts } from './encoded-metrics.ts';
import { FIRST_BOUNDS, type RawEntry } from './raw-entry.ts';

/** Metrics to decode: all (lazily), none, or those of some fields. */
export type MetricsSelection = ReadonlySet<number> | 'all' | 'none';

/**
 * The metrics of the row just read, by the index in {@link METRICS_FIELDS}. `metrics` is a cursor over the same block that
 * lazy maps hold on to.
 */
export function metricsOf(
	raw: RawEntry,
	index: number,
	selection: MetricsSelection,
	metrics: AvroCursor,
): ReadonlyMap<number, number> | ReadonlyMap<number, Uint8Array> | undefined {
	const start = raw.metricsStart[index] as number;
	if (start < 0 || selection === 'none') return undefined;
	const end = raw.metricsEnd[index] as number;
	const bounds = index >= FIRST_BOUNDS;
	if (selection === 'all') {
		return bounds ? new EncodedBounds(metrics, start, end) : new EncodedCounts(metrics, start, end);
	}
	metrics.position = start;
	metrics.end = end;
	return bounds ? selectBounds(metrics, selection) : selectCounts(metrics, selection);
}

/** shared by all files that have none of the wanted ids */
const NO_COUNTS: ReadonlyMap<number, number> = new Map();
const NO_BOUNDS: ReadonlyMap<number, Uint8Array> = new Map();

function selectCounts(cursor: AvroCursor, fieldIds: ReadonlySet<number>): ReadonlyMap<number, number> {
	let selected = NO_COUNTS;
	for (let count = cursor.readBlockCount(2); count > 0; count = cursor.readBlockCount(2)) {
		for (let i = 0; i < count; i++) {
			const id = cursor.readInt();
			if (!fieldIds.has(id)) {
				cursor.skipLong();
				continue;
			}
			if (selected === NO_COUNTS) selected = new Map();
			(selected as Map<number, number>).set(id, cursor.readSafeLong());
		}
	}
	return selected;
}

function selectBounds(cursor: AvroCursor, fieldIds: ReadonlySet<number>): ReadonlyMap<number, Uint8Array> {
	let selected = NO_BOUNDS;
	for (let count = cursor.readBlockCount(2); count > 0; count = cursor.readBlockCount(2)) {
		for (let i = 0; i < count; i++) {
			const id = cursor.readInt();
			if (!fieldIds.has(id)) {
				cursor.skipBytes();
				continue;
			}
			if (selected === NO_BOUNDS) selected = new Map();
			(selected as Map<number, Uint8Array>).set(id, cursor.readBytes());
		}
	}
	return selected;
}
