/**
 * Sets of 64-bit positions as roaring bitmaps: pairs of a 32-bit key and a 32-bit bitmap in the portable format.
 * Iceberg Puffin spec: `deletion-vector-v1` blob type; Roaring bitmap format specification, 64-bit extension.
 * Containers stay as they are stored, so that memory is bounded by the bytes and never by what they claim to hold.
 */
import { IcebergError } from '../errors/iceberg-error.ts';

const COOKIE_WITHOUT_RUNS = 12346;
const COOKIE_WITH_RUNS = 12347;
const BITMAP_BYTES = 8192;
const ARRAY_LIMIT = 4096;
/** From so many containers on, bitmaps with runs have offsets as well. */
const OFFSETS_FROM = 4;
/** Most containers of one 32-bit bitmap. */
const CONTAINER_LIMIT = 65536;

type Container =
	| { readonly kind: 'array'; readonly key: number; readonly values: Uint16Array }
	| { readonly kind: 'bitmap'; readonly key: number; readonly bits: Uint8Array; readonly count: number }
	/** pairs of first value and length less one */
	| { readonly kind: 'runs'; readonly key: number; readonly runs: Uint16Array };

/** A set of positions from 0 to 2^64 - 1. Immutable. */
export class RoaringPositions {
	readonly #bitmaps: readonly (readonly [number, readonly Container[]])[];

	private constructor(bitmaps: readonly (readonly [number, readonly Container[]])[]) {
		this.#bitmaps = bitmaps;
	}

	/** @throws `CORRUPT` for bytes that are no such set, and for bytes behind it */
	static decode(bytes: Uint8Array, location: string): RoaringPositions {
		const input = new Input(bytes, location);
		const count = input.u64();
		if (count > BigInt(bytes.length)) throw input.corrupt(`${count} bitmaps`);
		const bitmaps: [number, readonly Container[]][] = [];
		for (let i = 0n; i < count; i += 1n) {
			const key = input.u32();
			const last = bitmaps.at(-1);
			if (last !== undefined && key <= last[0]) throw input.corrupt(`the key ${key} after ${last[0]}`);
			bitmaps.push([key, decodeBitmap(input)]);
		}
		if (!input.atEnd) throw input.corrupt('bytes behind the last bitmap');
		return new RoaringPositions(bitmaps);
	}

