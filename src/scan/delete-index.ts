/** Which deletes apply to a data file. Iceberg spec: Scan Planning. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { DataFile, FileMetrics, ManifestEntry } from '../manifest/types.ts';
import { isPartitioned, type PartitionSpec } from '../spec/partition-spec.ts';
import type { NestedField } from '../spec/types.ts';
import { type EqualityField, equalityField, mayDeleteRowsOf } from './delete-match.ts';
import type { DeleteFile } from './file-scan-task.ts';
import { partitionKey } from './partition-key.ts';

/** Iceberg spec: Reserved Field IDs, `file_path` of position delete files. */
const FILE_PATH_ID = 2147483546;
/** Most live delete files of one snapshot: all of them are held while it is planned. */
export const MAX_DELETE_FILES = 10_000_000;

const NO_DELETES: readonly DeleteFile[] = [];
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export interface DeleteIndexContext {
	spec(specId: number): PartitionSpec;
	/** a field by id, in whichever schema of the table has it */
	field(fieldId: number): NestedField | undefined;
	readonly topLevelIds: ReadonlySet<number>;
}

interface EqualityDelete {
	readonly file: DeleteFile;
	readonly fields: readonly EqualityField[];
}

/** All live delete files of a snapshot, found by data file. Add them all before asking. */
export class DeleteIndex {
	readonly #context: DeleteIndexContext;
	readonly #globalEquality: EqualityDelete[] = [];
	readonly #equalityByPartition = new Map<string, EqualityDelete[]>();
	readonly #positionByPartition = new Map<string, DeleteFile[]>();
	readonly #positionByPath = new Map<string, DeleteFile[]>();
	readonly #vectorByPath = new Map<string, DeleteFile>();
	readonly #equalityIds = new Set<number>();
	#size = 0;

	constructor(context: DeleteIndexContext) {
		this.#context = context;
	}

	get size(): number {
		return this.#size;
	}

	/** Columns whose metrics in data files help to leave deletes out. */
	get equalityIds(): ReadonlySet<number> {
		return this.#equalityIds;
	}

