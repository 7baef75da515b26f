/** From decoded rows to entries that have inherited what their manifest gives them. */
import { type AvroBlock, checkBlockEnd } from '../codec/avro/container-reader.ts';
import { AvroCursor } from '../codec/avro/cursor.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { StructValue } from '../spec/types.ts';
import { newRawEntry, type RawEntry } from './raw-entry.ts';
import { copyMetrics, type MetricsBytes, type MetricsSelection, metricsOf } from './select-metrics.ts';
import type {
	DataFile,
	EntryStatus,
	FileContent,
	FileFormat,
	FileMetrics,
	ManifestEntry,
	ManifestFile,
} from './types.ts';

export interface DecodeManifestOptions {
	/**
	 * Column metrics to give the files; all are decoded when they are looked at. `all` (default) holds on to the manifest's
	 * expanded bytes; a set of field ids gives the metrics of those alone and holds on to each file's own; `none`
	 * leaves the maps out.
	 */
	readonly metricsFor?: MetricsSelection;
	/** Leave out entries of status `deleted`. Default false. */
	readonly liveOnly?: boolean;
	/** Asked before anything of an entry is built; false leaves it out. */
	readonly partitionFilter?: (partition: StructValue) => boolean;
	/**
	 * Asked of each entry before metrics are copied; false leaves it out. It must not keep the entry: that has the metrics
	 * of {@link metricsFor}, but in the manifest's bytes.
	 */
	readonly entryFilter?: (entry: ManifestEntry) => boolean;
}

const STATUSES: readonly EntryStatus[] = ['existing', 'added', 'deleted'];
const CONTENTS: readonly FileContent[] = ['data', 'position-deletes', 'equality-deletes'];
const FORMATS: ReadonlySet<string> = new Set<FileFormat>(['parquet', 'avro', 'orc', 'puffin']);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Collects the entries of one manifest, block by block. */
export class EntryBuilder {
	readonly entries: ManifestEntry[] = [];
	readonly #manifest: ManifestFile;
	readonly #metricsFor: MetricsSelection;
	/** the fields whose metrics are copied; `undefined`: none are */
	readonly #wanted: ReadonlySet<number> | undefined;
	readonly #liveOnly: boolean;
	readonly #partitionFilter: DecodeManifestOptions['partitionFilter'];
	readonly #entryFilter: DecodeManifestOptions['entryFilter'];
	readonly #raw = newRawEntry();
	#metrics: MetricsBytes | undefined;
	readonly #formats = new Map<string, FileFormat>();
	#nextRowId: bigint | undefined;

	constructor(manifest: ManifestFile, options: DecodeManifestOptions) {
		this.#manifest = manifest;
		this.#metricsFor = options.metricsFor ?? 'all';
		this.#wanted = typeof this.#metricsFor === 'string' ? undefined : this.#metricsFor;
		this.#liveOnly = options.liveOnly ?? false;
		this.#partitionFilter = options.partitionFilter;
		this.#entryFilter = options.entryFilter;
		this.#nextRowId = manifest.content === 'data' ? manifest.firstRowId : undefined;
	}

