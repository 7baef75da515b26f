/** Vectors put together from encoded pieces of any length, without building each piece as a vector. */
import { bitmapBytes, copyBits, countZeros, fillBits } from '../column/bitmap.ts';
import type { BytesVector, Vector } from '../column/vector.ts';
import { BYTES_VECTOR_LIMIT_BYTES } from '../column/vector-ops.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Type } from '../spec/types.ts';
import {
	ALL_NULL,
	ALL_NULL_LIMIT,
	ELEMENT_LIMIT,
	LOOPED_COPY_BYTES,
	NO_NULLS,
	SOME_NULLS,
} from './batch-codec-layout.ts';
import type { ByteReader } from './batch-codec-reader.ts';

/** Collects the elements of one vector. */
export interface Gatherer {
	/** Reads the next piece, of `count` elements. @throws `CORRUPT`, `LIMIT_EXCEEDED` */
	read(reader: ByteReader, count: number): void;
	/** Elements that the pieces leave out, because what they stand in is null. */
	skip(count: number): void;
	/** All elements; the gatherer is of no more use. */
	finish(): Vector;
}

/** @throws `UNSUPPORTED` for a type that this version does not know */
export function gathererOf(type: Type): Gatherer {
	switch (type.kind) {
		case 'boolean':
			return new BooleanGatherer(type);
		case 'int':
		case 'date':
			return new FixedGatherer(type, 4, (bytes) => ({ layout: 'int32', values: new Int32Array(bytes.buffer) }));
		case 'long':
		case 'time':
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return new FixedGatherer(type, 8, (bytes) => ({ layout: 'int64', values: new BigInt64Array(bytes.buffer) }));
		case 'float':
			return new FixedGatherer(type, 4, (bytes) => ({ layout: 'float32', values: new Float32Array(bytes.buffer) }));
		case 'double':
			return new FixedGatherer(type, 8, (bytes) => ({ layout: 'float64', values: new Float64Array(bytes.buffer) }));
		case 'decimal':
			return new FixedGatherer(type, 16, (bytes) => ({
				layout: 'decimal128',
				values: new BigInt64Array(bytes.buffer),
			}));
		case 'uuid':
			return new FixedGatherer(type, 16, (values) => ({ layout: 'fixed', width: 16, values }));
		case 'fixed':
			return new FixedGatherer(type, type.length, (values) => ({ layout: 'fixed', width: type.length, values }));
		case 'string':
		case 'binary':
		case 'geometry':
		case 'geography':
			return new BytesGatherer(type);
		case 'variant':
			return new VariantGatherer(type);
		case 'unknown':
			return new NullGatherer(type);
		case 'struct':
			return new StructGatherer(
				type,
				type.fields.map((field) => gathererOf(field.type)),
			);
		case 'list':
			return new RangesGatherer(type, [gathererOf(type.element)], ([child]) => ({
				layout: 'list',
				child: child as Vector,
			}));
		case 'map':
			return new RangesGatherer(type, [gathererOf(type.key), gathererOf(type.value)], ([keys, items]) => ({
				layout: 'map',
				keys: keys as Vector,
				items: items as Vector,
			}));
		case 'unsupported':
			throw new IcebergError('UNSUPPORTED', `this version does not know the type ${JSON.stringify(type.json)}`, {
				context: { type: type.json },
			});
	}
}

const FIRST_CAPACITY = 64;

/** At least twice the room, zeroed behind what was there. */
function roomier(bytes: Uint8Array<ArrayBuffer>, used: number, needed: number): Uint8Array<ArrayBuffer> {
	const grown = new Uint8Array(Math.max(needed, 2 * bytes.length));
	grown.set(bytes.subarray(0, used));
	return grown;
}

function copyInto(target: Uint8Array, at: number, source: Uint8Array, from: number, count: number): void {
	if (count > LOOPED_COPY_BYTES) target.set(source.subarray(from, from + count), at);
	else for (let i = 0; i < count; i++) target[at + i] = source[from + i] as number;
}

interface Parts {
	readonly type: Type;
	readonly length: number;
	readonly nullCount: number;
	readonly validity: Uint8Array | null;
}

/** Length and nulls, which all vectors have. */
abstract class GathererBase implements Gatherer {
	readonly #type: Type;
	protected length = 0;
	#nullCount = 0;
	#validity: Uint8Array<ArrayBuffer> | null = null;

	constructor(type: Type) {
		this.#type = type;
	}