	/** @throws `CORRUPT` for a vector that names no data file, or whose data file has another one */
	add(entry: ManifestEntry): void {
		if (++this.#size > MAX_DELETE_FILES)
			throw new IcebergError('LIMIT_EXCEEDED', `the snapshot has more than ${MAX_DELETE_FILES} delete files`);
		const { file } = entry;
		const sequenceNumber = entry.sequenceNumber ?? 0n;
		if (file.content === 'equality-deletes') this.#addEquality(file, sequenceNumber);
		else if (file.format === 'puffin') this.#addVector({ ...withMetrics(file, []), sequenceNumber });
		else this.#addPosition(file, sequenceNumber);
	}

	/**
	 * The deletes that must be applied to a data file; equality deletes that its metrics rule out are left away.
	 *
	 * @param sequenceNumber data sequence number of the data file
	 * @throws `CORRUPT` when a delete of this very file lies in another partition, or a vector is older than the file
	 */
	forDataFile(file: DataFile, sequenceNumber: bigint): readonly DeleteFile[] {
		if (this.#size === 0) return NO_DELETES;
		const found: DeleteFile[] = [];
		const needsKey = this.#equalityByPartition.size > 0 || this.#positionByPartition.size > 0;
		const key = needsKey ? partitionKey(file.specId, file.partition) : '';
		for (const group of [this.#globalEquality, this.#equalityByPartition.get(key)])
			for (const { file: deletes, fields } of group ?? [])
				if (deletes.sequenceNumber > sequenceNumber && mayDeleteRowsOf(deletes, file, fields)) found.push(deletes);
		const vector = this.#vectorByPath.get(file.location);
		if (vector !== undefined) {
			checkSamePartition(vector, file);
			if (vector.sequenceNumber < sequenceNumber)
				throw new IcebergError(
					'CORRUPT',
					`the deletion vector in ${vector.location} has the sequence number ${vector.sequenceNumber}, its data file ${file.location} the later ${sequenceNumber}`,
					{ context: { location: vector.location, dataFile: file.location } },
				);
			// A vector holds what all position delete files before it held.
			found.push(vector);
			return found;
		}
		for (const deletes of this.#positionByPartition.get(key) ?? [])
			if (deletes.sequenceNumber >= sequenceNumber) found.push(deletes);
		for (const deletes of this.#positionByPath.get(file.location) ?? []) {
			if (deletes.sequenceNumber < sequenceNumber) continue;
			checkSamePartition(deletes, file);
			found.push(deletes);
		}
		return found.length === 0 ? NO_DELETES : found;
	}

	#addEquality(file: DataFile, sequenceNumber: bigint): void {
		const ids = file.equalityIds ?? [];
		if (ids.length === 0)
			throw new IcebergError('CORRUPT', `the equality delete file ${file.location} names no columns to compare`, {
				context: { location: file.location },
			});
		const fields: EqualityField[] = [];
		for (const id of ids) {
			const field = this.#context.field(id);
			if (field === undefined) continue;
			fields.push(equalityField(field, this.#context.topLevelIds));
			this.#equalityIds.add(id);
		}
		const deletes = { file: { ...withMetrics(file, ids), sequenceNumber }, fields };
		if (!isPartitioned(this.#context.spec(file.specId))) this.#globalEquality.push(deletes);
		else addTo(this.#equalityByPartition, partitionKey(file.specId, file.partition), deletes);
	}

	#addPosition(file: DataFile, sequenceNumber: bigint): void {
		const deletes = { ...withMetrics(file, [FILE_PATH_ID]), sequenceNumber };
		const path = file.referencedDataFile ?? onlyPath(file);
		if (path !== undefined) addTo(this.#positionByPath, path, deletes);
		else addTo(this.#positionByPartition, partitionKey(file.specId, file.partition), deletes);
	}

	#addVector(vector: DeleteFile): void {
		const path = vector.referencedDataFile;
		if (path === undefined || vector.contentOffset === undefined || vector.contentSizeInBytes === undefined)
			throw new IcebergError(
				'CORRUPT',
				`a deletion vector in ${vector.location} does not say which data file it is of, or where it stands`,
				{ context: { location: vector.location } },
			);
		const other = this.#vectorByPath.get(path);
		if (other !== undefined)
			throw new IcebergError(
				'CORRUPT',
				`the data file ${path} has two deletion vectors: in ${other.location} at ${other.contentOffset} and in ${vector.location} at ${vector.contentOffset}`,
				{ context: { location: path } },
			);
		this.#vectorByPath.set(path, vector);
	}
}

function addTo<T>(groups: Map<string, T[]>, key: string, item: T): void {
	const group = groups.get(key);
	if (group === undefined) groups.set(key, [item]);
	else group.push(item);
}

/** The one data file that all positions are of, where the bounds of `file_path` are one path in full. */
function onlyPath(file: DataFile): string | undefined {
	const lower = file.lowerBounds?.get(FILE_PATH_ID);
	const upper = file.upperBounds?.get(FILE_PATH_ID);
	if (lower === undefined || upper === undefined || Buffer.compare(lower, upper) !== 0) return undefined;
	try {
		return decoder.decode(lower);
	} catch {
		return undefined;
	}
}

function checkSamePartition(deletes: DeleteFile, data: DataFile): void {
	if (partitionKey(deletes.specId, deletes.partition) === partitionKey(data.specId, data.partition)) return;
	throw new IcebergError(
		'CORRUPT',
		`the deletes in ${deletes.location} are of the data file ${data.location}, but of another partition`,
		{ context: { location: deletes.location, dataFile: data.location } },
	);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A copy with the metrics of a few columns in maps of their own, which hold on to no manifest. */
function withMetrics(file: DataFile, fieldIds: readonly number[]): DataFile {
	const copy: Mutable<DataFile> = { ...file };
	const counts = ['columnSizes', 'valueCounts', 'nullValueCounts', 'nanValueCounts'] as const;
	for (const name of counts) copyOf(copy, name, file[name], fieldIds);
	for (const name of ['lowerBounds', 'upperBounds'] as const) copyOf(copy, name, file[name], fieldIds);
	return copy;
}

function copyOf<K extends keyof FileMetrics>(
	copy: Mutable<DataFile>,
	name: K,
	map: ReadonlyMap<number, number | Uint8Array> | undefined,
	fieldIds: readonly number[],
): void {
	delete copy[name];
	if (map === undefined) return;
	const kept = new Map<number, number | Uint8Array>();
	for (const id of fieldIds) {
		const value = map.get(id);
		if (value !== undefined) kept.set(id, value instanceof Uint8Array ? value.slice() : value);
	}
	if (kept.size > 0) (copy as Record<string, unknown>)[name] = kept;
}
