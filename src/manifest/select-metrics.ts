/** Metrics maps of a row that was just read: all, chosen, or none. */
import { AvroCursor } from '../codec/avro/cursor.ts';
import { EncodedBounds, EncodedCounts } from './encoded-metrics.ts';
import { FIRST_BOUNDS, type RawEntry } from './raw-entry.ts';

/** Metrics to give an entry: all, none, or those of some fields. */
export type MetricsSelection = ReadonlySet<number> | 'all' | 'none';

/** Bytes that hold metrics of a row; positions of the row are `offset` higher than in `cursor`. */
export interface MetricsBytes {
	readonly cursor: AvroCursor;
	readonly offset: number;
}

/**
 * A copy of the bytes of a row's metrics alone, so that a file that is kept does not hold on to the whole block;
 * `undefined` when there are none. `block` is a cursor over the block.
 */
export function copyMetrics(raw: RawEntry, block: AvroCursor): MetricsBytes | undefined {
	let start = Number.POSITIVE_INFINITY;
	let end = 0;
	for (let i = 0; i < raw.metricsStart.length; i++) {
		const mapStart = raw.metricsStart[i] as number;
		if (mapStart < 0) continue;
		start = Math.min(start, mapStart);
		end = Math.max(end, raw.metricsEnd[i] as number);
	}
	if (end === 0) return undefined;
	const bytes = new Uint8Array(end - start);
	bytes.set(block.bytes.subarray(start, end));
	return { cursor: new AvroCursor(bytes, block.location, 'metrics byte'), offset: start };
}

/** The map of a row by its index in `METRICS_FIELDS`; `wanted` are the ids that it is to have, `undefined` for all. */
export function metricsOf(
	raw: RawEntry,
	index: number,
	bytes: MetricsBytes,
	wanted: ReadonlySet<number> | undefined,
): ReadonlyMap<number, number> | ReadonlyMap<number, Uint8Array> | undefined {
	const start = raw.metricsStart[index] as number;
	if (start < 0) return undefined;
	const from = start - bytes.offset;
	const to = (raw.metricsEnd[index] as number) - bytes.offset;
	return index >= FIRST_BOUNDS
		? new EncodedBounds(bytes.cursor, from, to, wanted)
		: new EncodedCounts(bytes.cursor, from, to, wanted);
}
