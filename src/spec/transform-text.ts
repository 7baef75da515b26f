/** Transforms of columns as people write them: `day(ts)`, `bucket(16, id)`, `region`. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Schema } from './schema.ts';
import { canTransform, type Transform } from './transform.ts';
import { typeToString } from './type-text.ts';
import type { NestedField } from './types.ts';

/** A transform of one column of a schema. */
export interface TransformedColumn {
	readonly transform: Transform;
	readonly field: NestedField;
	/** full name of the column */
	readonly name: string;
}

const CALL = /^([a-z]+)\s*\(\s*(.*?)\s*\)$/i;
const NUMBER_FIRST = /^(\d{1,10})\s*,\s*(.+)$/s;
const NUMBER_LAST = /^(.+?)\s*,\s*(\d{1,10})$/s;

/**
 * Reads a column's name (in double quotes or backticks where it has odd characters) or a transform of one. `years`,
 * `months`, `days`, `hours` stand for the singular, and `void(x)` for the transform that gives null.
 *
 * @param what what the text is, for messages: `partition field`, `sort field`
 * @throws `INVALID_SCHEMA` for a column that is not in the schema, an unknown transform, one that does not take the
 *   column's type, and a column inside of a list or map
 */
export function parseTransformedColumn(schema: Schema, text: string, what: string): TransformedColumn {
	const trimmed = text.trim();
	const call = schema.findFieldByName(trimmed) === undefined ? CALL.exec(trimmed) : null;
	const parsed =
		call === null ? { transform: { kind: 'identity' } as const, name: trimmed } : parseCall(call, text, what);
	const name = unquote(parsed.name);
	const field = schema.findFieldByName(name);
	if (field === undefined) {
		const known = schema.fields.map((column) => `'${column.name}'`).join(', ');
		throw invalid(text, what, `there is no column '${name}' (there are ${known})`);
	}
	checkSource(schema, field, parsed.transform, `${what} '${text}'`);
	return { transform: parsed.transform, field, name };
}

/**
 * Checks that a transform can be applied to a field of a schema.
 *
 * @throws `INVALID_SCHEMA` when it does not take the field's type, or the field is inside of a list or map
 */
export function checkSource(schema: Schema, field: NestedField, transform: Transform, what: string): void {
	if (!canTransform(transform, field.type)) {
		const name = transform.kind === 'unknown' ? transform.text : transform.kind;
		throw new IcebergError('INVALID_SCHEMA', `${what}: ${name} takes no ${typeToString(field.type)}`, {
			context: { field: schema.nameOf(field.id) },
		});
	}
	for (let up = schema.parentOf(field.id); up !== undefined; up = schema.parentOf(up)) {
		const kind = schema.findField(up)?.type.kind;
		if (kind !== 'struct') {
			throw new IcebergError('INVALID_SCHEMA', `${what}: '${schema.nameOf(field.id)}' is inside of a ${kind}`, {
				context: { field: schema.nameOf(field.id) },
			});
		}
	}
}

function parseCall(call: RegExpExecArray, text: string, what: string): { transform: Transform; name: string } {
	const name = (call[1] as string).toLowerCase();
	const args = call[2] as string;
	switch (name) {
		case 'year':
		case 'years':
		case 'month':
		case 'months':
		case 'day':
		case 'days':
		case 'hour':
		case 'hours':
			return { transform: { kind: name.replace(/s$/, '') as 'year' | 'month' | 'day' | 'hour' }, name: args };
		case 'date':
			return { transform: { kind: 'day' }, name: args };
		case 'identity':
			return { transform: { kind: 'identity' }, name: args };
		case 'void':
			return { transform: { kind: 'void' }, name: args };
		case 'bucket':
		case 'truncate': {
			const first = NUMBER_FIRST.exec(args);
			const last = first === null ? NUMBER_LAST.exec(args) : null;
			const parameter = Number(first?.[1] ?? last?.[2] ?? 0);
			if (!(parameter >= 1 && parameter <= 0x7fffffff)) {
				throw invalid(text, what, `expected ${name}(${name === 'bucket' ? 16 : 10}, column) with a number from 1 up`);
			}
			const transform: Transform =
				name === 'bucket' ? { kind: 'bucket', buckets: parameter } : { kind: 'truncate', width: parameter };
			return { transform, name: (first?.[2] ?? last?.[1]) as string };
		}
		default:
			throw invalid(
				text,
				what,
				`there is no transform '${name}' (there are identity, year, month, day, hour, bucket, truncate, void)`,
			);
	}
}

function unquote(name: string): string {
	const quoted = /^"((?:[^"]|"")+)"$/.exec(name) ?? /^`([^`]+)`$/.exec(name);
	return quoted === null ? name : (quoted[1] as string).replaceAll('""', '"');
}

function invalid(text: string, what: string, reason: string): IcebergError {
	return new IcebergError('INVALID_SCHEMA', `${what} '${text}': ${reason}`, { context: { text } });
}