	/** The set in the same format, byte for byte what it was decoded from by writers that choose containers by size. */
	encode(): Uint8Array {
		const out: number[] = [];
		writeNumber(out, BigInt(this.#bitmaps.length), 8);
		const parts: Uint8Array[] = [Uint8Array.from(out)];
		for (const [key, containers] of this.#bitmaps) {
			const head: number[] = [];
			writeNumber(head, BigInt(key), 4);
			parts.push(Uint8Array.from(head), encodeBitmap(containers));
		}
		return Buffer.concat(parts);
	}

	/** number of positions */
	get size(): bigint {
		let size = 0n;
		for (const [, containers] of this.#bitmaps) for (const container of containers) size += BigInt(countOf(container));
		return size;
	}

	has(position: bigint): boolean {
		const high = Number(position >> 32n);
		const low = Number(position & 0xffffffffn);
		const containers = this.#bitmaps.find(([key]) => key === high)?.[1];
		const container = containers?.find(({ key }) => key === low >>> 16);
		return container !== undefined && holds(container, low & 0xffff);
	}

	/** All positions, ascending. */
	*[Symbol.iterator](): Iterator<bigint> {
		for (const [high, containers] of this.#bitmaps) {
			for (const container of containers) {
				const base = (BigInt(high) << 32n) | BigInt(container.key * 65536);
				for (const low of valuesOf(container)) yield base | BigInt(low);
			}
		}
	}
}

function decodeBitmap(input: Input): Container[] {
	const cookie = input.u32();
	const hasRuns = (cookie & 0xffff) === COOKIE_WITH_RUNS;
	if (!hasRuns && cookie !== COOKIE_WITHOUT_RUNS) throw input.corrupt(`the cookie ${cookie}`);
	const count = hasRuns ? (cookie >>> 16) + 1 : input.u32();
	if (count > CONTAINER_LIMIT) throw input.corrupt(`${count} containers`);
	const flags = hasRuns ? input.take((count + 7) >> 3) : new Uint8Array((count + 7) >> 3);
	const head = input.u16s(count * 2);
	if (!hasRuns || count >= OFFSETS_FROM) input.take(count * 4);
	const containers: Container[] = [];
	for (let i = 0; i < count; i += 1) {
		const key = head[i * 2] as number;
		const cardinality = (head[i * 2 + 1] as number) + 1;
		if (i > 0 && key <= (head[i * 2 - 2] as number)) throw input.corrupt('containers that are not in order');
		const container = decodeContainer(input, key, cardinality, (((flags[i >> 3] as number) >> (i & 7)) & 1) === 1);
		if (countOf(container) !== cardinality)
			throw input.corrupt(`a container of ${countOf(container)} values that claims ${cardinality}`);
		containers.push(container);
	}
	return containers;
}

function decodeContainer(input: Input, key: number, cardinality: number, isRuns: boolean): Container {
	if (isRuns) {
		const runs = input.u16s((input.u16s(1)[0] as number) * 2);
		for (let i = 0; i < runs.length; i += 2) {
			const end = (runs[i] as number) + (runs[i + 1] as number);
			if (end > 0xffff || (i > 0 && (runs[i] as number) <= (runs[i - 2] as number) + (runs[i - 1] as number)))
				throw input.corrupt('runs that overlap or are not in order');
		}
		return { kind: 'runs', key, runs };
	}
	if (cardinality > ARRAY_LIMIT) {
		const bits = input.take(BITMAP_BYTES).slice();
		return { kind: 'bitmap', key, bits, count: bits.reduce((sum, byte) => sum + bitCount(byte), 0) };
	}
	const values = input.u16s(cardinality);
	for (let i = 1; i < values.length; i += 1)
		if ((values[i] as number) <= (values[i - 1] as number)) throw input.corrupt('values that are not in order');
	return { kind: 'array', key, values };
}

function encodeBitmap(containers: readonly Container[]): Uint8Array {
	const out: number[] = [];
	const hasRuns = containers.some(({ kind }) => kind === 'runs');
	if (hasRuns) {
		writeNumber(out, BigInt(COOKIE_WITH_RUNS + (containers.length - 1) * 65536), 4);
		for (let i = 0; i < containers.length; i += 8) {
			let flags = 0;
			containers.slice(i, i + 8).forEach(({ kind }, bit) => (flags |= kind === 'runs' ? 1 << bit : 0));
			out.push(flags);
		}
	} else {
		writeNumber(out, BigInt(COOKIE_WITHOUT_RUNS), 4);
		writeNumber(out, BigInt(containers.length), 4);
	}
	for (const container of containers) {
		writeNumber(out, BigInt(container.key), 2);
		writeNumber(out, BigInt(countOf(container) - 1), 2);
	}
	const bodies = containers.map(bodyOf);
	if (!hasRuns || containers.length >= OFFSETS_FROM) {
		let offset = out.length + containers.length * 4;
		for (const body of bodies) {
			writeNumber(out, BigInt(offset), 4);
			offset += body.length;
		}
	}
	return Buffer.concat([Uint8Array.from(out), ...bodies]);
}

function bodyOf(container: Container): Uint8Array {
	if (container.kind === 'bitmap') return container.bits;
	const words = container.kind === 'array' ? container.values : [container.runs.length / 2, ...container.runs];
	const out: number[] = [];
	for (const word of words) out.push(word & 0xff, word >> 8);
	return Uint8Array.from(out);
}

function countOf(container: Container): number {
	if (container.kind === 'array') return container.values.length;
	if (container.kind === 'bitmap') return container.count;
	let count = container.runs.length / 2;
	for (let i = 1; i < container.runs.length; i += 2) count += container.runs[i] as number;
	return count;
}

function holds(container: Container, low: number): boolean {
	if (container.kind === 'array') return container.values.includes(low);
	if (container.kind === 'bitmap') return (((container.bits[low >> 3] as number) >> (low & 7)) & 1) === 1;
	for (let i = 0; i < container.runs.length; i += 2) {
		const first = container.runs[i] as number;
		if (low >= first && low <= first + (container.runs[i + 1] as number)) return true;
	}
	return false;
}

function* valuesOf(container: Container): Iterable<number> {
	if (container.kind === 'array') yield* container.values;
	else if (container.kind === 'bitmap') {
		for (let low = 0; low < BITMAP_BYTES * 8; low += 1) if (holds(container, low)) yield low;
	} else {
		for (let i = 0; i < container.runs.length; i += 2) {
			const first = container.runs[i] as number;
			for (let low = first; low <= first + (container.runs[i + 1] as number); low += 1) yield low;
		}
	}
}

function bitCount(byte: number): number {
	let count = 0;
	for (let rest = byte; rest !== 0; rest >>= 1) count += rest & 1;
	return count;
}

function writeNumber(out: number[], value: bigint, bytes: number): void {
	for (let i = 0; i < bytes; i += 1) out.push(Number((value >> BigInt(i * 8)) & 0xffn));
}

class Input {
	readonly #bytes: Uint8Array;
	readonly #location: string;
	#at = 0;

	constructor(bytes: Uint8Array, location: string) {
		this.#bytes = bytes;
		this.#location = location;
	}

	get atEnd(): boolean {
		return this.#at === this.#bytes.length;
	}

	take(length: number): Uint8Array {
		if (length > this.#bytes.length - this.#at) throw this.corrupt(`it ends ${length} bytes too soon`);
		this.#at += length;
		return this.#bytes.subarray(this.#at - length, this.#at);
	}

	u16s(count: number): Uint16Array {
		const bytes = this.take(count * 2);
		return Uint16Array.from(
			{ length: count },
			(_, i) => (bytes[i * 2] as number) | ((bytes[i * 2 + 1] as number) << 8),
		);
	}

	u32(): number {
		const [low, high] = this.u16s(2);
		return (low as number) + (high as number) * 65536;
	}

	u64(): bigint {
		const low = this.u32();
		return BigInt(low) | (BigInt(this.u32()) << 32n);
	}

	corrupt(what: string): IcebergError {
		return new IcebergError('CORRUPT', `${this.#location}: not a roaring bitmap: ${what} at byte ${this.#at}`, {
			context: { location: this.#location, offset: this.#at },
		});
	}
}
