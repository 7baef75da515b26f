/** Parquet spec: Variant Binary Encoding; the reading side. Every length and offset is checked before it is used. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { formatDate, formatTimeMicros, formatTimestampMicros, formatTimestampNanos } from '../spec/date-time-text.ts';
import { formatDecimal } from '../spec/decimal-text.ts';
import { bytesToUuid } from '../spec/single-value.ts';
import type { VariantValue } from '../spec/types.ts';
import { toHex } from '../util/hex.ts';
import { VARIANT_DEPTH_LIMIT, VARIANT_PRIMITIVE } from './variant-encode.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const MICROS_PER_DAY = 86_400_000_000n;

/** A variant's value by its physical type. Numbers of all sizes, dates and times as they are stored. */
export type VariantNode =
	| { readonly type: 'null' }
	| { readonly type: 'boolean'; readonly value: boolean }
	| { readonly type: 'int8' | 'int16' | 'int32' | 'date'; readonly value: number }
	| {
			readonly type: 'int64' | 'time' | 'timestamptz' | 'timestampntz' | 'timestamptz_nanos' | 'timestampntz_nanos';
			readonly value: bigint;
	  }
	| { readonly type: 'float' | 'double'; readonly value: number }
	| { readonly type: 'decimal4' | 'decimal8' | 'decimal16'; readonly value: bigint; readonly scale: number }
	| { readonly type: 'binary'; readonly value: Uint8Array }
	| { readonly type: 'string' | 'uuid'; readonly value: string }
	| { readonly type: 'array'; readonly items: readonly VariantNode[] }
	/** members in the order of their names' UTF-8 bytes as stored */
	| { readonly type: 'object'; readonly members: readonly (readonly [string, VariantNode])[] };

/**
 * The whole tree of a variant.
 * @throws `CORRUPT` for bytes that break the encoding, nest deeper than `VARIANT_DEPTH_LIMIT`, or reuse the same bytes
 * for several values (which could make a small variant endlessly large); `UNSUPPORTED` for another version of it
 */
export function decodeVariant(variant: VariantValue): VariantNode {
	return new VariantReader(variant).read();
}

/**
 * As plain JavaScript: integers as `number` where that is exact, else `bigint`; decimals as text with their scale; dates,
 * times, timestamps and uuids as text; binary as bytes; arrays and plain objects.
 * @throws as {@link decodeVariant}
 */
export function variantToJs(variant: VariantValue): unknown {
	return nodeToJs(decodeVariant(variant));
}

/**
 * The canonical form as compact JSON, `{"t":physical type,"v":value}`: integers, days and times as text, decimals with
 * their scale, binary as lower-case hex, members of objects sorted by name.
 * @throws as {@link decodeVariant}
 */
export function variantToCanonicalText(variant: VariantValue): string {
	return nodeToText(decodeVariant(variant));
}

function nodeToJs(node: VariantNode): unknown {
	switch (node.type) {
		case 'null':
			return null;
		case 'int64':
			return BigInt(Number(node.value)) === node.value && Number.isSafeInteger(Number(node.value))
				? Number(node.value)
				: node.value;
		case 'decimal4':
		case 'decimal8':
		case 'decimal16':
			return formatDecimal(node.value, node.scale);
		case 'date':
			return formatDate(node.value);
		case 'time':
			return formatTimeMicros(node.value);
		case 'timestampntz':
			return formatTimestampMicros(node.value);
		case 'timestamptz':
			return `${formatTimestampMicros(node.value)}+00:00`;
		case 'timestampntz_nanos':
			return formatTimestampNanos(node.value);
		case 'timestamptz_nanos':
			return `${formatTimestampNanos(node.value)}+00:00`;
		case 'array':
			return node.items.map(nodeToJs);
		case 'object': {
			const record: Record<string, unknown> = {};
			for (const [name, member] of node.members) define(record, name, nodeToJs(member));
			return record;
		}
		default:
			return node.value;
	}
}

