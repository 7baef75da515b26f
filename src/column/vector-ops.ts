/** Operations on whole vectors. None changes its input; results may share buffers with it. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Type } from '../spec/types.ts';
import { bitmapBytes, copyBits, countZeros, fillBits, sliceBits, takeBits } from './bitmap.ts';
import type { BytesVector, ColumnBatch, DictionaryVector, StructVector, Vector } from './vector.ts';

/** Most bytes of the values of one `bytes` vector: its offsets are 32-bit. */
export const BYTES_VECTOR_LIMIT_BYTES = 0x7fffffff;

/** Dictionaries expanded, at every level. Returns the vector itself when it holds none. */
export function flatten(vector: Vector): Exclude<Vector, DictionaryVector> {
	switch (vector.layout) {
		case 'dictionary':
			return flattenDictionary(vector);
		case 'struct': {
			const children = vector.children.map(flatten);
			return children.every((child, i) => child === vector.children[i]) ? vector : { ...vector, children };
		}
		case 'list': {
			const child = flatten(vector.child);
			return child === vector.child ? vector : { ...vector, child };
		}
		case 'map': {
			const keys = flatten(vector.keys);
			const items = flatten(vector.items);
			return keys === vector.keys && items === vector.items ? vector : { ...vector, keys, items };
		}
		default:
			return vector;
	}
}

function flattenDictionary(vector: DictionaryVector): BytesVector {
	const { indices, dictionary, length, validity } = vector;
	const from = dictionary.offsets;
	const offsets = new Int32Array(length + 1);
	let total = 0;
	for (let i = 0; i < length; i++) {
		if (validity === null || ((validity[i >> 3] as number) >> (i & 7)) & 1) {
			const index = indices[i] as number;
			total += (from[index + 1] as number) - (from[index] as number);
		}
		if (total > BYTES_VECTOR_LIMIT_BYTES) throw tooManyBytes();
		offsets[i + 1] = total;
	}
	const values = new Uint8Array(total);
	for (let i = 0; i < length; i++) {
		const start = offsets[i] as number;
		const count = (offsets[i + 1] as number) - start;
		if (count > 0) copyBytes(dictionary.values, from[indices[i] as number] as number, values, start, count);
	}
	return { type: vector.type, layout: 'bytes', length, nullCount: vector.nullCount, validity, offsets, values };
}

/** A loop for short runs, where a call of `set` with a view costs more than the copy. */
function copyBytes(source: Uint8Array, from: number, target: Uint8Array, at: number, count: number): void {
	if (count > 48) target.set(source.subarray(from, from + count), at);
	else for (let k = 0; k < count; k++) target[at + k] = source[from + k] as number;
}

function tooManyBytes(): IcebergError {
	return new IcebergError(
		'LIMIT_EXCEEDED',
		`a column of one batch holds at most ${BYTES_VECTOR_LIMIT_BYTES} bytes of text or binary; use smaller batches`,
		{ context: { limit: 'BYTES_VECTOR_LIMIT_BYTES', limitBytes: BYTES_VECTOR_LIMIT_BYTES } },
	);
}

/** Elements [from, to). Fixed-width and byte values are shared, not copied. */
export function slice(vector: Vector, from: number, to: number): Vector {
	if (from < 0 || to < from || to > vector.length) throw new RangeError(`slice ${from}..${to} of ${vector.length}`);
	if (from === 0 && to === vector.length) return vector;
	const base = slicedBase(vector, from, to);
	switch (vector.layout) {
		case 'boolean':
			return { ...base, layout: 'boolean', values: sliceBits(vector.values, from, to) };
		case 'int32':
			return { ...base, layout: 'int32', values: vector.values.subarray(from, to) };
		case 'int64':
			return { ...base, layout: 'int64', values: vector.values.subarray(from, to) };
		case 'float32':
			return { ...base, layout: 'float32', values: vector.values.subarray(from, to) };
		case 'float64':
			return { ...base, layout: 'float64', values: vector.values.subarray(from, to) };
		case 'decimal128':
			return { ...base, layout: 'decimal128', values: vector.values.subarray(2 * from, 2 * to) };
		case 'fixed': {
			const { width } = vector;
			return { ...base, layout: 'fixed', width, values: vector.values.subarray(width * from, width * to) };
		}
		case 'bytes':
			return { ...base, layout: 'bytes', offsets: vector.offsets.subarray(from, to + 1), values: vector.values };
		case 'dictionary':
			return {
				...base,
				layout: 'dictionary',
				indices: vector.indices.subarray(from, to),
				dictionary: vector.dictionary,
			};
		case 'struct':
			return { ...base, layout: 'struct', children: vector.children.map((child) => slice(child, from, to)) };
		case 'list': {
			const [start, end] = [vector.offsets[from] as number, vector.offsets[to] as number];
			return {
				...base,
				layout: 'list',
				offsets: rebased(vector.offsets, from, to),
				child: slice(vector.child, start, end),
			};
		}
		case 'map': {
			const [start, end] = [vector.offsets[from] as number, vector.offsets[to] as number];
			return {
				...base,
				layout: 'map',
				offsets: rebased(vector.offsets, from, to),
				keys: slice(vector.keys, start, end),
				items: slice(vector.items, start, end),
			};
		}
		case 'variant':
			return {
				...base,
				layout: 'variant',
				metadata: slice(vector.metadata, from, to) as BytesVector,
				value: slice(vector.value, from, to) as BytesVector,
			};
		case 'null':
			return { ...base, layout: 'null', nullCount: to - from };
	}
}

