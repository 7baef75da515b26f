/** Rows of manifest lists as values of {@link MANIFEST_FILE_TYPE} and as {@link ManifestFile}. */
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { Value } from '../spec/types.ts';
import { LIST } from './field-ids.ts';
import { MANIFEST_FILE_TYPE } from './manifest-list-schema.ts';
import type { FieldSummary, ManifestContent, ManifestFile } from './types.ts';

const POSITIONS = new Map(MANIFEST_FILE_TYPE.fields.map((field, index) => [field.id, index]));
/** A manifest in a list has its sequence numbers, and files and rows are counted. */
const NOT_NEGATIVE: readonly number[] = [
	LIST.sequenceNumber,
	LIST.minSequenceNumber,
	LIST.addedFilesCount,
	LIST.existingFilesCount,
	LIST.deletedFilesCount,
	LIST.addedRowsCount,
	LIST.existingRowsCount,
	LIST.deletedRowsCount,
];
const CONTENTS: readonly ManifestContent[] = ['data', 'deletes'];

/** `undefined` for a row that breaks a rule. `row` is of {@link MANIFEST_FILE_TYPE}. */
export function manifestFileFromRow(row: readonly Value[]): ManifestFile | undefined {
	const get = <T extends Value>(id: number): T | null => row[POSITIONS.get(id) as number] as T | null;
	const location = get<string>(LIST.location);
	const length = sizeOf(get<bigint>(LIST.length));
	const specId = get<number>(LIST.specId);
	const addedSnapshotId = get<bigint>(LIST.addedSnapshotId);
	const content = CONTENTS[get<number>(LIST.content) ?? 0];
	if (location === null || length === undefined || specId === null || addedSnapshotId === null) return undefined;
	if (content === undefined || NOT_NEGATIVE.some((id) => (get<bigint | number>(id) ?? 0) < 0)) return undefined;
	const partitions = get<readonly (readonly Value[])[]>(LIST.partitions);
	return {
		location,
		length,
		specId,
		content,
		sequenceNumber: get<bigint>(LIST.sequenceNumber) ?? 0n,
		minSequenceNumber: get<bigint>(LIST.minSequenceNumber) ?? 0n,
		addedSnapshotId,
		...present('addedFilesCount', get<number>(LIST.addedFilesCount)),
		...present('existingFilesCount', get<number>(LIST.existingFilesCount)),
		...present('deletedFilesCount', get<number>(LIST.deletedFilesCount)),
		...present('addedRowsCount', get<bigint>(LIST.addedRowsCount)),
		...present('existingRowsCount', get<bigint>(LIST.existingRowsCount)),
		...present('deletedRowsCount', get<bigint>(LIST.deletedRowsCount)),
		...present('partitions', partitions === null ? null : partitions.map(fieldSummary)),
		...present('keyMetadata', get<Uint8Array>(LIST.keyMetadata)),
		...present('firstRowId', get<bigint>(LIST.firstRowId)),
	};
}

/** The row of a manifest in the struct of a format version; null where a required count is missing. */
export function manifestFileRow(manifest: ManifestFile, formatVersion: FormatVersion): Value[] {
	const isV1 = formatVersion === 1;
	return [
		manifest.location,
		BigInt(manifest.length),
		manifest.specId,
		...(isV1 ? [] : [CONTENTS.indexOf(manifest.content), manifest.sequenceNumber, manifest.minSequenceNumber]),
		manifest.addedSnapshotId,
		manifest.addedFilesCount ?? null,
		manifest.existingFilesCount ?? null,
		manifest.deletedFilesCount ?? null,
		manifest.addedRowsCount ?? null,
		manifest.existingRowsCount ?? null,
		manifest.deletedRowsCount ?? null,
		manifest.partitions?.map(summaryRow) ?? null,
		manifest.keyMetadata ?? null,
		...(formatVersion >= 3 ? [manifest.firstRowId ?? null] : []),
	];
}

function summaryRow(summary: FieldSummary): Value[] {
	return [summary.containsNull, summary.containsNan ?? null, summary.lowerBound ?? null, summary.upperBound ?? null];
}

function fieldSummary(row: readonly Value[]): FieldSummary {
	const [containsNull, containsNan, lowerBound, upperBound] = row;
	return {
		// what is not told may be there
		containsNull: (containsNull as boolean | null) ?? true,
		...present('containsNan', containsNan as boolean | null),
		...present('lowerBound', lowerBound as Uint8Array | null),
		...present('upperBound', upperBound as Uint8Array | null),
	};
}

function present<K extends string, V>(key: K, value: V | null): { [P in K]?: V } {
	return value === null ? {} : ({ [key]: value } as { [P in K]: V });
}

function sizeOf(value: bigint | null): number | undefined {
	if (value === null || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
	return Number(value);
}
