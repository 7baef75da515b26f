/** Arrays of texts to vectors, many at a time: a call into the runtime for each costs more than its bytes. */
import type { Type } from '../spec/types.ts';
import { isWellFormed } from '../util/well-formed.ts';
import { clearBit, onesBitmap } from './bitmap.ts';
import type { BytesVector } from './vector.ts';
import { BYTES_VECTOR_LIMIT_BYTES } from './vector-ops.ts';

/** Texts that are encoded at once, and UTF-16 units after which no further one is taken along. */
const RUN_TEXTS = 4_096;
const RUN_UNITS = 1 << 20;

/** What is made room for beyond what the first texts let expect, and how much at once by them alone. */
const ROOM_TO_SPARE = 1.0625;
const FIRST_ROOM_LIMIT_BYTES = 16 << 20;

/** Most units of a run, where one text has that many: the runtime joins no more than twice these. */
const JOINED_LIMIT_UNITS = 1 << 28;

const encoder = new TextEncoder();

/**
 * The texts at [from, to) of an array; nulls and what is undefined too where `nullable`. Returns `undefined` when there is
 * anything else among them, lone surrogates, or more than a vector holds: then a builder tells what is wrong.
 */
export function textsVector(
	type: Type,
	texts: readonly unknown[],
	from: number,
	to: number,
	nullable: boolean,
): BytesVector | undefined {
	const length = to - from;
	const offsets = new Int32Array(length + 1);
	let validity: Uint8Array | null = null;
	let nullCount = 0;
	let values = Buffer.alloc(0);
	let used = 0;
	for (let start = from, end = from; start < to; start = end) {
		const last = Math.min(to, start + RUN_TEXTS);
		let units = 0;
		for (; end < last && units < RUN_UNITS; end++) {
			const text = texts[end];
			if (typeof text === 'string') units += text.length;
			else if (nullable && (text === null || text === undefined)) {
				validity ??= onesBitmap(length);
				clearBit(validity, end - from);
				nullCount++;
			} else return undefined;
			// right where all is ASCII
			offsets[end - from + 1] = used + units;
		}
		if (units > JOINED_LIMIT_UNITS || units > BYTES_VECTOR_LIMIT_BYTES - used) return undefined;
		const run = texts.slice(start, end);
		const joined = run.join('');
		if (start === from) values = roomLike(units, end - start, length);
		values = withRoom(values, used, units);
		const { read, written } = encoder.encodeInto(joined, values.subarray(used, used + units));
		if (read === units && written === units) used += units;
		else {
			const byteCount = Buffer.byteLength(joined);
			if (byteCount > BYTES_VECTOR_LIMIT_BYTES - used) return undefined;
			values = withRoom(values, used, byteCount);
			for (let i = 0; i < run.length; i++) {
				const text = run[i];
				if (typeof text === 'string') {
					if (!isWellFormed(text)) return undefined;
					used += values.write(text, used);
				}
				offsets[start - from + i + 1] = used;
			}
		}
	}
	return { type, length, nullCount, validity, layout: 'bytes', offsets, values: plain(values) };
}

/** Room for `length` texts, if all are about as long as the first `count`, which have so many units. */
function roomLike(units: number, count: number, length: number): Buffer<ArrayBuffer> {
	const expected = Math.ceil((units / count) * length * ROOM_TO_SPARE);
	return Buffer.from(new ArrayBuffer(Math.min(expected, FIRST_ROOM_LIMIT_BYTES)));
}

/** The same bytes, with room for `count` more after the first `used`. */
function withRoom(bytes: Buffer<ArrayBuffer>, used: number, count: number): Buffer<ArrayBuffer> {
	if (count <= bytes.length - used) return bytes;
	const grown = Buffer.from(
		new ArrayBuffer(Math.max(used + count, Math.min(2 * bytes.length, BYTES_VECTOR_LIMIT_BYTES))),
	);
	grown.set(bytes.subarray(0, used));
	return grown;
}

/** Not a `Buffer`, whose `slice` does not copy. */
function plain(bytes: Uint8Array): Uint8Array {
	return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