interface Base {
	readonly type: Type;
	readonly length: number;
	readonly nullCount: number;
	readonly validity: Uint8Array | null;
}

function baseOf(type: Type, length: number, validity: Uint8Array | null): Base {
	const nullCount = validity === null ? 0 : countZeros(validity, length);
	return { type, length, nullCount, validity: nullCount === 0 ? null : validity };
}

function slicedBase(vector: Vector, from: number, to: number): Base {
	return baseOf(vector.type, to - from, vector.validity === null ? null : sliceBits(vector.validity, from, to));
}

function rebased(offsets: Int32Array, from: number, to: number): Int32Array {
	const out = offsets.slice(from, to + 1);
	const start = out[0] as number;
	if (start !== 0) for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) - start;
	return out;
}

/** The elements at the given positions, in their order; positions may repeat. */
export function take(vector: Vector, indexes: Uint32Array): Vector {
	const n = indexes.length;
	const base = baseOf(vector.type, n, vector.validity === null ? null : takeBits(vector.validity, indexes));
	switch (vector.layout) {
		case 'boolean':
			return { ...base, layout: 'boolean', values: takeBits(vector.values, indexes) };
		case 'int32': {
			const values = new Int32Array(n);
			for (let i = 0; i < n; i++) values[i] = vector.values[indexes[i] as number] as number;
			return { ...base, layout: 'int32', values };
		}
		case 'int64': {
			const values = new BigInt64Array(n);
			takePairs(vector.values, indexes, values, 1);
			return { ...base, layout: 'int64', values };
		}
		case 'float32': {
			const values = new Float32Array(n);
			for (let i = 0; i < n; i++) values[i] = vector.values[indexes[i] as number] as number;
			return { ...base, layout: 'float32', values };
		}
		case 'float64': {
			const values = new Float64Array(n);
			for (let i = 0; i < n; i++) values[i] = vector.values[indexes[i] as number] as number;
			return { ...base, layout: 'float64', values };
		}
		case 'decimal128': {
			const values = new BigInt64Array(2 * n);
			takePairs(vector.values, indexes, values, 2);
			return { ...base, layout: 'decimal128', values };
		}
		case 'fixed': {
			const { width } = vector;
			const values = new Uint8Array(width * n);
			for (let i = 0; i < n; i++) copyBytes(vector.values, (indexes[i] as number) * width, values, i * width, width);
			return { ...base, layout: 'fixed', width, values };
		}
		case 'bytes':
			return takeBytes(vector, indexes, base);
		case 'dictionary': {
			const indices = new Int32Array(n);
			for (let i = 0; i < n; i++) indices[i] = vector.indices[indexes[i] as number] as number;
			return { ...base, layout: 'dictionary', indices, dictionary: vector.dictionary };
		}
		case 'struct':
			return { ...base, layout: 'struct', children: vector.children.map((child) => take(child, indexes)) };
		case 'list': {
			const { offsets, inner } = takeRanges(vector.offsets, indexes);
			return { ...base, layout: 'list', offsets, child: take(vector.child, inner) };
		}
		case 'map': {
			const { offsets, inner } = takeRanges(vector.offsets, indexes);
			return { ...base, layout: 'map', offsets, keys: take(vector.keys, inner), items: take(vector.items, inner) };
		}
		case 'variant':
			return {
				...base,
				layout: 'variant',
				metadata: take(vector.metadata, indexes) as BytesVector,
				value: take(vector.value, indexes) as BytesVector,
			};
		case 'null':
			return { ...base, layout: 'null', nullCount: n };
	}
}

/** Copies 64-bit words as pairs of 32-bit ones: no bigint is made. */
function takePairs(source: BigInt64Array, indexes: Uint32Array, target: BigInt64Array, words: number): void {
	const from = new Int32Array(source.buffer, source.byteOffset, source.length * 2);
	const to = new Int32Array(target.buffer, target.byteOffset, target.length * 2);
	const halves = 2 * words;
	let at = 0;
	for (let i = 0; i < indexes.length; i++) {
		const start = (indexes[i] as number) * halves;
		for (let k = 0; k < halves; k++) to[at++] = from[start + k] as number;
	}
}

