/** Which rows of a batch belong to which partition. Iceberg spec: Partition Transforms. */
import type { ColumnBatch, Int64Vector, Vector } from '../column/vector.ts';
import { getValue, isNullAt } from '../column/vector-values.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import { bindTransform } from '../spec/transform.ts';
import type { StructValue, Type, Value } from '../spec/types.ts';

/** Rows of one partition within one batch. */
export interface PartitionRows {
	readonly partition: StructValue;
	/** tells partitions of one spec apart */
	readonly key: string;
	/** ascending; `all` when the whole batch is of this partition */
	readonly rows: Uint32Array | 'all';
}

/** Values of one partition field, coded: row i has `values[codes[i]]`. */
interface CodedColumn {
	readonly codes: Uint32Array;
	readonly values: readonly Value[];
}

/**
 * Compiles the splitting of batches of a schema by a spec.
 * @throws `INVALID_SCHEMA`, `UNSUPPORTED` for a spec that cannot be applied: a dropped source column, an unknown transform
 */
export function compilePartitioner(schema: Schema, spec: PartitionSpec): (batch: ColumnBatch) => PartitionRows[] {
	const columns = spec.fields.map((field) => {
		if (field.transform.kind === 'void') return () => ({ codes: undefined, values: [null] });
		const path = pathTo(schema, field.sourceId);
		const source = schema.findField(field.sourceId);
		if (path === undefined || source === undefined) {
			throw new IcebergError(
				'INVALID_SCHEMA',
				`partition field '${field.name}' has no source column with id ${field.sourceId}`,
				{
					context: { partitionField: field.name, fieldId: field.sourceId },
				},
			);
		}
		const code = compileCoder(bindTransform(field.transform, source.type), field.transform.kind, source.type);
		return (batch: ColumnBatch): Partial<CodedColumn> & Pick<CodedColumn, 'values'> => codeNested(batch, path, code);
	});
	return (batch) => {
		if (batch.length === 0) return [];
		const coded = columns.map((column) => column(batch));
		let groups: Uint32Array | undefined;
		let partitions: Value[][] = [[]];
		for (const { codes, values } of coded) {
			if (codes === undefined || values.length === 1) {
				partitions = partitions.map((partition) => [...partition, values[0] as Value]);
				continue;
			}
			[groups, partitions] = combine(groups, partitions, codes, values, batch.length);
		}
		return split(groups, partitions, batch.length);
	};
}

/** Refines groups by one more column; only combinations that occur get a number. */
function combine(
	groups: Uint32Array | undefined,
	partitions: readonly Value[][],
	codes: Uint32Array,
	values: readonly Value[],
	length: number,
): [Uint32Array, Value[][]] {
	const numbers = new Map<number, number>();
	const refined: Value[][] = [];
	const out = new Uint32Array(length);
	let lastPair = -1;
	let last = 0;
	for (let i = 0; i < length; i += 1) {
		const group = groups === undefined ? 0 : (groups[i] as number);
		const code = codes[i] as number;
		const pair = group * values.length + code;
		if (pair !== lastPair) {
			const known = numbers.get(pair);
			last = known ?? refined.length;
			lastPair = pair;
			if (known === undefined) {
				numbers.set(pair, last);
				refined.push([...(partitions[group] as Value[]), values[code] as Value]);
			}
		}
		out[i] = last;
	}
	return [out, refined];
}

function split(groups: Uint32Array | undefined, partitions: readonly Value[][], length: number): PartitionRows[] {
	if (groups === undefined || partitions.length === 1) {
		const partition = partitions[0] as Value[];
		return [{ partition, key: keyOf(partition), rows: 'all' }];
	}
	const counts = new Uint32Array(partitions.length);
	for (let i = 0; i < length; i += 1) counts[groups[i] as number] = (counts[groups[i] as number] as number) + 1;
	const rows = Array.from(counts, (count) => new Uint32Array(count));
	const filled = new Uint32Array(partitions.length);
	for (let i = 0; i < length; i += 1) {
		const group = groups[i] as number;
		const at = filled[group] as number;
		(rows[group] as Uint32Array)[at] = i;
		filled[group] = at + 1;
	}
	return partitions.map((partition, g) => ({ partition, key: keyOf(partition), rows: rows[g] as Uint32Array }));
}

function keyOf(partition: StructValue): string {
	return partition.map(valueKey).join('|');
}

