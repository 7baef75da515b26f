/** Tables, files and entries for manifest tests. */
import type { ManifestWriteContext } from '../../src/manifest/manifest-writer.ts';
import type { ManifestTable } from '../../src/manifest/partition-type.ts';
import type { DataFile, ManifestEntry, ManifestFile } from '../../src/manifest/types.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import { Schema } from '../../src/spec/schema.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import type { Type } from '../../src/spec/types.ts';

export const SNAPSHOT_ID = 7_486_906_181_137_219_095n;

/** One column a type, each an identity partition field. */
export function tableOf(types: readonly Type[]): ManifestTable {
	const schema = new Schema({
		schemaId: 3,
		fields: types.map((type, i) => ({ id: i + 1, name: `c${i + 1}`, required: false, type })),
	});
	const spec: PartitionSpec = {
		specId: 2,
		fields: types.map((_, i) => ({
			sourceId: i + 1,
			fieldId: 1000 + i,
			name: `p ${i + 1}`,
			transform: { kind: 'identity' },
		})),
	};
	return { partitionSpecs: [{ specId: 0, fields: [] }, spec], schemas: [schema], currentSchemaId: 3 };
}

export const LONGS: ManifestTable = tableOf([{ kind: 'long' }]);

export function fileOf(change: Partial<DataFile> = {}): DataFile {
	return {
		content: 'data',
		location: 'file:///warehouse/t/data/00000.parquet',
		format: 'parquet',
		specId: 2,
		partition: [5n],
		recordCount: 10,
		fileSizeInBytes: 1234,
		...change,
	};
}

export function added(change: Partial<DataFile> = {}): ManifestEntry {
	return { status: 'added', snapshotId: null, sequenceNumber: null, fileSequenceNumber: null, file: fileOf(change) };
}

export function existing(sequenceNumber: bigint, change: Partial<DataFile> = {}): ManifestEntry {
	return {
		status: 'existing',
		snapshotId: 1n,
		sequenceNumber,
		fileSequenceNumber: sequenceNumber,
		file: fileOf(change),
	};
}

export function deleted(sequenceNumber: bigint, change: Partial<DataFile> = {}): ManifestEntry {
	return { ...existing(sequenceNumber, change), status: 'deleted' };
}

export function contextOf(
	formatVersion: FormatVersion,
	change: Partial<ManifestWriteContext> = {},
): ManifestWriteContext {
	return { formatVersion, table: LONGS, specId: 2, content: 'data', snapshotId: SNAPSHOT_ID, ...change };
}

/** The row of a manifest as a list of sequence number 9 would have it. */
export function listed(manifest: Omit<ManifestFile, 'location'>, change: Partial<ManifestFile> = {}): ManifestFile {
	return {
		...manifest,
		location: 'file:///warehouse/t/metadata/m0.avro',
		sequenceNumber: 9n,
		minSequenceNumber: 9n,
		...change,
	};
}
