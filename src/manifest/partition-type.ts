/** The types of partition values in manifests. Iceberg spec: Partitioning; Manifests. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { PartitionField, PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import { transformResultType } from '../spec/transform.ts';
import type { Type } from '../spec/types.ts';

/** What manifests need to know of their table; `TableMetadata` fits it. */
export interface ManifestTable {
	readonly partitionSpecs: readonly PartitionSpec[];
	/** older schemas included: a partition field may stand on a column that was dropped since */
	readonly schemas: readonly Schema[];
	readonly currentSchemaId: number;
}

/** A partition field and the type of its values. */
export interface TypedPartitionField {
	readonly fieldId: number;
	readonly name: string;
	/**
	 * `undefined` where the table does not tell: an unknown transform, or a source column in no schema that is left.
	 * Such values have the type that the manifest's writer gave them.
	 */
	readonly type: Type | undefined;
	/** A field of the spec that a manifest may leave out, because it is always null. */
	readonly alwaysNull: boolean;
}

/** @throws `CORRUPT` when the table has no spec of that id */
export function specOf(table: ManifestTable, specId: number, location: string): PartitionSpec {
	const spec = table.partitionSpecs.find((candidate) => candidate.specId === specId);
	if (spec === undefined) {
		throw new IcebergError('CORRUPT', `${location} is of partition spec ${specId}, which the table does not have`, {
			context: { location, specId },
		});
	}
	return spec;
}

/** In the order of the spec's fields. Types follow the current schema, so that promoted columns compare as they read. */
export function typedPartitionFields(table: ManifestTable, spec: PartitionSpec): TypedPartitionField[] {
	return spec.fields.map((field) => {
		const type = resultType(table, field);
		return {
			fieldId: field.fieldId,
			name: field.name,
			type,
			alwaysNull: field.transform.kind === 'void' || type?.kind === 'unknown',
		};
	});
}

function resultType(table: ManifestTable, field: PartitionField): Type | undefined {
	const { transform } = field;
	if (transform.kind === 'unknown') return undefined;
	const source = sourceType(table, field.sourceId);
	if (source !== undefined) return transformResultType(transform, source);
	const dependsOnSource = transform.kind === 'identity' || transform.kind === 'truncate' || transform.kind === 'void';
	return dependsOnSource ? undefined : transformResultType(transform, { kind: 'unknown' });
}

function sourceType(table: ManifestTable, sourceId: number): Type | undefined {
	const current = table.schemas.find((schema) => schema.schemaId === table.currentSchemaId);
	const found = current?.findField(sourceId);
	if (found !== undefined) return found.type;
	for (let i = table.schemas.length - 1; i >= 0; i--) {
		const type = table.schemas[i]?.findField(sourceId)?.type;
		if (type !== undefined) return type;
	}
	return undefined;
}
