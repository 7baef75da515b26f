/** From a draft to table metadata: what has to hold of the whole. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { MetadataLogEntry, SnapshotLogEntry } from '../spec/snapshot.ts';
import type { SortOrder } from '../spec/sort-order.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { checkSource } from '../spec/transform-text.ts';
import type { Draft } from './draft.ts';

/** @throws `INVALID_ARGUMENT` where a part is missing; `INVALID_SCHEMA` where the parts do not fit together */
export function finishDraft(draft: Draft, metadataLog: readonly MetadataLogEntry[]): TableMetadata {
	const { tableUuid, location, currentSnapshotId, nextRowId, encryptionKeys, extra } = draft;
	if (location === undefined) throw incomplete('a location');
	if (tableUuid === undefined && draft.formatVersion > 1) throw incomplete('a uuid');
	const schema = draft.schemas.find((candidate) => candidate.schemaId === draft.currentSchemaId);
	const spec = draft.partitionSpecs.find((candidate) => candidate.specId === draft.defaultSpecId);
	const order = draft.sortOrders.find((candidate) => candidate.orderId === draft.defaultSortOrderId);
	if (schema === undefined) throw incomplete('a current schema');
	if (spec === undefined) throw incomplete('a default partition spec');
	if (order === undefined) throw incomplete('a default sort order');
	checkFit(draft, schema, spec, order);
	const snapshotLog = finishSnapshotLog(draft);
	return {
		formatVersion: draft.formatVersion,
		...(tableUuid === undefined ? {} : { tableUuid }),
		location,
		lastSequenceNumber: draft.lastSequenceNumber,
		lastUpdatedMs: Math.max(draft.nowMs, snapshotLog.at(-1)?.timestampMs ?? draft.nowMs),
		lastColumnId: draft.lastColumnId,
		schemas: draft.schemas,
		currentSchemaId: draft.currentSchemaId,
		partitionSpecs: draft.partitionSpecs,
		defaultSpecId: draft.defaultSpecId,
		lastPartitionId: draft.lastPartitionId,
		properties: draft.properties,
		...(currentSnapshotId === undefined ? {} : { currentSnapshotId }),
		snapshots: [...draft.snapshots.values()],
		snapshotLog,
		metadataLog,
		sortOrders: draft.sortOrders,
		defaultSortOrderId: draft.defaultSortOrderId,
		refs: Object.fromEntries(draft.refs),
		statistics: draft.statistics,
		partitionStatistics: draft.partitionStatistics,
		...(nextRowId === undefined ? {} : { nextRowId }),
		...(encryptionKeys === undefined ? {} : { encryptionKeys }),
		...(extra === undefined ? {} : { extra }),
	};
}

/** A change of the schema must not take away what the default spec and order are made from. */
function checkFit(draft: Draft, schema: Schema, spec: PartitionSpec, order: SortOrder): void {
	const { base } = draft;
	const schemaChanged = base?.currentSchemaId !== draft.currentSchemaId;
	if (schemaChanged || base?.defaultSpecId !== draft.defaultSpecId) {
		for (const field of spec.fields) {
			const { kind } = field.transform;
			// An unknown transform stands in the table already: it is another engine's business.
			if (kind === 'void' || kind === 'unknown') continue;
			checkSource(
				schema,
				sourceOf(schema, field.sourceId, `partition field '${field.name}'`),
				field.transform,
				`partition field '${field.name}'`,
			);
		}
	}
	if (schemaChanged || base?.defaultSortOrderId !== draft.defaultSortOrderId) {
		for (const field of order.fields) {
			if (field.transform.kind === 'unknown') continue;
			checkSource(schema, sourceOf(schema, field.sourceId, 'sort field'), field.transform, 'sort field');
		}
	}
}

function sourceOf(schema: Schema, sourceId: number, what: string) {
	const source = schema.findField(sourceId);
	if (source === undefined) {
		throw new IcebergError('INVALID_SCHEMA', `${what}: its source column, ${sourceId}, is not in the current schema`);
	}
	return source;
}

/**
 * The log without snapshots that were current only in passing, within these updates, and, where snapshots were removed,
 * without all that stands before a removed one: a gap would make time travel find a snapshot that was not current.
 */
function finishSnapshotLog(draft: Draft): readonly SnapshotLogEntry[] {
	const { currentSnapshotId, snapshots } = draft;
	let log = draft.snapshotLog.filter(
		({ snapshotId }) => !draft.becameCurrent.has(snapshotId) || snapshotId === currentSnapshotId,
	);
	if (draft.snapshotsRemoved) log = log.slice(log.findLastIndex(({ snapshotId }) => !snapshots.has(snapshotId)) + 1);
	const current = currentSnapshotId === undefined ? undefined : snapshots.get(currentSnapshotId);
	if (draft.snapshotsRemoved && current !== undefined && log.at(-1)?.snapshotId !== currentSnapshotId) {
		// Metadata of writers that keep no log: its end is known all the same.
		log.push({
			snapshotId: current.snapshotId,
			timestampMs: Math.max(current.timestampMs, log.at(-1)?.timestampMs ?? 0),
		});
	}
	return log;
}

function incomplete(what: string): IcebergError {
	return new IcebergError('INVALID_ARGUMENT', `the table's metadata lacks ${what}`);
}
