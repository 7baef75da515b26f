/** Iceberg REST spec: TableUpdate and TableRequirement as JSON, both ways. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { intOf, JsonReader, longOf, longToJson, textOf } from '../spec/json-access.ts';
import { partitionFieldsFromJson, partitionSpecToJson } from '../spec/partition-spec-json.ts';
import { schemaFromJson, schemaToJson } from '../spec/schema-json.ts';
import { snapshotFromJson, snapshotRefFromJson, snapshotRefToJson, snapshotToJson } from '../spec/snapshot-json.ts';
import { sortOrderFromJson, sortOrderToJson } from '../spec/sort-order-json.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import { statisticsFromJson } from '../spec/table-metadata-json.ts';
import type { JsonValue } from '../spec/types.ts';
import { LAST_ADDED } from './apply-definitions.ts';
import type { TableRequirement, TableUpdate } from './table-update.ts';

type JsonObject = { [key: string]: JsonValue };

/** The JSON of an update: what {@link updateFromJson} reads back as an equal one. */
export function updateToJson(update: TableUpdate): JsonObject {
	const { action } = update;
	switch (update.action) {
		case 'assign-uuid':
			return { action, uuid: update.uuid };
		case 'upgrade-format-version':
			return { action, 'format-version': update.formatVersion };
		case 'add-schema':
			return {
				action,
				schema: schemaToJson(update.schema),
				...(update.lastColumnId === undefined ? {} : { 'last-column-id': update.lastColumnId }),
			};
		case 'set-current-schema':
			return { action, 'schema-id': update.schemaId };
		case 'add-spec':
			return { action, spec: partitionSpecToJson(update.spec) };
		case 'set-default-spec':
			return { action, 'spec-id': update.specId };
		case 'add-sort-order':
			return { action, 'sort-order': sortOrderToJson(update.sortOrder) };
		case 'set-default-sort-order':
			return { action, 'sort-order-id': update.sortOrderId };
		case 'add-snapshot':
			return { action, snapshot: snapshotToJson(update.snapshot) };
		case 'set-snapshot-ref':
			return { action, 'ref-name': update.refName, ...snapshotRefToJson(update.ref) };
		case 'remove-snapshot-ref':
			return { action, 'ref-name': update.refName };
		case 'remove-snapshots':
			return { action, 'snapshot-ids': update.snapshotIds.map(longToJson) };
		case 'set-location':
			return { action, location: update.location };
		case 'set-properties':
			return { action, updates: { ...update.updates } };
		case 'remove-properties':
			return { action, removals: [...update.removals] };
		case 'set-statistics':
			return { action, 'snapshot-id': longToJson(update.statistics.snapshotId), statistics: update.statistics.json };
		case 'set-partition-statistics':
			return { action, 'partition-statistics': update.partitionStatistics.json };
		case 'remove-statistics':
		case 'remove-partition-statistics':
			return { action, 'snapshot-id': longToJson(update.snapshotId) };
		case 'remove-partition-specs':
			return { action, 'spec-ids': [...update.specIds] };
		case 'remove-schemas':
			return { action, 'schema-ids': [...update.schemaIds] };
		case 'add-encryption-key':
			return { action, 'encryption-key': update.encryptionKey };
		case 'remove-encryption-key':
			return { action, 'key-id': update.keyId };
	}
}

/**
 * @param at where the JSON stands, for messages
 * @throws `INVALID_ARGUMENT` naming the key for JSON that is no update; `UNSUPPORTED` for an action that this version
 *   does not know
 */
export function updateFromJson(json: JsonValue, at = 'update'): TableUpdate {
	return asArgument(() => readUpdate(new JsonReader(json, at)));
}

/** The JSON of a requirement: what {@link requirementFromJson} reads back as an equal one. */
export function requirementToJson(requirement: TableRequirement): JsonObject {
	const { type } = requirement;
	switch (requirement.type) {
		case 'assert-create':
			return { type };
		case 'assert-table-uuid':
			return { type, uuid: requirement.uuid };
		case 'assert-ref-snapshot-id': {
			const { ref, snapshotId } = requirement;
			return { type, ref, 'snapshot-id': snapshotId === null ? null : longToJson(snapshotId) };
		}
		case 'assert-last-assigned-field-id':
			return { type, 'last-assigned-field-id': requirement.lastAssignedFieldId };
		case 'assert-current-schema-id':
			return { type, 'current-schema-id': requirement.currentSchemaId };
		case 'assert-last-assigned-partition-id':
			return { type, 'last-assigned-partition-id': requirement.lastAssignedPartitionId };
		case 'assert-default-spec-id':
			return { type, 'default-spec-id': requirement.defaultSpecId };
		case 'assert-default-sort-order-id':
			return { type, 'default-sort-order-id': requirement.defaultSortOrderId };
	}
}

/**
 * @param at where the JSON stands, for messages
 * @throws `INVALID_ARGUMENT` naming the key for JSON that is no requirement; `UNSUPPORTED` for one that this version
 *   does not know
 */