/** Sets an own property whatever its name is. */
function define<T>(record: Record<string, T>, name: string, value: T): void {
	if (name === '__proto__')
		Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
	else record[name] = value;
}

function nodeToText(node: VariantNode): string {
	return node.type === 'null' ? '{"t":"null"}' : `{"t":"${node.type}","v":${payloadText(node)}}`;
}

function payloadText(node: Exclude<VariantNode, { type: 'null' }>): string {
	switch (node.type) {
		case 'boolean':
			return String(node.value);
		case 'string':
		case 'uuid':
			return JSON.stringify(node.value);
		case 'float':
		case 'double':
			return doubleText(node.value);
		case 'decimal4':
		case 'decimal8':
		case 'decimal16':
			return `"${formatDecimal(node.value, node.scale)}"`;
		case 'binary':
			return `"${toHex(node.value)}"`;
		case 'array':
			return `[${node.items.map(nodeToText).join(',')}]`;
		case 'object': {
			const sorted = [...node.members].sort(([a], [b]) => compareCodePoints(a, b));
			return `{${sorted.map(([name, member]) => `${JSON.stringify(name)}:${nodeToText(member)}`).join(',')}}`;
		}
		default:
			return `"${node.value}"`;
	}
}

/** A double as JSON: the shortest digits that read back as the same, `-0`, and text for what JSON has no number for. */
export function doubleText(value: number): string {
	if (!Number.isFinite(value)) return `"${value}"`;
	return Object.is(value, -0) ? '-0' : String(value);
}

/** Orders well-formed text by code points. */
export function compareCodePoints(a: string, b: string): number {
	const shared = Math.min(a.length, b.length);
	for (let i = 0; i < shared; i++) {
		const left = a.charCodeAt(i);
		const right = b.charCodeAt(i);
		if (left === right) continue;
		// halves of surrogate pairs stand for code points above all single units
		const leftPair = left >= 0xd800 && left <= 0xdfff;
		const rightPair = right >= 0xd800 && right <= 0xdfff;
		return leftPair === rightPair ? left - right : leftPair ? 1 : -1;
	}
	return a.length - b.length;
}

class VariantReader {
	readonly #metadata: Uint8Array;
	readonly #value: Uint8Array;
	readonly #view: DataView;
	readonly #nameOffsetSize: number;
	readonly #nameCount: number;
	readonly #namesStart: number;
	readonly #names: (string | undefined)[] = [];
	/** bytes of `value` that no node has taken yet: nodes of a sound variant do not overlap */
	#budget: number;

	constructor({ metadata, value }: VariantValue) {
		this.#metadata = metadata;
		this.#value = value;
		this.#view = new DataView(value.buffer, value.byteOffset, value.byteLength);
		this.#budget = value.length;
		if (metadata.length === 0) throw corrupt('the metadata is empty');
		const header = metadata[0] as number;
		if ((header & 0x0f) !== 1)
			throw new IcebergError('UNSUPPORTED', `variant encoding version ${header & 0x0f}; this version reads 1`);
		this.#nameOffsetSize = (header >> 6) + 1;
		this.#nameCount = this.#unsigned(metadata, 1, this.#nameOffsetSize);
		this.#namesStart = 1 + this.#nameOffsetSize * (this.#nameCount + 2);
		if (this.#namesStart > metadata.length) throw corrupt(`${this.#nameCount} names do not fit into the metadata`);
	}

	read(): VariantNode {
		return this.#node(0, this.#value.length, 0);
	}

	/** The value that starts at `at` and ends at or before `end`. */
	#node(at: number, end: number, depth: number): VariantNode {
		if (depth > VARIANT_DEPTH_LIMIT) throw corrupt(`it nests deeper than ${VARIANT_DEPTH_LIMIT}`);
		if (at >= end) throw corrupt(`a value at ${at} lies beyond the end`);
		const header = this.#value[at] as number;
		const info = header >> 2;
		switch (header & 3) {
			case 0:
				return this.#primitive(info, at + 1, end);
			case 1:
				return { type: 'string', value: this.#text(this.#taken(at + 1, info, end, 1)) };
			case 2:
				return this.#object(info, at, end, depth);
			default:
				return this.#array(info, at, end, depth);
		}
	}

	/** `length` bytes from `at`, which now belong to a node with a header of `headerBytes`. */
	#taken(at: number, length: number, end: number, headerBytes: number): Uint8Array {
		if (length > end - at) throw corrupt(`${length} bytes at ${at} reach beyond the end`);
		this.#spend(length + headerBytes);
		return this.#value.subarray(at, at + length);
	}

