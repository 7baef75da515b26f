/** Updates of schemas, partition specs and sort orders. */
import { IcebergError } from '../errors/iceberg-error.ts';
import {
	FIRST_PARTITION_FIELD_ID,
	type PartitionField,
	type PartitionSpec,
	specsCompatible,
	validatePartitionSpec,
} from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import { schemaToJson } from '../spec/schema-json.ts';
import { type SortOrder, sortOrdersEqual, validateSortOrder } from '../spec/sort-order.ts';
import { transformsEqual } from '../spec/transform.ts';
import { stringifyJson } from '../util/json.ts';
import { checkSchemaForTable } from './check-schema.ts';
import type { Draft } from './draft.ts';

/** In place of an id: the one added last in the same list of updates; of a partition field: the next free one. */
export const LAST_ADDED = -1;

/** A schema equal to one that the table has takes that one's id; a new one the next free id, when its own is taken. */
export function addSchema(draft: Draft, schema: Schema, lastColumnId: number | undefined): void {
	if (lastColumnId !== undefined && lastColumnId < draft.lastColumnId) {
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`the last column id is ${draft.lastColumnId}; it cannot go back to ${lastColumnId}`,
		);
	}
	checkSchemaForTable(schema, draft.schemas, draft.formatVersion);
	const highest = Math.max(draft.lastColumnId, lastColumnId ?? 0, schema.highestFieldId);
	if (highest > draft.lastColumnId) {
		draft.lastColumnId = highest;
		draft.changed = true;
	}
	const text = identityOf(schema);
	const same = draft.schemas.find((other) => identityOf(other) === text);
	if (same !== undefined) {
		draft.lastAddedSchemaId = same.schemaId;
		return;
	}
	const schemaId =
		draft.schemas.length === 0
			? Math.max(0, schema.schemaId)
			: Math.max(...draft.schemas.map((other) => other.schemaId)) + 1;
	draft.schemas = [...draft.schemas, schema.withSchemaId(schemaId)];
	draft.lastAddedSchemaId = schemaId;
	draft.changed = true;
}

export function setCurrentSchema(draft: Draft, schemaId: number): void {
	const id = resolve(schemaId, draft.lastAddedSchemaId, 'schema');
	if (id === draft.currentSchemaId) return;
	if (!draft.schemas.some((schema) => schema.schemaId === id)) throw unknownId('schema', id);
	draft.currentSchemaId = id;
	dropLegacyKey(draft, 'schema');
	draft.changed = true;
}

/** Fields with the id -1 take the id of an equal field of another spec, or the next free one. */
export function addSpec(draft: Draft, spec: PartitionSpec): void {
	const same = draft.partitionSpecs.find((other) => specsCompatible(other, spec));
	if (same !== undefined) {
		draft.lastAddedSpecId = same.specId;
		return;
	}
	let lastPartitionId = draft.lastPartitionId;
	const fields = spec.fields.map((field): PartitionField => {
		const fieldId =
			field.fieldId === LAST_ADDED ? (idOfEqualField(draft, field) ?? lastPartitionId + 1) : field.fieldId;
		lastPartitionId = Math.max(lastPartitionId, fieldId);
		return { ...field, fieldId };
	});
	const schema = draft.schemas.find((candidate) => candidate.schemaId === draft.currentSchemaId);
	if (schema === undefined) throw new IcebergError('INVALID_ARGUMENT', 'a partition spec needs a current schema first');
	const specId = draft.partitionSpecs.reduce((next, other) => Math.max(next, other.specId + 1), 0);
	const added = { ...spec, specId, fields };
	validatePartitionSpec(added, schema);
	checkFieldIds(draft, added);
	draft.partitionSpecs = [...draft.partitionSpecs, added];
	draft.lastPartitionId = lastPartitionId;
	draft.lastAddedSpecId = specId;
	draft.changed = true;
}

export function setDefaultSpec(draft: Draft, specId: number): void {
	const id = resolve(specId, draft.lastAddedSpecId, 'partition spec');
	if (id === draft.defaultSpecId) return;
	if (!draft.partitionSpecs.some((spec) => spec.specId === id)) throw unknownId('partition spec', id);
	draft.defaultSpecId = id;
	dropLegacyKey(draft, 'partition-spec');
	draft.changed = true;
}