function valueKey(value: Value): string {
	if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('hex')}`;
	if (typeof value === 'string') return `s${value.length}:${value}`;
	// -0 and 0 are different partitions, as they are different values.
	return Object.is(value, -0) ? 'number-0' : `${typeof value}${String(value)}`;
}

/** Positions from the row down through structs. */
function pathTo(schema: Schema, fieldId: number): number[] | undefined {
	const search = (fields: Schema['fields']): number[] | undefined => {
		for (const [i, field] of fields.entries()) {
			if (field.id === fieldId) return [i];
			if (field.type.kind !== 'struct') continue;
			const below = search(field.type.fields);
			if (below !== undefined) return [i, ...below];
		}
		return undefined;
	};
	return search(schema.fields);
}

type Coder = (vector: Vector, isNull: (i: number) => boolean) => CodedColumn;

function codeNested(batch: ColumnBatch, path: readonly number[], code: Coder): CodedColumn {
	const parents: Vector[] = [];
	let vector = batch.columns[path[0] as number] as Vector;
	for (const at of path.slice(1)) {
		if (vector.layout !== 'struct') throw new Error('a partition source below something that is no struct');
		if (vector.nullCount > 0) parents.push(vector);
		vector = vector.children[at] as Vector;
	}
	const leaf = vector;
	const isNull =
		parents.length === 0
			? (i: number) => isNullAt(leaf, i)
			: (i: number) => parents.some((parent) => isNullAt(parent, i)) || isNullAt(leaf, i);
	return code(leaf, isNull);
}

const MICROS_PER: Partial<Record<string, number>> = { day: 86_400_000_000, hour: 3_600_000_000 };

function compileCoder(transform: (value: Value) => Value, kind: string, type: Type): Coder {
	const unit = type.kind === 'timestamp' || type.kind === 'timestamptz' ? MICROS_PER[kind] : undefined;
	if (unit !== undefined) {
		return (vector, isNull) =>
			vector.layout === 'int64' ? codeInstants(vector, isNull, unit, transform) : codeValues(vector, isNull, transform);
	}
	return (vector, isNull) => codeValues(vector, isNull, transform);
}

/** Instants to days or hours by double arithmetic where that is exact, which is for all years up to 2255. */
function codeInstants(
	vector: Int64Vector,
	isNull: (i: number) => boolean,
	unit: number,
	transform: (value: Value) => Value,
): CodedColumn {
	const dictionary = new Dictionary(vector.length);
	const words = new Int32Array(vector.values.buffer, vector.values.byteOffset, vector.length * 2);
	let from = Number.NaN;
	let code = 0;
	for (let i = 0; i < vector.length; i += 1) {
		if (isNull(i)) {
			dictionary.codes[i] = dictionary.codeOf(null);
			continue;
		}
		const value = (words[i * 2 + 1] as number) * 4294967296 + ((words[i * 2] as number) >>> 0);
		// Rows mostly come in the order of time, so the last answer is mostly the next one.
		if (!(value >= from && value < from + unit)) {
			const exact = Number.isSafeInteger(value);
			code = dictionary.codeOf(exact ? Math.floor(value / unit) : transform(vector.values[i] as bigint));
			from = exact ? Math.floor(value / unit) * unit : Number.NaN;
		}
		dictionary.codes[i] = code;
	}
	return dictionary;
}

function codeValues(vector: Vector, isNull: (i: number) => boolean, transform: (value: Value) => Value): CodedColumn {
	const dictionary = new Dictionary(vector.length);
	if (vector.layout === 'dictionary') {
		const known: (number | undefined)[] = [];
		for (let i = 0; i < vector.length; i += 1) {
			if (isNull(i)) dictionary.codes[i] = dictionary.codeOf(null);
			else {
				const entry = vector.indices[i] as number;
				known[entry] ??= dictionary.codeOf(transform(getValue(vector.dictionary, entry)));
				dictionary.codes[i] = known[entry];
			}
		}
		return dictionary;
	}
	for (let i = 0; i < vector.length; i += 1) {
		dictionary.codes[i] = dictionary.codeOf(isNull(i) ? null : transform(getValue(vector, i)));
	}
	return dictionary;
}

class Dictionary implements CodedColumn {
	readonly codes: Uint32Array;
	readonly values: Value[] = [];
	readonly #known = new Map<unknown, number>();

	constructor(length: number) {
		this.codes = new Uint32Array(length);
	}

	codeOf(value: Value): number {
		// A Map finds primitives by value, NaN included; bytes and -0 need a text.
		const key = value instanceof Uint8Array || Object.is(value, -0) ? valueKey(value) : value;
		const known = this.#known.get(key);
		if (known !== undefined) return known;
		this.#known.set(key, this.values.length);
		this.values.push(value);
		return this.values.length - 1;
	}
}