	read(reader: ByteReader, count: number): void {
		if (count === 0) return;
		this.checkRoom(count);
		const nulls = reader.byte();
		if (nulls === NO_NULLS) {
			// the values come before their validity: a count that the bytes cannot hold must not take memory
			this.readValues(reader, count);
			if (this.#validity !== null) fillBits(this.#bits(count), this.length, count);
		} else if (nulls === SOME_NULLS) {
			const start = reader.take(bitmapBytes(count));
			const bits = reader.bytes.subarray(start, reader.position);
			this.readValues(reader, count);
			copyBits(bits, 0, this.#bits(count), this.length, count);
			this.#nullCount += countZeros(bits, count);
		} else if (nulls === ALL_NULL && count <= ALL_NULL_LIMIT) {
			this.skip(count);
			return;
		} else {
			throw reader.corrupt(`${nulls} does not tell of nulls among ${count}`);
		}
		this.length += count;
	}

	skip(count: number): void {
		this.checkRoom(count);
		this.#bits(count);
		this.skipValues(count);
		this.#nullCount += count;
		this.length += count;
	}

	abstract finish(): Vector;
	/** The next `count` values; `length` does not count them yet. */
	protected abstract readValues(reader: ByteReader, count: number): void;
	protected abstract skipValues(count: number): void;

	protected parts(): Parts {
		const nullCount = this.#nullCount;
		return { type: this.#type, length: this.length, nullCount, validity: nullCount === 0 ? null : this.#validity };
	}

	protected checkRoom(count: number): void {
		if (this.length + count > ELEMENT_LIMIT) throw tooMuch(ELEMENT_LIMIT, 'elements');
	}

	/** The bitmap, with room for `count` more, which are zero. */
	#bits(count: number): Uint8Array {
		const needed = bitmapBytes(this.length + count);
		if (this.#validity === null) {
			this.#validity = new Uint8Array(Math.max(FIRST_CAPACITY / 8, needed));
			fillBits(this.#validity, 0, this.length);
		} else if (needed > this.#validity.length) {
			this.#validity = roomier(this.#validity, bitmapBytes(this.length), needed);
		}
		return this.#validity;
	}
}

function tooMuch(limit: number, unit: string): IcebergError {
	return new IcebergError(
		'LIMIT_EXCEEDED',
		`a column of one batch holds at most ${limit} ${unit}; take fewer rows at once`,
		{ context: { limit } },
	);
}

/** What a vector has besides {@link Parts}. */
type Layout<V> = V extends Vector ? Omit<V, keyof Parts> : never;

class FixedGatherer extends GathererBase {
	readonly #width: number;
	readonly #layoutOf: (bytes: Uint8Array<ArrayBuffer>) => Layout<Vector>;
	#bytes: Uint8Array<ArrayBuffer>;

	constructor(type: Type, width: number, layoutOf: (bytes: Uint8Array<ArrayBuffer>) => Layout<Vector>) {
		super(type);
		this.#width = width;
		this.#layoutOf = layoutOf;
		this.#bytes = new Uint8Array(width * FIRST_CAPACITY);
	}
	protected override readValues(reader: ByteReader, count: number): void {
		const size = this.#width * count;
		const start = reader.take(size);
		this.#reserve(size);
		copyInto(this.#bytes, this.#width * this.length, reader.bytes, start, size);
	}
	protected override skipValues(count: number): void {
		this.#reserve(this.#width * count);
	}
	#reserve(size: number): void {
		const used = this.#width * this.length;
		if (used + size > this.#bytes.length) this.#bytes = roomier(this.#bytes, used, used + size);
	}
	override finish(): Vector {
		return { ...this.parts(), ...this.#layoutOf(this.#bytes) } as Vector;
	}
}

class BooleanGatherer extends GathererBase {
	#bits = new Uint8Array(FIRST_CAPACITY);

	protected override readValues(reader: ByteReader, count: number): void {
		const start = reader.take(bitmapBytes(count));
		this.skipValues(count);
		copyBits(reader.bytes.subarray(start, reader.position), 0, this.#bits, this.length, count);
	}
	protected override skipValues(count: number): void {
		const needed = bitmapBytes(this.length + count);
		if (needed > this.#bits.length) this.#bits = roomier(this.#bits, bitmapBytes(this.length), needed);
	}
	override finish(): Vector {
		return { ...this.parts(), layout: 'boolean', values: this.#bits };
	}
}

/** Offsets that grow. */
class Offsets {
	#values = new Int32Array(FIRST_CAPACITY);
	#length = 1;
	#last = 0;

	get last(): number {
		return this.#last;
	}
	/** Reads `count` lengths and returns their sum. */
	read(reader: ByteReader, count: number): number {
		// each length takes a byte at least
		if (count > reader.left) throw reader.corrupt(`${count} lengths where ${reader.left} bytes are left`);
		this.#reserve(count);
		const before = this.#last;
		for (let i = 0; i < count; i++) {
			this.#last += reader.varint();
			if (this.#last > BYTES_VECTOR_LIMIT_BYTES) throw tooMuch(BYTES_VECTOR_LIMIT_BYTES, 'bytes');
			this.#values[this.#length++] = this.#last;
		}
		return this.#last - before;
	}
	skip(count: number): void {
		this.#reserve(count);
		for (let i = 0; i < count; i++) this.#values[this.#length++] = this.#last;
	}
	finish(): Int32Array {
		return this.#values.subarray(0, this.#length);
	}
	#reserve(count: number): void {
		const needed = this.#length + count;
		if (needed <= this.#values.length) return;
		const grown = new Int32Array(Math.max(needed, 2 * this.#values.length));
		grown.set(this.#values.subarray(0, this.#length));
		this.#values = grown;
	}
}

/** Runs of bytes. */
class Runs {
	readonly #offsets = new Offsets();
	#bytes = new Uint8Array(8 * FIRST_CAPACITY);

	read(reader: ByteReader, count: number): void {
		const used = this.#offsets.last;
		const size = this.#offsets.read(reader, count);
		const start = reader.take(size);
		if (used + size > this.#bytes.length) this.#bytes = roomier(this.#bytes, used, used + size);
		copyInto(this.#bytes, used, reader.bytes, start, size);
	}
	skip(count: number): void {
		this.#offsets.skip(count);
	}
	finish(): Layout<BytesVector> {
		const values = this.#bytes.subarray(0, this.#offsets.last);
		return { layout: 'bytes', offsets: this.#offsets.finish(), values };
	}
}

class BytesGatherer extends GathererBase {
	readonly #runs = new Runs();

	protected override readValues(reader: ByteReader, count: number): void {
		this.#runs.read(reader, count);
	}
	protected override skipValues(count: number): void {
		this.#runs.skip(count);
	}
	override finish(): Vector {
		return { ...this.parts(), ...this.#runs.finish() };
	}
}

const BINARY: Type = { kind: 'binary' };

class VariantGatherer extends GathererBase {
	readonly #metadata = new Runs();
	readonly #value = new Runs();

	protected override readValues(reader: ByteReader, count: number): void {
		this.#metadata.read(reader, count);
		this.#value.read(reader, count);
	}
	protected override skipValues(count: number): void {
		this.#metadata.skip(count);
		this.#value.skip(count);
	}
	override finish(): Vector {
		const part = { type: BINARY, length: this.length, nullCount: 0, validity: null };
		return {
			...this.parts(),
			layout: 'variant',
			metadata: { ...part, ...this.#metadata.finish() },
			value: { ...part, ...this.#value.finish() },
		};
	}
}

class NullGatherer implements Gatherer {
	readonly #type: Type;
	#length = 0;

	constructor(type: Type) {
		this.#type = type;
	}
	read(_: ByteReader, count: number): void {
		this.skip(count);
	}
	skip(count: number): void {
		if (this.#length + count > ELEMENT_LIMIT) throw tooMuch(ELEMENT_LIMIT, 'elements');
		this.#length += count;
	}
	finish(): Vector {
		return { type: this.#type, length: this.#length, nullCount: this.#length, validity: null, layout: 'null' };
	}
}

class StructGatherer extends GathererBase {
	readonly #children: readonly Gatherer[];

	constructor(type: Type, children: readonly Gatherer[]) {
		super(type);
		this.#children = children;
	}
	protected override readValues(reader: ByteReader, count: number): void {
		for (const child of this.#children) child.read(reader, count);
	}
	protected override skipValues(count: number): void {
		for (const child of this.#children) child.skip(count);
	}
	override finish(): Vector {
		return { ...this.parts(), layout: 'struct', children: this.#children.map((child) => child.finish()) };
	}
}

/** Lists and maps: what they hold stands in vectors of one length. */
class RangesGatherer extends GathererBase {
	readonly #offsets = new Offsets();
	readonly #inner: readonly Gatherer[];
	readonly #layoutOf: (inner: readonly Vector[]) => object;

	constructor(type: Type, inner: readonly Gatherer[], layoutOf: (inner: readonly Vector[]) => object) {
		super(type);
		this.#inner = inner;
		this.#layoutOf = layoutOf;
	}
	protected override readValues(reader: ByteReader, count: number): void {
		const size = this.#offsets.read(reader, count);
		for (const inner of this.#inner) inner.read(reader, size);
	}
	protected override skipValues(count: number): void {
		this.#offsets.skip(count);
	}
	override finish(): Vector {
		const inner = this.#layoutOf(this.#inner.map((gatherer) => gatherer.finish()));
		return { ...this.parts(), offsets: this.#offsets.finish(), ...inner } as Vector;
	}
}
