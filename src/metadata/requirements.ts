/** What a commit expects of the table. Iceberg REST spec: TableRequirement. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { refByName } from '../spec/table-metadata-lookup.ts';
import type { TableRequirement } from './table-update.ts';

/**
 * Checks requirements against the metadata that a commit would replace.
 *
 * @param base `undefined` when there is no table
 * @throws `COMMIT_CONFLICT` naming what was expected and what was found, for the first one that does not hold
 */
export function checkRequirements(base: TableMetadata | undefined, requirements: readonly TableRequirement[]): void {
	for (const requirement of requirements) {
		if (requirement.type === 'assert-create') {
			if (base !== undefined) throw conflict(requirement, 'the table exists already');
			continue;
		}
		if (base === undefined) throw conflict(requirement, 'there is no table');
		checkRequirement(base, requirement);
	}
}

function checkRequirement(
	base: TableMetadata,
	requirement: Exclude<TableRequirement, { type: 'assert-create' }>,
): void {
	const expect = (what: string, expected: unknown, found: unknown): void => {
		if (expected !== found) throw conflict(requirement, `${what} is ${String(found)}, not ${String(expected)}`);
	};
	switch (requirement.type) {
		case 'assert-table-uuid':
			return expect("the table's uuid", requirement.uuid.toLowerCase(), base.tableUuid?.toLowerCase());
		case 'assert-ref-snapshot-id': {
			const found = refByName(base, requirement.ref)?.snapshotId ?? null;
			if (found === requirement.snapshotId) return;
			const text = found === null ? 'does not exist' : `points at snapshot ${found}`;
			const expected =
				requirement.snapshotId === null ? 'to not exist' : `to point at snapshot ${requirement.snapshotId}`;
			throw conflict(requirement, `the ref '${requirement.ref}' ${text}, but was expected ${expected}`);
		}
		case 'assert-last-assigned-field-id':
			return expect('the last column id', requirement.lastAssignedFieldId, base.lastColumnId);
		case 'assert-current-schema-id':
			return expect("the current schema's id", requirement.currentSchemaId, base.currentSchemaId);
		case 'assert-last-assigned-partition-id':
			return expect('the last partition field id', requirement.lastAssignedPartitionId, base.lastPartitionId);
		case 'assert-default-spec-id':
			return expect("the default partition spec's id", requirement.defaultSpecId, base.defaultSpecId);
		case 'assert-default-sort-order-id':
			return expect("the default sort order's id", requirement.defaultSortOrderId, base.defaultSortOrderId);
		default:
			// A condition that cannot be checked must not count as one that holds.
			throw new IcebergError(
				'UNSUPPORTED',
				`there is no requirement '${String((requirement as { type: unknown }).type)}'`,
			);
	}
}

function conflict(requirement: TableRequirement, reason: string): IcebergError {
	return new IcebergError('COMMIT_CONFLICT', `the table has changed: ${reason}`, {
		retryable: true,
		context: { requirement: requirement.type },
	});
}
