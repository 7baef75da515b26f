/** From the corpus' canonical JSON to engine values and predicates. */
import * as build from '../../src/expr/builders.ts';
import { predicatesOf } from '../../src/expr/bound.ts';
import type { BoundExpression, Expression, LiteralInput } from '../../src/expr/expression.ts';
import { fromHex } from '../../src/util/hex.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { StructValue, Type, Value } from '../../src/spec/types.ts';
import { parseValue } from '../../src/spec/value-text.ts';
import type { Loose } from './corpus.ts';

/** A canonical value as an engine value. Lists, maps and variants become something that is merely not null. */
export function canonicalToEngine(type: Type, json: Loose): Value {
	if (json === null || json === undefined) return null;
	switch (type.kind) {
		case 'boolean':
		case 'int':
			return json;
		case 'float':
		case 'double':
			return typeof json === 'string' ? Number(json) : Number(json);
		case 'long':
			return BigInt(json);
		case 'struct':
			return type.fields.map((field) => canonicalToEngine(field.type, json[field.name]));
		case 'list':
		case 'map':
		case 'variant':
			return [];
		case 'fixed':
		case 'binary':
		case 'geometry':
		case 'geography':
			return fromHex(json) as Uint8Array;
		default:
			return parseValue(type, json);
	}
}

/** A filter of the corpus as a predicate, with literals as a user would write them. */
export function corpusFilter(filter: Loose, schema: Schema): Expression {
	const { op } = filter;
	if (op === 'and' || op === 'or')
		return (op === 'and' ? build.and : build.or)(corpusFilter(filter.left, schema), corpusFilter(filter.right, schema));
	if (op === 'not') return build.not(corpusFilter(filter.child, schema));
	const type = schema.findFieldByName(filter.column)?.type as Type;
	const literals = (filter.values ?? []).map((value: Loose) => literalOf(type, value));
	const ref = { name: filter.column };
	if (op === 'in' || op === 'not-in') return { op, ref, literals };
	if (literals.length === 0) return { op, ref };
	return { op, ref, literal: literals[0] };
}

function literalOf(type: Type, json: Loose): LiteralInput {
	switch (type.kind) {
		case 'long':
			return BigInt(json);
		case 'float':
		case 'double':
			return Number(json);
		default:
			return json;
	}
}

/**
 * Where Java contradicts itself, and what is right is what no file layout changes: a null is below no literal (Java lets
 * its row filter keep it, and its pruning drop it); NaN is above every number also where a file's bounds leave it out;
 * uuids are ordered by their bytes as unsigned, as Parquet and the bounds of the files order them.
 */
export function javaDeviates(expr: BoundExpression, row: StructValue): boolean {
	for (const pred of predicatesOf(expr)) {
		const value = at(row, pred.ref.path);
		if ((pred.op === 'lt' || pred.op === 'lt-eq') && value === null) return true;
		if ((pred.op === 'gt' || pred.op === 'gt-eq') && value !== value) return true;
	}
	return ordersUuids(expr);
}

function at(row: StructValue, path: readonly number[]): Value {
	let value: Value = row;
	for (const position of path) value = value === null ? null : ((value as StructValue)[position] ?? null);
	return value;
}

/** Whether a predicate orders uuids, or looks for them in a set. */
export function ordersUuids(expr: BoundExpression): boolean {
	return [...predicatesOf(expr)].some(
		(pred) => pred.ref.type.kind === 'uuid' && 'literal' in pred && pred.op !== 'eq' && pred.op !== 'not-eq',
	);
}