	#spend(bytes: number): void {
		this.#budget -= bytes;
		if (this.#budget < 0) throw corrupt('values overlap');
	}

	#primitive(kind: number, at: number, end: number): VariantNode {
		const width = PRIMITIVE_WIDTHS[kind];
		if (width === undefined) throw new IcebergError('UNSUPPORTED', `variant primitive type ${kind}`);
		if (width > end - at) throw corrupt(`a primitive at ${at} reaches beyond the end`);
		this.#spend(1 + width);
		const view = this.#view;
		switch (kind) {
			case VARIANT_PRIMITIVE.null:
				return { type: 'null' };
			case VARIANT_PRIMITIVE.true:
			case VARIANT_PRIMITIVE.false:
				return { type: 'boolean', value: kind === VARIANT_PRIMITIVE.true };
			case VARIANT_PRIMITIVE.int8:
				return { type: 'int8', value: view.getInt8(at) };
			case VARIANT_PRIMITIVE.int16:
				return { type: 'int16', value: view.getInt16(at, true) };
			case VARIANT_PRIMITIVE.int32:
				return { type: 'int32', value: view.getInt32(at, true) };
			case VARIANT_PRIMITIVE.int64:
				return { type: 'int64', value: view.getBigInt64(at, true) };
			case VARIANT_PRIMITIVE.float:
				return { type: 'float', value: view.getFloat32(at, true) };
			case VARIANT_PRIMITIVE.double:
				return { type: 'double', value: view.getFloat64(at, true) };
			case VARIANT_PRIMITIVE.decimal4:
				return this.#decimal('decimal4', at, BigInt(view.getInt32(at + 1, true)));
			case VARIANT_PRIMITIVE.decimal8:
				return this.#decimal('decimal8', at, view.getBigInt64(at + 1, true));
			case VARIANT_PRIMITIVE.decimal16:
				return this.#decimal(
					'decimal16',
					at,
					(view.getBigInt64(at + 9, true) << 64n) | view.getBigUint64(at + 1, true),
				);
			case VARIANT_PRIMITIVE.date:
				return { type: 'date', value: view.getInt32(at, true) };
			case VARIANT_PRIMITIVE.time: {
				const value = view.getBigInt64(at, true);
				if (value < 0n || value >= MICROS_PER_DAY) throw corrupt(`${value} is no time of day`);
				return { type: 'time', value };
			}
			case VARIANT_PRIMITIVE.timestamptz:
				return { type: 'timestamptz', value: view.getBigInt64(at, true) };
			case VARIANT_PRIMITIVE.timestampntz:
				return { type: 'timestampntz', value: view.getBigInt64(at, true) };
			case VARIANT_PRIMITIVE.timestamptzNanos:
				return { type: 'timestamptz_nanos', value: view.getBigInt64(at, true) };
			case VARIANT_PRIMITIVE.timestampntzNanos:
				return { type: 'timestampntz_nanos', value: view.getBigInt64(at, true) };
			case VARIANT_PRIMITIVE.uuid:
				return { type: 'uuid', value: bytesToUuid(this.#value, at) };
			case VARIANT_PRIMITIVE.binary:
				return { type: 'binary', value: this.#taken(at + 4, view.getUint32(at, true), end, 0) };
			default:
				return { type: 'string', value: this.#text(this.#taken(at + 4, view.getUint32(at, true), end, 0)) };
		}
	}

	#decimal(type: 'decimal4' | 'decimal8' | 'decimal16', at: number, value: bigint): VariantNode {
		const scale = this.#value[at] as number;
		if (scale > 38) throw corrupt(`a decimal of scale ${scale}`);
		return { type, value, scale };
	}

	#array(info: number, at: number, end: number, depth: number): VariantNode {
		const offsetSize = (info & 3) + 1;
		const countSize = (info & 4) === 0 ? 1 : 4;
		const count = this.#countAt(at + 1, countSize, end);
		const offsetsAt = at + 1 + countSize;
		const dataAt = offsetsAt + offsetSize * (count + 1);
		if (dataAt > end) throw corrupt(`an array of ${count} elements at ${at} reaches beyond the end`);
		this.#spend(dataAt - at);
		const items: VariantNode[] = [];
		for (let i = 0; i < count; i++) {
			const offset = this.#unsigned(this.#value, offsetsAt + i * offsetSize, offsetSize);
			items.push(this.#node(dataAt + offset, end, depth + 1));
		}
		return { type: 'array', items };
	}

	#object(info: number, at: number, end: number, depth: number): VariantNode {
		const offsetSize = (info & 3) + 1;
		const idSize = ((info >> 2) & 3) + 1;
		const countSize = (info & 16) === 0 ? 1 : 4;
		const count = this.#countAt(at + 1, countSize, end);
		const idsAt = at + 1 + countSize;
		const offsetsAt = idsAt + idSize * count;
		const dataAt = offsetsAt + offsetSize * (count + 1);
		if (dataAt > end) throw corrupt(`an object of ${count} fields at ${at} reaches beyond the end`);
		this.#spend(dataAt - at);
		const members: [string, VariantNode][] = [];
		const seen = new Set<string>();
		for (let i = 0; i < count; i++) {
			const name = this.#name(this.#unsigned(this.#value, idsAt + i * idSize, idSize));
			if (seen.has(name)) throw corrupt(`an object has the field ${JSON.stringify(name)} twice`);
			seen.add(name);
			const offset = this.#unsigned(this.#value, offsetsAt + i * offsetSize, offsetSize);
			members.push([name, this.#node(dataAt + offset, end, depth + 1)]);
		}
		return { type: 'object', members };
	}

	#countAt(at: number, size: number, end: number): number {
		if (size > end - at) throw corrupt(`a count at ${at} lies beyond the end`);
		return this.#unsigned(this.#value, at, size);
	}

	#name(id: number): string {
		if (id >= this.#nameCount) throw corrupt(`field id ${id} of ${this.#nameCount} names`);
		const known = this.#names[id];
		if (known !== undefined) return known;
		const size = this.#nameOffsetSize;
		const from = this.#unsigned(this.#metadata, 1 + size * (id + 1), size);
		const to = this.#unsigned(this.#metadata, 1 + size * (id + 2), size);
		if (to < from || this.#namesStart + to > this.#metadata.length)
			throw corrupt(`name ${id} lies beyond the metadata`);
		const name = this.#text(this.#metadata.subarray(this.#namesStart + from, this.#namesStart + to));
		this.#names[id] = name;
		return name;
	}

	#text(bytes: Uint8Array): string {
		try {
			return utf8.decode(bytes);
		} catch (cause) {
			throw new IcebergError('CORRUPT', 'variant: text that is not UTF-8', { cause });
		}
	}

	#unsigned(bytes: Uint8Array, at: number, size: number): number {
		if (at + size > bytes.length) throw corrupt(`a number at ${at} lies beyond the end`);
		let value = 0;
		for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number);
		return value;
	}
}

/** Bytes behind the header, by type; of binary and string, those of the length. */
const PRIMITIVE_WIDTHS: readonly number[] = [0, 0, 0, 1, 2, 4, 8, 8, 5, 9, 17, 4, 8, 8, 4, 4, 4, 8, 8, 8, 16];

function corrupt(what: string): IcebergError {
	return new IcebergError('CORRUPT', `variant: ${what}`);
}
