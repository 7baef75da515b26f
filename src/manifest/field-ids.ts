/** Field ids of manifests and manifest lists. Iceberg spec: Manifests, Manifest Lists. */

export const ENTRY = { status: 0, snapshotId: 1, dataFile: 2, sequenceNumber: 3, fileSequenceNumber: 4 } as const;

export const FILE = {
	location: 100,
	format: 101,
	partition: 102,
	recordCount: 103,
	fileSizeInBytes: 104,
	blockSizeInBytes: 105,
	columnSizes: 108,
	valueCounts: 109,
	nullValueCounts: 110,
	lowerBounds: 125,
	upperBounds: 128,
	keyMetadata: 131,
	splitOffsets: 132,
	content: 134,
	equalityIds: 135,
	nanValueCounts: 137,
	sortOrderId: 140,
	firstRowId: 142,
	referencedDataFile: 143,
	contentOffset: 144,
	contentSizeInBytes: 145,
} as const;

export const LIST = {
	location: 500,
	length: 501,
	specId: 502,
	addedSnapshotId: 503,
	addedFilesCount: 504,
	existingFilesCount: 505,
	deletedFilesCount: 506,
	partitions: 507,
	addedRowsCount: 512,
	existingRowsCount: 513,
	deletedRowsCount: 514,
	sequenceNumber: 515,
	minSequenceNumber: 516,
	content: 517,
	keyMetadata: 519,
	firstRowId: 520,
} as const;

export const SUMMARY = { containsNull: 509, lowerBound: 510, upperBound: 511, containsNan: 518 } as const;