function takeBytes(vector: BytesVector, indexes: Uint32Array, base: Base): BytesVector {
	const n = indexes.length;
	const from = vector.offsets;
	const offsets = new Int32Array(n + 1);
	let total = 0;
	for (let i = 0; i < n; i++) {
		const index = indexes[i] as number;
		total += (from[index + 1] as number) - (from[index] as number);
		if (total > BYTES_VECTOR_LIMIT_BYTES) throw tooManyBytes();
		offsets[i + 1] = total;
	}
	const values = new Uint8Array(total);
	for (let i = 0; i < n; i++) {
		const start = offsets[i] as number;
		copyBytes(vector.values, from[indexes[i] as number] as number, values, start, (offsets[i + 1] as number) - start);
	}
	return { ...base, layout: 'bytes', offsets, values };
}

function takeRanges(from: Int32Array, indexes: Uint32Array): { offsets: Int32Array; inner: Uint32Array } {
	const offsets = new Int32Array(indexes.length + 1);
	let total = 0;
	for (let i = 0; i < indexes.length; i++) {
		const index = indexes[i] as number;
		total += (from[index + 1] as number) - (from[index] as number);
		if (total > BYTES_VECTOR_LIMIT_BYTES) throw tooManyBytes();
		offsets[i + 1] = total;
	}
	const inner = new Uint32Array(total);
	let at = 0;
	for (let i = 0; i < indexes.length; i++) {
		const end = from[(indexes[i] as number) + 1] as number;
		for (let k = from[indexes[i] as number] as number; k < end; k++) inner[at++] = k;
	}
	return { offsets, inner };
}

/** The vectors one after another; all of one type, at least one. Equal dictionaries are kept, others are flattened. */
export function concat(vectors: readonly Vector[]): Vector {
	const first = vectors[0];
	if (first === undefined) throw new RangeError('concat of no vectors');
	if (vectors.length === 1) return first;
	const same = alike(vectors);
	const base = concatBase(same);
	const { length } = base;
	const lead = same[0] as Vector;
	switch (lead.layout) {
		case 'boolean': {
			const values = new Uint8Array(bitmapBytes(length));
			let at = 0;
			for (const part of same as (typeof lead)[]) {
				copyBits(part.values, 0, values, at, part.length);
				at += part.length;
			}
			return { ...base, layout: 'boolean', values };
		}
		case 'int32':
			return { ...base, layout: 'int32', values: joined(same as (typeof lead)[], new Int32Array(length), 1) };
		case 'int64':
			return { ...base, layout: 'int64', values: joined(same as (typeof lead)[], new BigInt64Array(length), 1) };
		case 'float32':
			return { ...base, layout: 'float32', values: joined(same as (typeof lead)[], new Float32Array(length), 1) };
		case 'float64':
			return { ...base, layout: 'float64', values: joined(same as (typeof lead)[], new Float64Array(length), 1) };
		case 'decimal128':
			return {
				...base,
				layout: 'decimal128',
				values: joined(same as (typeof lead)[], new BigInt64Array(2 * length), 2),
			};
		case 'fixed': {
			const { width } = lead;
			const values = joined(same as (typeof lead)[], new Uint8Array(width * length), width);
			return { ...base, layout: 'fixed', width, values };
		}
		case 'bytes':
			return concatBytes(same as BytesVector[], base);
		case 'dictionary': {
			const indices = new Int32Array(length);
			let at = 0;
			for (const part of same as DictionaryVector[]) {
				indices.set(part.indices.subarray(0, part.length), at);
				at += part.length;
			}
			return { ...base, layout: 'dictionary', indices, dictionary: lead.dictionary };
		}
		case 'struct': {
			const parts = same as StructVector[];
			const children = lead.children.map((_, k) => concat(parts.map((part) => part.children[k] as Vector)));
			return { ...base, layout: 'struct', children };
		}
		case 'list': {
			const parts = (same as (typeof lead)[]).map((part) => trimmed(part) as typeof lead);
			return { ...base, layout: 'list', offsets: joinedOffsets(parts), child: concat(parts.map(({ child }) => child)) };
		}
		case 'map': {
			const parts = (same as (typeof lead)[]).map((part) => trimmed(part) as typeof lead);
			return {
				...base,
				layout: 'map',
				offsets: joinedOffsets(parts),
				keys: concat(parts.map(({ keys }) => keys)),
				items: concat(parts.map(({ items }) => items)),
			};
		}
		case 'variant': {
			const parts = same as (typeof lead)[];
			return {
				...base,
				layout: 'variant',
				metadata: concat(parts.map(({ metadata }) => metadata)) as BytesVector,
				value: concat(parts.map(({ value }) => value)) as BytesVector,
			};
		}
		case 'null':
			return { ...base, layout: 'null', nullCount: length, validity: null };
	}
}

