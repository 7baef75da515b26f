/** The schema of a new table for the columns of a file that knows its own types. */
import { Schema } from '../spec/schema.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { NestedField, Type } from '../spec/types.ts';
import type { InferredSchema } from './import-source.ts';
import { FieldIds } from './field-ids.ts';

/**
 * The file's fields with ids from 1. For a table of format version 2, which has no types finer than a microsecond and
 * no type for columns that are always null, nanoseconds become microseconds (a value that does not fit is refused when it is
 * read) and such columns text.
 */
export function schemaOfFile(fields: readonly NestedField[], formatVersion: FormatVersion): InferredSchema {
	const schema = new Schema({ fields: renumbered(fields, new FieldIds(), formatVersion) });
	return {
		schema,
		columns: schema.fields.map(({ name, type }) => ({ name, type, nullCount: undefined })),
		rowCount: undefined,
		complete: true,
	};
}

function renumbered(fields: readonly NestedField[], ids: FieldIds, version: FormatVersion): NestedField[] {
	const own = fields.map((field) => ({ field, id: ids.next() }));
	return own.map(({ field, id }) => ({
		id,
		name: field.name,
		required: field.required,
		type: typeFor(field.type, ids, version),
		...(field.doc === undefined ? {} : { doc: field.doc }),
	}));
}

function typeFor(type: Type, ids: FieldIds, version: FormatVersion): Type {
	switch (type.kind) {
		case 'struct':
			return { kind: 'struct', fields: renumbered(type.fields, ids, version) };
		case 'list': {
			const elementId = ids.next();
			return { ...type, elementId, element: typeFor(type.element, ids, version) };
		}
		case 'map': {
			const keyId = ids.next();
			const valueId = ids.next();
			return {
				...type,
				keyId,
				valueId,
				key: typeFor(type.key, ids, version),
				value: typeFor(type.value, ids, version),
			};
		}
		case 'timestamp_ns':
			return version < 3 ? { kind: 'timestamp' } : type;
		case 'timestamptz_ns':
			return version < 3 ? { kind: 'timestamptz' } : type;
		case 'unknown':
			return version < 3 ? { kind: 'string' } : type;
		default:
			return type;
	}
}
