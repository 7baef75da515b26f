/** Iceberg spec: Appendix C: JSON serialization, Sort Orders. */
import { JsonReader } from './json-access.ts';
import { sourceIdsFromJson, sourceIdsToJson } from './partition-spec-json.ts';
import type { SortField, SortOrder } from './sort-order.ts';
import { parseTransform, transformToString } from './transform.ts';
import type { JsonValue } from './types.ts';

const KNOWN_KEYS: ReadonlySet<string> = new Set(['order-id', 'fields']);
const KNOWN_FIELD_KEYS: ReadonlySet<string> = new Set([
	'source-id',
	'source-ids',
	'transform',
	'direction',
	'null-order',
]);

/** @throws `CORRUPT` naming the key for JSON that is no sort order */
export function sortOrderFromJson(json: JsonValue, at = 'sort-order'): SortOrder {
	const reader = new JsonReader(json, at);
	const extra = reader.rest(KNOWN_KEYS);
	return {
		orderId: reader.int('order-id'),
		fields: reader.list('fields', sortFieldFromJson),
		...(extra === undefined ? {} : { extra }),
	};
}

/** The JSON of an order: what {@link sortOrderFromJson} reads back as an equal one. */
export function sortOrderToJson(order: SortOrder): JsonValue {
	return {
		'order-id': order.orderId,
		fields: order.fields.map((field) => ({
			transform: transformToString(field.transform),
			...sourceIdsToJson(field),
			direction: field.direction,
			'null-order': field.nullOrder,
			...field.extra,
		})),
		...order.extra,
	};
}

function sortFieldFromJson(json: JsonValue, at: string): SortField {
	const reader = new JsonReader(json, at);
	const direction = reader.text('direction').toLowerCase();
	if (direction !== 'asc' && direction !== 'desc') throw reader.wrong('direction', "'asc' or 'desc'");
	const nullOrder = reader.text('null-order').toLowerCase();
	if (nullOrder !== 'nulls-first' && nullOrder !== 'nulls-last') {
		throw reader.wrong('null-order', "'nulls-first' or 'nulls-last'");
	}
	const extra = reader.rest(KNOWN_FIELD_KEYS);
	return {
		...sourceIdsFromJson(reader),
		transform: parseTransform(reader.text('transform')),
		direction,
		nullOrder,
		...(extra === undefined ? {} : { extra }),
	};
}