	decode(block: AvroBlock, read: (cursor: AvroCursor, raw: RawEntry) => void): void {
		const { cursor } = block;
		const raw = this.#raw;
		for (let i = 0; i < block.count; i++) {
			const start = cursor.position;
			read(cursor, raw);
			const status = STATUSES[raw.status];
			if (status === undefined) throw cursor.corrupt(`an entry of status ${raw.status}`, start);
			const firstRowId = this.#firstRowId(raw, status);
			const { partition } = raw;
			if (partition === undefined) throw cursor.corrupt('an entry without a file', start);
			if (this.#liveOnly && status === 'deleted') continue;
			if (this.#partitionFilter !== undefined && !this.#partitionFilter(partition)) continue;
			const file = this.#file(raw, partition, firstRowId, cursor, start);
			const entry: ManifestEntry = {
				status,
				snapshotId: raw.snapshotId ?? this.#manifest.addedSnapshotId,
				sequenceNumber: this.#sequenceNumber(raw, status, cursor, start),
				fileSequenceNumber: raw.fileSequenceNumber ?? this.#inherited(status),
				file,
			};
			const wanted = this.#wanted;
			if (this.#metricsFor === 'all' || (wanted !== undefined && this.#entryFilter !== undefined))
				addMetrics(file, raw, this.#metricsIn(cursor), wanted);
			if (this.#entryFilter !== undefined && !this.#entryFilter(entry)) continue;
			if (wanted !== undefined) addMetrics(file, raw, copyMetrics(raw, cursor), wanted);
			this.entries.push(entry);
		}
		checkBlockEnd(block);
	}

	/** Blocks that share their bytes share a cursor. */
	#metricsIn({ bytes, location }: AvroCursor): MetricsBytes {
		if (this.#metrics?.cursor.bytes !== bytes)
			this.#metrics = { cursor: new AvroCursor(bytes, location, 'metrics byte'), offset: 0 };
		return this.#metrics;
	}

	/** Ids are assigned to each live data file without one, in order, also where an entry is then left out. */
	#firstRowId(raw: RawEntry, status: EntryStatus): bigint | undefined {
		// rows of snapshots from before v3 have no ids, whatever stands in the file
		if (this.#nextRowId === undefined) return undefined;
		if (raw.firstRowId !== undefined || status === 'deleted') return raw.firstRowId;
		const assigned = this.#nextRowId;
		this.#nextRowId += BigInt(raw.recordCount);
		return assigned;
	}

	#sequenceNumber(raw: RawEntry, status: EntryStatus, cursor: AvroCursor, start: number): bigint | null {
		const sequenceNumber = raw.sequenceNumber ?? this.#inherited(status);
		if (sequenceNumber === null && status === 'existing') {
			throw cursor.corrupt('an existing file without a sequence number', start);
		}
		return sequenceNumber;
	}

	/** Only added files inherit; in v1 manifests, known by sequence number 0, all do. */
	#inherited(status: EntryStatus): bigint | null {
		const { sequenceNumber } = this.#manifest;
		return status === 'added' || sequenceNumber === 0n ? sequenceNumber : null;
	}

	#file(
		raw: RawEntry,
		partition: StructValue,
		firstRowId: bigint | undefined,
		cursor: AvroCursor,
		start: number,
	): Mutable<DataFile> {
		const content = CONTENTS[raw.content];
		if (content === undefined || (content === 'data') !== (this.#manifest.content === 'data')) {
			throw cursor.corrupt(`a file of content ${raw.content} in a manifest of ${this.#manifest.content}`, start);
		}
		const { location, format } = raw;
		if (location === undefined || format === undefined || raw.recordCount < 0 || raw.fileSizeInBytes < 0) {
			throw cursor.corrupt('a file without its path, format, record count or size', start);
		}
		const file: Mutable<DataFile> = {
			content,
			location,
			format: this.#formats.get(format) ?? this.#format(format, location),
			specId: this.#manifest.specId,
			partition,
			recordCount: raw.recordCount,
			fileSizeInBytes: raw.fileSizeInBytes,
		};
		if (raw.keyMetadata !== undefined) file.keyMetadata = raw.keyMetadata;
		if (raw.splitOffsets !== undefined) file.splitOffsets = raw.splitOffsets;
		if (raw.equalityIds !== undefined) file.equalityIds = raw.equalityIds;
		if (raw.sortOrderId !== undefined) file.sortOrderId = raw.sortOrderId;
		if (firstRowId !== undefined) file.firstRowId = firstRowId;
		if (raw.referencedDataFile !== undefined) file.referencedDataFile = raw.referencedDataFile;
		if (raw.contentOffset !== undefined) file.contentOffset = raw.contentOffset;
		if (raw.contentSizeInBytes !== undefined) file.contentSizeInBytes = raw.contentSizeInBytes;
		return file;
	}

	/** The spec's names are lower-case; older writers used upper-case. */
	#format(text: string, location: string): FileFormat {
		const format = text.toLowerCase();
		if (!FORMATS.has(format)) {
			throw new IcebergError('UNSUPPORTED', `the file ${location} is of the format '${text}', which is not supported`, {
				context: { location, format: text, manifest: this.#manifest.location },
			});
		}
		this.#formats.set(text, format as FileFormat);
		return format as FileFormat;
	}
}

function addMetrics(
	file: Mutable<FileMetrics>,
	raw: RawEntry,
	bytes: MetricsBytes | undefined,
	wanted: ReadonlySet<number> | undefined,
): void {
	if (bytes === undefined) return;
	const columnSizes = metricsOf(raw, 0, bytes, wanted) as ReadonlyMap<number, number> | undefined;
	const valueCounts = metricsOf(raw, 1, bytes, wanted) as ReadonlyMap<number, number> | undefined;
	const nullValueCounts = metricsOf(raw, 2, bytes, wanted) as ReadonlyMap<number, number> | undefined;
	const nanValueCounts = metricsOf(raw, 3, bytes, wanted) as ReadonlyMap<number, number> | undefined;
	const lowerBounds = metricsOf(raw, 4, bytes, wanted) as ReadonlyMap<number, Uint8Array> | undefined;
	const upperBounds = metricsOf(raw, 5, bytes, wanted) as ReadonlyMap<number, Uint8Array> | undefined;
	if (columnSizes !== undefined) file.columnSizes = columnSizes;
	if (valueCounts !== undefined) file.valueCounts = valueCounts;
	if (nullValueCounts !== undefined) file.nullValueCounts = nullValueCounts;
	if (nanValueCounts !== undefined) file.nanValueCounts = nanValueCounts;
	if (lowerBounds !== undefined) file.lowerBounds = lowerBounds;
	if (upperBounds !== undefined) file.upperBounds = upperBounds;
}