export function addSortOrder(draft: Draft, order: SortOrder): void {
	const same = draft.sortOrders.find((other) => sortOrdersEqual(other, order));
	if (same !== undefined) {
		draft.lastAddedOrderId = same.orderId;
		return;
	}
	const schema = draft.schemas.find((candidate) => candidate.schemaId === draft.currentSchemaId);
	if (schema === undefined) throw new IcebergError('INVALID_ARGUMENT', 'a sort order needs a current schema first');
	// 0 is the unsorted order's.
	const orderId =
		order.fields.length === 0 ? 0 : draft.sortOrders.reduce((next, other) => Math.max(next, other.orderId + 1), 1);
	const added = { ...order, orderId };
	validateSortOrder(added, schema);
	draft.sortOrders = [...draft.sortOrders, added];
	draft.lastAddedOrderId = orderId;
	draft.changed = true;
}

export function setDefaultOrder(draft: Draft, orderId: number): void {
	const id = resolve(orderId, draft.lastAddedOrderId, 'sort order');
	if (id === draft.defaultSortOrderId) return;
	if (!draft.sortOrders.some((order) => order.orderId === id)) throw unknownId('sort order', id);
	draft.defaultSortOrderId = id;
	draft.changed = true;
}

/** Ids that no spec has are passed over. */
export function removeSpecs(draft: Draft, specIds: readonly number[]): void {
	if (specIds.includes(draft.defaultSpecId)) {
		throw new IcebergError(
			'VALIDATION_FAILED',
			`partition spec ${draft.defaultSpecId} is the default; it cannot be removed`,
		);
	}
	const kept = draft.partitionSpecs.filter((spec) => !specIds.includes(spec.specId));
	if (kept.length === draft.partitionSpecs.length) return;
	draft.partitionSpecs = kept;
	draft.changed = true;
}

/** Ids that no schema has are passed over. */
export function removeSchemas(draft: Draft, schemaIds: readonly number[]): void {
	if (schemaIds.includes(draft.currentSchemaId)) {
		throw new IcebergError(
			'VALIDATION_FAILED',
			`schema ${draft.currentSchemaId} is the current one; it cannot be removed`,
		);
	}
	const kept = draft.schemas.filter((schema) => !schemaIds.includes(schema.schemaId));
	if (kept.length === draft.schemas.length) return;
	draft.schemas = kept;
	draft.changed = true;
}

/** All of a schema but its id, as text. */
function identityOf(schema: Schema): string {
	return stringifyJson({
		schema: schemaToJson(schema.withSchemaId(0)),
		identifiers: [...schema.identifierFieldIds].sort((a, b) => a - b),
	});
}

function resolve(id: number, lastAdded: number | undefined, what: string): number {
	if (id !== LAST_ADDED) return id;
	if (lastAdded === undefined) {
		throw new IcebergError('INVALID_ARGUMENT', `-1 stands for the ${what} added last, but none was added`);
	}
	return lastAdded;
}

function unknownId(what: string, id: number): IcebergError {
	return new IcebergError('INVALID_ARGUMENT', `the table has no ${what} with the id ${id}`, { context: { id } });
}

function idOfEqualField(draft: Draft, field: PartitionField): number | undefined {
	// v1 numbers the fields of each spec from 1000 up.
	if (draft.formatVersion === 1) return undefined;
	let found: number | undefined;
	for (const spec of draft.partitionSpecs) {
		for (const other of spec.fields) if (sameSource(other, field)) found = Math.max(found ?? 0, other.fieldId);
	}
	return found;
}

function sameSource(a: PartitionField, b: PartitionField): boolean {
	return a.sourceId === b.sourceId && transformsEqual(a.transform, b.transform);
}

/** Ids name the values in manifests: two meanings of one id would mix them up. Iceberg spec: Partition Evolution. */
function checkFieldIds(draft: Draft, spec: PartitionSpec): void {
	if (draft.formatVersion === 1) {
		if (spec.fields.some((field, i) => field.fieldId !== FIRST_PARTITION_FIELD_ID + i)) {
			throw new IcebergError(
				'INVALID_SCHEMA',
				'in format version 1 the ids of partition fields are 1000, 1001, and so on',
			);
		}
		return;
	}
	const existing = draft.partitionSpecs.flatMap((other) => other.fields);
	for (const field of spec.fields) {
		const namesakes = existing.filter((other) => other.fieldId === field.fieldId);
		const { kind } = field.transform;
		if (namesakes.length > 0 && kind !== 'void' && !namesakes.some((other) => sameSource(other, field))) {
			throw new IcebergError(
				'INVALID_SCHEMA',
				`partition field '${field.name}': the id ${field.fieldId} is taken by another field, '${namesakes[0]?.name}'`,
			);
		}
	}
}

/** v2 and later metadata may carry copies under the keys of v1; they must not stay when they have become wrong. */
function dropLegacyKey(draft: Draft, key: 'schema' | 'partition-spec'): void {
	if (draft.extra === undefined || !Object.hasOwn(draft.extra, key)) return;
	draft.extra = Object.fromEntries(Object.entries(draft.extra).filter(([name]) => name !== key));
}
