/** What the values of a column really are, to be held against what statistics say of them. */
import { getBit } from '../column/bitmap.ts';
import { getValue, isNullAt } from '../column/vector-values.ts';
import { flatten } from '../column/vector-ops.ts';
import type { Vector } from '../column/vector.ts';
import { compareValues } from '../spec/compare.ts';
import type { NestedField, StructType, Type, Value } from '../spec/types.ts';

/** Facts about the values of one leaf that does not repeat. */
export interface LeafFacts {
	readonly field: NestedField;
	/** full name */
	readonly name: string;
	/** with nulls */
	valueCount: number;
	/** rows in which it, or a struct that holds it, is null */
	nullCount: number;
	nanCount: number;
	/** NaN left out; undefined when there is no such value */
	min: Value | undefined;
	max: Value | undefined;
}

/** The leaves of a row that do not repeat: columns and children of structs, but nothing below lists and maps. */
export function leavesOf(fields: readonly NestedField[]): { field: NestedField; name: string; path: number[] }[] {
	const found: { field: NestedField; name: string; path: number[] }[] = [];
	const visit = (field: NestedField, name: string, path: number[]): void => {
		if (field.type.kind === 'struct')
			for (const [index, child] of field.type.fields.entries()) visit(child, `${name}.${child.name}`, [...path, index]);
		else if (isLeaf(field.type)) found.push({ field, name, path });
	};
	for (const [index, field] of fields.entries()) visit(field, field.name, [index]);
	return found;
}

function isLeaf(type: Type): boolean {
	return !['list', 'map', 'variant', 'geometry', 'geography', 'unknown', 'unsupported'].includes(type.kind);
}

export function newFacts(leaf: { field: NestedField; name: string }): LeafFacts {
	return {
		field: leaf.field,
		name: leaf.name,
		valueCount: 0,
		nullCount: 0,
		nanCount: 0,
		min: undefined,
		max: undefined,
	};
}

/** The leaf's vector, and the structs that hold it, outermost first. */
export function leafVector(columns: readonly Vector[], path: readonly number[]): { vector: Vector; parents: Vector[] } {
	const parents: Vector[] = [];
	let vector = columns[path[0] as number] as Vector;
	for (const index of path.slice(1)) {
		parents.push(vector);
		if (vector.layout !== 'struct')
			throw new TypeError(`a ${(vector.type as StructType).kind} where a struct should be`);
		vector = vector.children[index] as Vector;
	}
	return { vector: flatten(vector), parents };
}

/** Adds the values of a batch. */
export function addFacts(facts: LeafFacts, vector: Vector, parents: readonly Vector[]): void {
	const { type } = facts.field;
	facts.valueCount += vector.length;
	const hidden = parents.filter((parent) => parent.validity !== null);
	const isNull = (row: number): boolean => isNullAt(vector, row) || hidden.some((parent) => isNullAt(parent, row));
	if (vector.layout === 'float32' || vector.layout === 'float64') return addFloats(facts, vector, isNull);
	if ((vector.layout === 'int32' || vector.layout === 'int64') && vector.nullCount === 0 && hidden.length === 0)
		return addIntegers(facts, vector);
	const compare = compareValues(type);
	for (let row = 0; row < vector.length; row++) {
		if (isNull(row)) facts.nullCount++;
		else widen(facts, getValue(vector, row), compare);
	}
}

function widen(facts: LeafFacts, value: Value, compare: (a: Value, b: Value) => number): void {
	if (facts.min === undefined || compare(value, facts.min) < 0) facts.min = value;
	if (facts.max === undefined || compare(value, facts.max) > 0) facts.max = value;
}

function addFloats(
	facts: LeafFacts,
	vector: Extract<Vector, { layout: 'float32' | 'float64' }>,
	isNull: (row: number) => boolean,
): void {
	const compare = compareValues(facts.field.type);
	for (let row = 0; row < vector.length; row++) {
		const value = vector.values[row] as number;
		if (isNull(row)) facts.nullCount++;
		else if (Number.isNaN(value)) facts.nanCount++;
		else if (facts.min === undefined || value <= (facts.min as number) || value >= (facts.max as number))
			widen(facts, value, compare);
	}
}

function addIntegers(facts: LeafFacts, vector: Extract<Vector, { layout: 'int32' | 'int64' }>): void {
	if (vector.length === 0) return;
	const { values } = vector;
	let min = values[0] as number | bigint;
	let max = min;
	for (let row = 1; row < vector.length; row++) {
		const value = values[row] as number | bigint;
		if (value < min) min = value;
		else if (value > max) max = value;
	}
	const compare = compareValues(facts.field.type);
	widen(facts, min, compare);
	widen(facts, max, compare);
}

/** Rows at which a vector and its parents have values. */
export function presentRows(vector: Vector, parents: readonly Vector[]): (row: number) => boolean {
	const bitmaps = [vector, ...parents].flatMap((one) => (one.validity === null ? [] : [one.validity]));
	return (row) => bitmaps.every((bits) => getBit(bits, row));
}