/** Vectors of one layout: dictionaries stay only when all share one. */
function alike(vectors: readonly Vector[]): readonly Vector[] {
	const dictionary = vectors[0]?.layout === 'dictionary' ? vectors[0].dictionary : undefined;
	if (dictionary !== undefined && vectors.every((v) => v.layout === 'dictionary' && v.dictionary === dictionary))
		return vectors;
	return vectors.some(({ layout }) => layout === 'dictionary') ? vectors.map(flatten) : vectors;
}

function concatBase(vectors: readonly Vector[]): Base {
	let length = 0;
	let nullCount = 0;
	for (const vector of vectors) {
		length += vector.length;
		nullCount += vector.nullCount;
	}
	const type = (vectors[0] as Vector).type;
	if (nullCount === 0) return { type, length, nullCount, validity: null };
	const validity = new Uint8Array(bitmapBytes(length));
	let at = 0;
	for (const vector of vectors) {
		if (vector.validity === null) fillBits(validity, at, vector.length);
		else copyBits(vector.validity, 0, validity, at, vector.length);
		at += vector.length;
	}
	return { type, length, nullCount, validity };
}

function joined<A extends { set(part: A, at: number): void; subarray(from: number, to: number): A }>(
	parts: readonly { readonly length: number; readonly values: A }[],
	target: A,
	width: number,
): A {
	let at = 0;
	for (const part of parts) {
		target.set(part.values.subarray(0, part.length * width), at);
		at += part.length * width;
	}
	return target;
}

function concatBytes(parts: readonly BytesVector[], base: Base): BytesVector {
	let total = 0;
	for (const { offsets, length } of parts) total += (offsets[length] as number) - (offsets[0] as number);
	if (total > BYTES_VECTOR_LIMIT_BYTES) throw tooManyBytes();
	const values = new Uint8Array(total);
	const offsets = new Int32Array(base.length + 1);
	let at = 0;
	let row = 0;
	for (const part of parts) {
		const start = part.offsets[0] as number;
		const end = part.offsets[part.length] as number;
		values.set(part.values.subarray(start, end), at);
		for (let i = 1; i <= part.length; i++) offsets[row + i] = (part.offsets[i] as number) - start + at;
		at += end - start;
		row += part.length;
	}
	return { ...base, layout: 'bytes', offsets, values };
}

/** A list or map whose child holds just its elements, from offset 0. */
function trimmed(vector: Extract<Vector, { layout: 'list' | 'map' }>): Vector {
	const start = vector.offsets[0] as number;
	const end = vector.offsets[vector.length] as number;
	const childLength = vector.layout === 'list' ? vector.child.length : vector.keys.length;
	if (start === 0 && end === childLength) return vector;
	const offsets = rebased(vector.offsets, 0, vector.length);
	if (vector.layout === 'list') return { ...vector, offsets, child: slice(vector.child, start, end) };
	return { ...vector, offsets, keys: slice(vector.keys, start, end), items: slice(vector.items, start, end) };
}

function joinedOffsets(parts: readonly { readonly length: number; readonly offsets: Int32Array }[]): Int32Array {
	const out = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0) + 1);
	let row = 0;
	let base = 0;
	for (const { length, offsets } of parts) {
		for (let i = 1; i <= length; i++) out[row + i] = base + (offsets[i] as number);
		base += offsets[length] as number;
		if (base > BYTES_VECTOR_LIMIT_BYTES) throw tooManyBytes();
		row += length;
	}
	return out;
}

/** Rows [from, to) of a batch. */
export function sliceBatch(batch: ColumnBatch, from: number, to: number): ColumnBatch {
	if (from === 0 && to === batch.length) return batch;
	return { fields: batch.fields, length: to - from, columns: batch.columns.map((column) => slice(column, from, to)) };
}

/** Rows at the given positions. */
export function takeBatch(batch: ColumnBatch, indexes: Uint32Array): ColumnBatch {
	return {
		fields: batch.fields,
		length: indexes.length,
		columns: batch.columns.map((column) => take(column, indexes)),
	};
}

/** Batches of the same fields as one; at least one. */
export function concatBatches(batches: readonly ColumnBatch[]): ColumnBatch {
	const first = batches[0];
	if (first === undefined) throw new RangeError('concat of no batches');
	if (batches.length === 1) return first;
	return {
		fields: first.fields,
		length: batches.reduce((sum, { length }) => sum + length, 0),
		columns: first.columns.map((_, k) => concat(batches.map((batch) => batch.columns[k] as Vector))),
	};
}
