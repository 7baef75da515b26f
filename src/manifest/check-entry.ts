/** What must hold of an entry before it is written. Iceberg spec: Manifest Entry Fields, Data File Fields. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { ManifestContent, ManifestEntry } from './types.ts';

export interface EntryRules {
	readonly formatVersion: FormatVersion;
	readonly content: ManifestContent;
	readonly specId: number;
	readonly partitionFieldCount: number;
	/** positions of partition fields whose type the table does not tell; they can hold text alone */
	readonly untypedFields: readonly number[];
	/** the commit's */
	readonly snapshotId: bigint;
}

/** @throws `INVALID_ARGUMENT` naming the file and the rule */
export function checkEntry(entry: ManifestEntry, rules: EntryRules): void {
	const broken = brokenRule(entry, rules);
	if (broken === undefined) return;
	throw new IcebergError(
		'INVALID_ARGUMENT',
		`the file ${entry.file.location} cannot stand in the manifest: ${broken}`,
		{
			context: { location: entry.file.location, status: entry.status },
		},
	);
}

function brokenRule(entry: ManifestEntry, rules: EntryRules): string | undefined {
	const { file, status } = entry;
	const { formatVersion } = rules;
	if ((file.content === 'data') !== (rules.content === 'data')) {
		return `its content is '${file.content}' and the manifest's '${rules.content}'`;
	}
	if (file.specId !== rules.specId) return `it is of partition spec ${file.specId}, the manifest of ${rules.specId}`;
	if (file.partition.length !== rules.partitionFieldCount) {
		return `it has ${file.partition.length} partition values, its spec ${rules.partitionFieldCount} fields`;
	}
	for (const i of rules.untypedFields) {
		const value = file.partition[i] ?? null;
		if (value !== null && typeof value !== 'string') {
			return `its partition value ${String(value)} is of a type that the table does not tell`;
		}
	}
	if (!isCount(file.recordCount)) return `its record count is ${file.recordCount}`;
	if (!isCount(file.fileSizeInBytes)) return `its size is ${file.fileSizeInBytes} bytes`;
	if (formatVersion === 1) {
		if (file.content !== 'data') return 'v1 tables have no delete files';
		return undefined;
	}
	if (status !== 'added' && entry.sequenceNumber === null) {
		return `it is ${status} and has no sequence number; only added files inherit one`;
	}
	if (status === 'added' && entry.sequenceNumber === null && !isOwn(entry, rules)) {
		return `it is to inherit its sequence number, but was added by snapshot ${entry.snapshotId}`;
	}
	return file.content === 'data' ? undefined : brokenDeleteRule(entry, formatVersion);
}

function brokenDeleteRule({ file, status }: ManifestEntry, formatVersion: FormatVersion): string | undefined {
	if (file.content === 'equality-deletes') {
		return file.equalityIds === undefined || file.equalityIds.length === 0 ? 'it has no equality ids' : undefined;
	}
	if (file.format !== 'puffin') {
		return formatVersion >= 3 && status === 'added'
			? 'position deletes are added to v3 tables as deletion vectors only'
			: undefined;
	}
	if (formatVersion < 3) return 'deletion vectors need a v3 table';
	if (file.referencedDataFile === undefined) return 'it is a deletion vector without the data file that it refers to';
	if (file.contentOffset === undefined || file.contentSizeInBytes === undefined) {
		return 'it is a deletion vector without its place in the file';
	}
	return undefined;
}

function isOwn(entry: ManifestEntry, rules: EntryRules): boolean {
	return entry.snapshotId === null || entry.snapshotId === rules.snapshotId;
}

function isCount(value: number): boolean {
	return Number.isSafeInteger(value) && value >= 0;
}
