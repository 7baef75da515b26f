/** What a table takes as a schema, beyond what a schema has to be. Iceberg spec: Schemas and Data Types, by version. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Schema } from '../spec/schema.ts';
import { FIRST_RESERVED_FIELD_ID, validateFields } from '../spec/schema-validation.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import { typeToString } from '../spec/type-text.ts';
import type { NestedField, Type } from '../spec/types.ts';

/**
 * Checks a schema for a table of a format version. Fields that a schema of the table has already are taken as they are:
 * somebody else may have good reasons for them.
 *
 * @param existing the table's schemas; none for a new table
 * @throws `INVALID_SCHEMA` naming the field, for reserved ids, unknown types, types and defaults of a newer version
 */
export function checkSchemaForTable(schema: Schema, existing: readonly Schema[], formatVersion: FormatVersion): void {
	if (existing.length === 0) validateFields(schema.fields);
	for (const [id, field] of schema.fieldsById) {
		const name = schema.nameOf(id) as string;
		const known = existing.some((other) => isSame(other.findField(id), field));
		if (known) continue;
		if (id >= FIRST_RESERVED_FIELD_ID) {
			throw invalid(name, `ids from ${FIRST_RESERVED_FIELD_ID} up are reserved for metadata columns, such as ${id}`);
		}
		if (field.type.kind === 'unsupported') throw invalid(name, `there is no type '${typeToString(field.type)}'`);
		const minimum = minFormatVersion(field.type);
		if (minimum > formatVersion) {
			throw invalid(
				name,
				`the type ${typeToString(field.type)} needs format version ${minimum}, the table has ${formatVersion}`,
			);
		}
		const hasDefault = (field.initialDefault ?? null) !== null || (field.writeDefault ?? null) !== null;
		if (hasDefault && formatVersion < 3) {
			throw invalid(name, `defaults need format version 3, the table has ${formatVersion}`);
		}
	}
}

/** The first format version that has a type, what is nested in it left aside. */
export function minFormatVersion(type: Type): FormatVersion {
	switch (type.kind) {
		case 'timestamp_ns':
		case 'timestamptz_ns':
		case 'unknown':
		case 'variant':
		case 'geometry':
		case 'geography':
			return 3;
		default:
			return 1;
	}
}

function isSame(a: NestedField | undefined, b: NestedField): boolean {
	return a !== undefined && typeToString(a.type) === typeToString(b.type);
}

function invalid(name: string, reason: string): IcebergError {
	return new IcebergError('INVALID_SCHEMA', `field '${name}': ${reason}`, { context: { field: name } });
}
