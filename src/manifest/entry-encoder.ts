/** Manifest entries to Avro rows of {@link manifestEntryType}. */
import type { AvroBuffer } from '../codec/avro/buffer.ts';
import { compileStructEncoder } from '../codec/avro/encoder.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { StructType, StructValue } from '../spec/types.ts';
import { EncodedMetrics } from './encoded-metrics.ts';
import type { DataFile, EntryStatus, FileContent, ManifestEntry } from './types.ts';

const STATUS_IDS: Readonly<Record<EntryStatus, number>> = { existing: 0, added: 1, deleted: 2 };
const CONTENT_IDS: Readonly<Record<FileContent, number>> = { data: 0, 'position-deletes': 1, 'equality-deletes': 2 };
/** What v1 readers are told, since the field is required there. Iceberg spec: Data File Fields, `block_size_in_bytes` */
const V1_BLOCK_SIZE_BYTES = 64 * 1024 * 1024;

/** Writes one entry; it has been checked. `snapshotId` is that of the commit, for entries without one. */
export type EncodeEntry = (buffer: AvroBuffer, entry: ManifestEntry, snapshotId: bigint | null) => void;

export function compileEntryEncoder(version: FormatVersion, partition: StructType): EncodeEntry {
	const encodePartition = compileStructEncoder(partition);
	return (buffer, entry, snapshotId) => {
		buffer.writeNumber(STATUS_IDS[entry.status]);
		const id = entry.snapshotId ?? snapshotId;
		if (version === 1) {
			buffer.writeLong(id as bigint);
		} else {
			writeOptionalLong(buffer, id);
			writeOptionalLong(buffer, entry.sequenceNumber);
			writeOptionalLong(buffer, entry.fileSequenceNumber);
		}
		writeFile(buffer, entry.file, version, encodePartition);
	};
}

function writeFile(
	buffer: AvroBuffer,
	file: DataFile,
	version: FormatVersion,
	encodePartition: (buffer: AvroBuffer, values: StructValue) => void,
): void {
	if (version >= 2) buffer.writeNumber(CONTENT_IDS[file.content]);
	buffer.writeString(file.location);
	// readers of old versions know the upper-case names alone
	buffer.writeString(file.format.toUpperCase());
	encodePartition(buffer, file.partition);
	buffer.writeNumber(file.recordCount);
	buffer.writeNumber(file.fileSizeInBytes);
	if (version === 1) buffer.writeNumber(V1_BLOCK_SIZE_BYTES);
	writeCounts(buffer, file.columnSizes);
	writeCounts(buffer, file.valueCounts);
	writeCounts(buffer, file.nullValueCounts);
	writeCounts(buffer, file.nanValueCounts);
	writeBounds(buffer, file.lowerBounds);
	writeBounds(buffer, file.upperBounds);
	writeOptionalBytes(buffer, file.keyMetadata);
	writeNumbers(buffer, file.splitOffsets);
	if (version >= 2) writeNumbers(buffer, file.equalityIds);
	writeOptionalNumber(buffer, file.content === 'position-deletes' ? undefined : file.sortOrderId);
	if (version >= 3) writeOptionalLong(buffer, file.content === 'data' ? (file.firstRowId ?? null) : null);
	if (version >= 2) writeOptionalString(buffer, file.referencedDataFile);
	if (version >= 3) {
		writeOptionalNumber(buffer, file.contentOffset);
		writeOptionalNumber(buffer, file.contentSizeInBytes);
	}
}

function writeOptionalLong(buffer: AvroBuffer, value: bigint | null): void {
	if (value === null) return buffer.writeByte(0);
	buffer.writeByte(2);
	buffer.writeLong(value);
}

function writeOptionalNumber(buffer: AvroBuffer, value: number | undefined): void {
	if (value === undefined) return buffer.writeByte(0);
	buffer.writeByte(2);
	buffer.writeNumber(value);
}

function writeOptionalString(buffer: AvroBuffer, value: string | undefined): void {
	if (value === undefined) return buffer.writeByte(0);
	buffer.writeByte(2);
	buffer.writeString(value);
}

function writeOptionalBytes(buffer: AvroBuffer, value: Uint8Array | undefined): void {
	if (value === undefined) return buffer.writeByte(0);
	buffer.writeByte(2);
	buffer.writeBytes(value);
}

function writeNumbers(buffer: AvroBuffer, values: readonly number[] | undefined): void {
	if (values === undefined) return buffer.writeByte(0);
	buffer.writeByte(2);
	if (values.length > 0) {
		buffer.writeNumber(values.length);
		for (const value of values) buffer.writeNumber(value);
	}
	buffer.writeByte(0);
}

function writeCounts(buffer: AvroBuffer, counts: ReadonlyMap<number, number> | undefined): void {
	if (counts === undefined) return buffer.writeByte(0);
	buffer.writeByte(2);
	const encoded = counts instanceof EncodedMetrics ? counts.encoded() : undefined;
	if (encoded !== undefined) return buffer.writeRaw(encoded);
	if (counts.size > 0) {
		buffer.writeNumber(counts.size);
		for (const [fieldId, count] of counts) {
			buffer.writeNumber(fieldId);
			buffer.writeNumber(count);
		}
	}
	buffer.writeByte(0);
}

function writeBounds(buffer: AvroBuffer, bounds: ReadonlyMap<number, Uint8Array> | undefined): void {
	if (bounds === undefined) return buffer.writeByte(0);
	buffer.writeByte(2);
	const encoded = bounds instanceof EncodedMetrics ? bounds.encoded() : undefined;
	if (encoded !== undefined) return buffer.writeRaw(encoded);
	if (bounds.size > 0) {
		buffer.writeNumber(bounds.size);
		for (const [fieldId, bound] of bounds) {
			buffer.writeNumber(fieldId);
			buffer.writeBytes(bound);
		}
	}
	buffer.writeByte(0);
}
