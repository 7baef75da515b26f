/** One update on a draft of table metadata. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FormatVersion, StatisticsFileEntry } from '../spec/table-metadata.ts';
import { MAX_FORMAT_VERSION } from '../spec/table-metadata-json.ts';
import type { JsonValue } from '../spec/types.ts';
import {
	addSchema,
	addSortOrder,
	addSpec,
	removeSchemas,
	removeSpecs,
	setCurrentSchema,
	setDefaultOrder,
	setDefaultSpec,
} from './apply-definitions.ts';
import { addSnapshot, removeRef, removeSnapshots, setRef } from './apply-snapshots.ts';
import { type Draft, removeStatistics, set } from './draft.ts';
import type { TableUpdate } from './table-update.ts';

/** Changes the draft. @throws as `applyUpdates` */
export function applyUpdate(draft: Draft, update: TableUpdate): void {
	switch (update.action) {
		case 'assign-uuid':
			return assignUuid(draft, update.uuid);
		case 'upgrade-format-version':
			return upgradeFormatVersion(draft, update.formatVersion);
		case 'add-schema':
			return addSchema(draft, update.schema, update.lastColumnId);
		case 'set-current-schema':
			return setCurrentSchema(draft, update.schemaId);
		case 'add-spec':
			return addSpec(draft, update.spec);
		case 'set-default-spec':
			return setDefaultSpec(draft, update.specId);
		case 'add-sort-order':
			return addSortOrder(draft, update.sortOrder);
		case 'set-default-sort-order':
			return setDefaultOrder(draft, update.sortOrderId);
		case 'add-snapshot':
			return addSnapshot(draft, update.snapshot);
		case 'set-snapshot-ref':
			return setRef(draft, update.refName, update.ref);
		case 'remove-snapshot-ref':
			return removeRef(draft, update.refName);
		case 'remove-snapshots':
			return removeSnapshots(draft, update.snapshotIds);
		case 'set-location':
			return set(draft, 'location', update.location);
		case 'set-properties':
			return setProperties(draft, update.updates);
		case 'remove-properties':
			return removeProperties(draft, update.removals);
		case 'set-statistics':
			return setStatistics(draft, 'statistics', update.statistics);
		case 'remove-statistics':
			return removeStatistics(draft, 'statistics', update.snapshotId);
		case 'set-partition-statistics':
			return setStatistics(draft, 'partitionStatistics', update.partitionStatistics);
		case 'remove-partition-statistics':
			return removeStatistics(draft, 'partitionStatistics', update.snapshotId);
		case 'remove-partition-specs':
			return removeSpecs(draft, update.specIds);
		case 'remove-schemas':
			return removeSchemas(draft, update.schemaIds);
		case 'add-encryption-key':
			return addEncryptionKey(draft, update.encryptionKey);
		case 'remove-encryption-key':
			return removeEncryptionKey(draft, update.keyId);
		default:
			throw new IcebergError('UNSUPPORTED', `there is no update '${String((update as { action: unknown }).action)}'`);
	}
}

function assignUuid(draft: Draft, uuid: string): void {
	if (draft.tableUuid === uuid) return;
	// A table's uuid tells it from another one that was put in its place.
	if (draft.tableUuid !== undefined && draft.base !== undefined) {
		throw new IcebergError('VALIDATION_FAILED', `the table's uuid is ${draft.tableUuid}; it cannot become ${uuid}`);
	}
	draft.tableUuid = uuid;
	draft.changed = true;
}

function upgradeFormatVersion(draft: Draft, version: FormatVersion): void {
	if (!Number.isInteger(version) || version < 1 || version > MAX_FORMAT_VERSION) {
		throw new IcebergError(
			'UNSUPPORTED',
			`there is no format version ${String(version)} (there are 1 to ${MAX_FORMAT_VERSION})`,
		);
	}
	if (draft.base === undefined && draft.snapshots.size === 0) {
		// A table in the making has no version yet that this could be a downgrade of.
		draft.formatVersion = version;
	} else if (version < draft.formatVersion) {
		throw new IcebergError(
			'UNSUPPORTED',
			`a table of format version ${draft.formatVersion} cannot go back to ${version}`,
		);
	} else if (version > draft.formatVersion) {
		draft.formatVersion = version;
		draft.changed = true;
	}
	if (draft.formatVersion >= 3) draft.nextRowId ??= 0n;
}

function setProperties(draft: Draft, updates: Readonly<Record<string, string>>): void {
	const entries = Object.entries(updates);
	for (const [key, value] of entries) {
		if (typeof value !== 'string') {
			throw new IcebergError('INVALID_ARGUMENT', `the property '${key}' has to be text, not ${String(value)}`);
		}
	}
	if (entries.length === 0) return;
	draft.properties = { ...draft.properties, ...updates };
	draft.changed = true;
}

function removeProperties(draft: Draft, removals: readonly string[]): void {
	const gone = new Set(removals);
	const kept = Object.entries(draft.properties).filter(([key]) => !gone.has(key));
	if (kept.length === Object.keys(draft.properties).length) return;
	draft.properties = Object.fromEntries(kept);
	draft.changed = true;
}

function setStatistics(draft: Draft, list: 'statistics' | 'partitionStatistics', entry: StatisticsFileEntry): void {
	const others = draft[list].filter((other) => other.snapshotId !== entry.snapshotId);
	set(draft, list, [...others, entry]);
}

function keyIdOf(key: JsonValue): string {
	const id = typeof key === 'object' && key !== null && !Array.isArray(key) ? key['key-id'] : undefined;
	if (typeof id !== 'string') throw new IcebergError('INVALID_ARGUMENT', "an encryption key has a text 'key-id'");
	return id;
}

function addEncryptionKey(draft: Draft, key: JsonValue): void {
	const id = keyIdOf(key);
	const keys = draft.encryptionKeys ?? [];
	if (keys.some((other) => keyIdOf(other) === id)) return;
	draft.encryptionKeys = [...keys, key];
	draft.changed = true;
}

function removeEncryptionKey(draft: Draft, keyId: string): void {
	const keys = draft.encryptionKeys ?? [];
	const kept = keys.filter((key) => keyIdOf(key) !== keyId);
	if (kept.length === keys.length) return;
	draft.encryptionKeys = kept;
	draft.changed = true;
}
