/** Masks of matching rows: one byte a row, 1 where it matches. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { ColumnBatch, DictionaryVector, StructVector, Vector } from '../column/vector.ts';
import { typeToString } from '../spec/type-json.ts';
import type { NestedField } from '../spec/types.ts';
import type { Kernel } from './kernel.ts';
import { bytesKernel } from './kernel-bytes.ts';
import { fixedKernel } from './kernel-fixed.ts';
import { decimalKernel, int64Kernel } from './kernel-int64.ts';
import { booleanKernel, floatKernel, int32Kernel } from './kernel-number.ts';
import type { BoundExpression, BoundPredicate } from './expression.ts';

/** Fills the first `batch.length` bytes of the mask. */
export type FillMask = (batch: ColumnBatch, mask: Uint8Array) => void;

/** @throws `INVALID_ARGUMENT` when the fields lack a column of the expression */
export function compileMask(expr: BoundExpression, fields: readonly NestedField[]): FillMask {
	switch (expr.op) {
		case 'true':
			return (batch, mask) => mask.fill(1, 0, batch.length);
		case 'false':
			return (batch, mask) => mask.fill(0, 0, batch.length);
		case 'and':
		case 'or':
			return connect(
				expr.op,
				expr.children.map((child) => compileMask(child, fields)),
			);
		default:
			return predicateMask(expr, fields);
	}
}

function connect(op: 'and' | 'or', children: readonly FillMask[]): FillMask {
	let scratch = new Uint8Array(0);
	const settled = op === 'and' ? 0 : 1;
	return (batch, mask) => {
		const { length } = batch;
		(children[0] as FillMask)(batch, mask);
		for (let c = 1; c < children.length; c++) {
			let sum = 0;
			for (let i = 0; i < length; i++) sum += mask[i] as number;
			if (sum === settled * length) return;
			if (scratch.length < length) scratch = new Uint8Array(length);
			(children[c] as FillMask)(batch, scratch);
			if (op === 'and') for (let i = 0; i < length; i++) mask[i] = (mask[i] as number) & (scratch[i] as number);
			else for (let i = 0; i < length; i++) mask[i] = (mask[i] as number) | (scratch[i] as number);
		}
	};
}

function predicateMask(pred: BoundPredicate, fields: readonly NestedField[]): FillMask {
	const { path, field } = findField(pred, fields);
	const kernel = kernelOf(pred, field);
	const nullMatches = matchesNull(pred);
	return (batch, mask) => {
		const { length } = batch;
		let vector = batch.columns[path[0] as number] as Vector;
		// A null parent makes the field null, whatever stands below it.
		const parents: Vector[] = [];
		for (let i = 1; i < path.length; i++) {
			parents.push(vector);
			vector = (vector as StructVector).children[path[i] as number] as Vector;
		}
		if (vector.layout === 'null') mask.fill(nullMatches, 0, length);
		else {
			kernel(vector, length, mask);
			if (vector.nullCount > 0) putNulls(vector.validity, length, mask, nullMatches);
		}
		for (const parent of parents) if (parent.nullCount > 0) putNulls(parent.validity, length, mask, nullMatches);
	};
}

/** What a null gives: only these predicates match it. */
function matchesNull(pred: BoundPredicate): 0 | 1 {
	switch (pred.op) {
		case 'is-null':
		case 'not-eq':
		case 'not-in':
		case 'not-starts-with':
		case 'not-nan':
			return 1;
		default:
			return 0;
	}
}

function putNulls(validity: Uint8Array | null, length: number, mask: Uint8Array, value: 0 | 1): void {
	if (validity === null) return;
	for (let start = 0; start < length; start += 8) {
		const bits = validity[start >> 3] as number;
		if (bits === 0xff) continue;
		const end = Math.min(8, length - start);
		for (let k = 0; k < end; k++) if (((bits >> k) & 1) === 0) mask[start + k] = value;
	}
}

function kernelOf(pred: BoundPredicate, field: NestedField): Kernel {
	if (pred.op === 'is-null') return (_vector, length, mask) => mask.fill(0, 0, length);
	if (pred.op === 'not-null') return (_vector, length, mask) => mask.fill(1, 0, length);
	if (pred.ref.type.kind !== field.type.kind)
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`column '${pred.ref.name}' is of type ${typeToString(field.type)} in the batch, but ${typeToString(pred.ref.type)} in the predicate`,
			{ context: { column: pred.ref.name, fieldId: field.id } },
		);
	switch (pred.ref.type.kind) {
		case 'boolean':
			return booleanKernel(pred);
		case 'int':
		case 'date':
			return int32Kernel(pred);
		case 'float':
		case 'double':
			return floatKernel(pred);
		case 'decimal':
			return decimalKernel(pred);
		case 'uuid':
		case 'fixed':
			return fixedKernel(pred);
		case 'string':
		case 'binary':
			return overDictionaries(bytesKernel(pred));
		default:
			return int64Kernel(pred);
	}
}

/** Evaluates a dictionary once for all vectors in a row that share it, and looks the elements up. */
function overDictionaries(kernel: Kernel): Kernel {
	let known: DictionaryVector['dictionary'] | undefined;
	let answers = new Uint8Array(0);
	return (vector, length, mask) => {
		if (vector.layout !== 'dictionary') {
			kernel(vector, length, mask);
			return;
		}
		const { dictionary, indices } = vector;
		if (dictionary !== known) {
			if (answers.length < dictionary.length) answers = new Uint8Array(dictionary.length);
			kernel(dictionary, dictionary.length, answers);
			known = dictionary;
		}
		for (let i = 0; i < length; i++) mask[i] = answers[indices[i] as number] as number;
	};
}

function findField(
	pred: BoundPredicate,
	fields: readonly NestedField[],
): { readonly path: readonly number[]; readonly field: NestedField } {
	const search = (
		within: readonly NestedField[],
		path: readonly number[],
	): ReturnType<typeof findField> | undefined => {
		for (let i = 0; i < within.length; i++) {
			const field = within[i] as NestedField;
			if (field.id === pred.ref.fieldId) return { path: [...path, i], field };
			if (field.type.kind === 'struct') {
				const found = search(field.type.fields, [...path, i]);
				if (found !== undefined) return found;
			}
		}
		return undefined;
	};
	const found = search(fields, []);
	if (found === undefined)
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`column '${pred.ref.name}' (field id ${pred.ref.fieldId}) is not among the columns to filter`,
			{ context: { column: pred.ref.name, fieldId: pred.ref.fieldId } },
		);
	return found;
}