export function requirementFromJson(json: JsonValue, at = 'requirement'): TableRequirement {
	return asArgument(() => readRequirement(new JsonReader(json, at)));
}

function readUpdate(reader: JsonReader): TableUpdate {
	const action = reader.text('action');
	switch (action) {
		case 'assign-uuid':
			return { action, uuid: reader.text('uuid') };
		case 'upgrade-format-version':
			// A version out of range is refused where it is applied.
			return { action, formatVersion: reader.int('format-version') as FormatVersion };
		case 'add-schema': {
			const lastColumnId = reader.optionalInt('last-column-id');
			const schema = schemaFromJson(reader.object('schema').json, reader.path('schema'));
			return { action, schema, ...(lastColumnId === undefined ? {} : { lastColumnId }) };
		}
		case 'set-current-schema':
			return { action, schemaId: reader.int('schema-id') };
		case 'add-spec': {
			const spec = reader.object('spec');
			const fields = partitionFieldsFromJson(spec.array('fields'), spec.path('fields'), () => LAST_ADDED);
			return { action, spec: { specId: spec.optionalInt('spec-id') ?? 0, fields } };
		}
		case 'set-default-spec':
			return { action, specId: reader.int('spec-id') };
		case 'add-sort-order':
			return { action, sortOrder: sortOrderFromJson(reader.object('sort-order').json, reader.path('sort-order')) };
		case 'set-default-sort-order':
			return { action, sortOrderId: reader.int('sort-order-id') };
		case 'add-snapshot':
			return { action, snapshot: snapshotFromJson(reader.object('snapshot').json, reader.path('snapshot')) };
		case 'set-snapshot-ref': {
			const { action: _action, 'ref-name': _name, ...ref } = reader.json;
			return { action, refName: reader.text('ref-name'), ref: snapshotRefFromJson(ref, reader.at) };
		}
		case 'remove-snapshot-ref':
			return { action, refName: reader.text('ref-name') };
		case 'remove-snapshots':
			return { action, snapshotIds: reader.list('snapshot-ids', longOf) };
		case 'set-location':
			return { action, location: reader.text('location') };
		case 'set-properties':
			// Old clients say `updated` and `removed`.
			return {
				action,
				updates: reader.optionalTextMap(reader.has('updates') ? 'updates' : 'updated') ?? missing(reader, 'updates'),
			};
		case 'remove-properties':
			return { action, removals: reader.list(reader.has('removed') ? 'removed' : 'removals', textOf) };
		case 'set-statistics':
			return { action, statistics: statisticsFromJson(reader.object('statistics').json, reader.path('statistics')) };
		case 'set-partition-statistics': {
			const { json, at } = reader.object('partition-statistics');
			return { action, partitionStatistics: statisticsFromJson(json, at) };
		}
		case 'remove-statistics':
		case 'remove-partition-statistics':
			return { action, snapshotId: reader.long('snapshot-id') };
		case 'remove-partition-specs':
			return { action, specIds: reader.list('spec-ids', intOf) };
		case 'remove-schemas':
			return { action, schemaIds: reader.list('schema-ids', intOf) };
		case 'add-encryption-key':
			return { action, encryptionKey: reader.object('encryption-key').json };
		case 'remove-encryption-key':
			return { action, keyId: reader.text('key-id') };
		default:
			throw new IcebergError('UNSUPPORTED', `${reader.at}: there is no update '${action}'`, { context: { action } });
	}
}

function readRequirement(reader: JsonReader): TableRequirement {
	const type = reader.text('type');
	switch (type) {
		case 'assert-create':
			return { type };
		case 'assert-table-uuid':
			return { type, uuid: reader.text('uuid') };
		case 'assert-ref-snapshot-id':
			return { type, ref: reader.text('ref'), snapshotId: reader.optionalLong('snapshot-id') ?? null };
		case 'assert-last-assigned-field-id':
			return { type, lastAssignedFieldId: reader.int('last-assigned-field-id') };
		case 'assert-current-schema-id':
			return { type, currentSchemaId: reader.int('current-schema-id') };
		case 'assert-last-assigned-partition-id':
			return { type, lastAssignedPartitionId: reader.int('last-assigned-partition-id') };
		case 'assert-default-spec-id':
			return { type, defaultSpecId: reader.int('default-spec-id') };
		case 'assert-default-sort-order-id':
			return { type, defaultSortOrderId: reader.int('default-sort-order-id') };
		default:
			throw new IcebergError('UNSUPPORTED', `${reader.at}: there is no requirement '${type}'`, { context: { type } });
	}
}

function missing(reader: JsonReader, key: string): never {
	throw new IcebergError('INVALID_ARGUMENT', `${reader.path(key)} is missing`, { context: { key: reader.path(key) } });
}

/** Updates come from callers, not from files: what is wrong with them is the caller's to mend. */
function asArgument<T>(read: () => T): T {
	try {
		return read();
	} catch (error) {
		if (!(error instanceof IcebergError) || error.code !== 'CORRUPT') throw error;
		throw new IcebergError('INVALID_ARGUMENT', error.message, { context: error.context, cause: error });
	}
}
