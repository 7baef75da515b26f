/** A row of a manifest as it stands in the file. */
import type { StructValue } from '../spec/types.ts';
import { FILE } from './field-ids.ts';

/** Six maps in the order of {@link METRICS_FIELDS}; where each stands in the block. */
export const METRICS_FIELDS = [
	FILE.columnSizes,
	FILE.valueCounts,
	FILE.nullValueCounts,
	FILE.nanValueCounts,
	FILE.lowerBounds,
	FILE.upperBounds,
] as const;
const METRICS_COUNT = METRICS_FIELDS.length;
/** from this index on, maps are of bounds, before it of counts */
export const FIRST_BOUNDS = 4;

/** One row as it stands in the file; reused from row to row. `undefined` stands for null and for a missing field. */
export interface RawEntry {
	status: number;
	snapshotId: bigint | undefined;
	sequenceNumber: bigint | undefined;
	fileSequenceNumber: bigint | undefined;
	content: number;
	location: string | undefined;
	format: string | undefined;
	partition: StructValue | undefined;
	recordCount: number;
	fileSizeInBytes: number;
	keyMetadata: Uint8Array | undefined;
	splitOffsets: number[] | undefined;
	equalityIds: number[] | undefined;
	sortOrderId: number | undefined;
	firstRowId: bigint | undefined;
	referencedDataFile: string | undefined;
	contentOffset: number | undefined;
	contentSizeInBytes: number | undefined;
	/** start of each metrics map; -1 when there is none */
	readonly metricsStart: Int32Array;
	readonly metricsEnd: Int32Array;
}

export function newRawEntry(): RawEntry {
	return {
		status: -1,
		snapshotId: undefined,
		sequenceNumber: undefined,
		fileSequenceNumber: undefined,
		content: 0,
		location: undefined,
		format: undefined,
		partition: undefined,
		recordCount: -1,
		fileSizeInBytes: -1,
		keyMetadata: undefined,
		splitOffsets: undefined,
		equalityIds: undefined,
		sortOrderId: undefined,
		firstRowId: undefined,
		referencedDataFile: undefined,
		contentOffset: undefined,
		contentSizeInBytes: undefined,
		metricsStart: new Int32Array(METRICS_COUNT).fill(-1),
		metricsEnd: new Int32Array(METRICS_COUNT),
	};
}

/** What a null or missing field leaves behind from the row before must go. */
export function clearRawEntry(raw: RawEntry): void {
	raw.status = -1;
	raw.snapshotId = undefined;
	raw.sequenceNumber = undefined;
	raw.fileSequenceNumber = undefined;
	raw.content = 0;
	raw.location = undefined;
	raw.format = undefined;
	raw.partition = undefined;
	raw.recordCount = -1;
	raw.fileSizeInBytes = -1;
	raw.keyMetadata = undefined;
	raw.splitOffsets = undefined;
	raw.equalityIds = undefined;
	raw.sortOrderId = undefined;
	raw.firstRowId = undefined;
	raw.referencedDataFile = undefined;
	raw.contentOffset = undefined;
	raw.contentSizeInBytes = undefined;
	raw.metricsStart.fill(-1);
}
