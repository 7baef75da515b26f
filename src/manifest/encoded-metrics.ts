/**
 * Metrics maps that stay in their Avro bytes until someone looks. Most plans look at few columns of few files, and a
 * rewritten manifest copies the bytes as they are.
 */
import type { AvroCursor } from '../codec/avro/cursor.ts';

/** Look-ups that walk the bytes before a map is made; most plans need fewer. */
const WALKS_BEFORE_MAP = 8;

/** A `ReadonlyMap` by field id over an Avro array of key and value. @throws `CORRUPT` from its methods for bad numbers */
export abstract class EncodedMetrics<V> implements ReadonlyMap<number, V> {
	/** over bytes that other maps share */
	readonly #cursor: AvroCursor;
	readonly #start: number;
	readonly #end: number;
	/** the ids that the map is to have; `undefined`: all */
	readonly #wanted: ReadonlySet<number> | undefined;
	#walks = 0;
	#map: Map<number, V> | undefined;

	constructor(cursor: AvroCursor, start: number, end: number, wanted?: ReadonlySet<number>) {
		this.#cursor = cursor;
		this.#wanted = wanted;
		this.#start = start;
		this.#end = end;
	}

	/** The array in Avro's encoding, block counts included; `undefined` where the map leaves out ids of it. */
	encoded(): Uint8Array | undefined {
		if (this.#wanted !== undefined) return undefined;
		return this.#cursor.bytes.subarray(this.#start, this.#end);
	}

	get size(): number {
		return this.#decoded().size;
	}
	get(fieldId: number): V | undefined {
		if (this.#wanted !== undefined && !this.#wanted.has(fieldId)) return undefined;
		if (this.#map !== undefined || this.#walks >= WALKS_BEFORE_MAP) return this.#decoded().get(fieldId);
		this.#walks++;
		return this.#find(fieldId);
	}
	has(fieldId: number): boolean {
		return this.get(fieldId) !== undefined;
	}
	forEach(callback: (value: V, fieldId: number, map: ReadonlyMap<number, V>) => void, thisArg?: unknown): void {
		for (const [fieldId, value] of this.#decoded()) callback.call(thisArg, value, fieldId, this);
	}
	entries(): MapIterator<[number, V]> {
		return this.#decoded().entries();
	}
	keys(): MapIterator<number> {
		return this.#decoded().keys();
	}
	values(): MapIterator<V> {
		return this.#decoded().values();
	}
	[Symbol.iterator](): MapIterator<[number, V]> {
		return this.#decoded().entries();
	}

	/** Prints as the map that it is. */
	[Symbol.for('nodejs.util.inspect.custom')](): ReadonlyMap<number, V> {
		return this.#decoded();
	}

	protected abstract readValue(cursor: AvroCursor): V;
	protected abstract skipValue(cursor: AvroCursor): void;

	/** The last of equal ids counts, as in a map. */
	#find(fieldId: number): V | undefined {
		const cursor = this.#rewind();
		let found: V | undefined;
		for (let count = cursor.readBlockCount(2); count > 0; count = cursor.readBlockCount(2)) {
			for (let i = 0; i < count; i++) {
				if (cursor.readInt() === fieldId) found = this.readValue(cursor);
				else this.skipValue(cursor);
			}
		}
		return found;
	}

	#rewind(): AvroCursor {
		this.#cursor.enterPart(this.#start, this.#end);
		return this.#cursor;
	}

	#decoded(): Map<number, V> {
		if (this.#map !== undefined) return this.#map;
		const map = new Map<number, V>();
		const cursor = this.#rewind();
		for (let count = cursor.readBlockCount(2); count > 0; count = cursor.readBlockCount(2)) {
			for (let i = 0; i < count; i++) {
				const id = cursor.readInt();
				if (this.#wanted === undefined || this.#wanted.has(id)) map.set(id, this.readValue(cursor));
				else this.skipValue(cursor);
			}
		}
		this.#map = map;
		return map;
	}
}

export class EncodedCounts extends EncodedMetrics<number> {
	protected override readValue(cursor: AvroCursor): number {
		return cursor.readSafeLong();
	}
	protected override skipValue(cursor: AvroCursor): void {
		cursor.skipLong();
	}
}

export class EncodedBounds extends EncodedMetrics<Uint8Array> {
	protected override readValue(cursor: AvroCursor): Uint8Array {
		return cursor.readBytes();
	}
	protected override skipValue(cursor: AvroCursor): void {
		cursor.skipBytes();
	}
}
