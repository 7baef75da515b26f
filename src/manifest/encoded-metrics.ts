/**
 * Metrics maps that stay in their Avro bytes until someone looks. Most plans look at few columns of few files, and a
 * rewritten manifest copies the bytes as they are.
 */
import { AvroCursor } from '../codec/avro/cursor.ts';

/** Bytes of one expanded block of a manifest, shared by the maps in it. */
export interface MetricsBlock {
	readonly bytes: Uint8Array;
	readonly location: string;
}

/** A `ReadonlyMap` by field id over an Avro array of key and value. @throws `CORRUPT` from its methods for bad numbers */
export abstract class EncodedMetrics<V> implements ReadonlyMap<number, V> {
	readonly #block: MetricsBlock;
	readonly #start: number;
	readonly #end: number;
	#map: Map<number, V> | undefined;

	constructor(block: MetricsBlock, start: number, end: number) {
		this.#block = block;
		this.#start = start;
		this.#end = end;
	}

	/** The array in Avro's encoding, block counts included. */
	encoded(): Uint8Array {
		return this.#block.bytes.subarray(this.#start, this.#end);
	}

	get size(): number {
		return this.#decoded().size;
	}
	get(fieldId: number): V | undefined {
		return this.#decoded().get(fieldId);
	}
	has(fieldId: number): boolean {
		return this.#decoded().has(fieldId);
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

	#decoded(): Map<number, V> {
		if (this.#map !== undefined) return this.#map;
		const map = new Map<number, V>();
		const { bytes, location } = this.#block;
		const cursor = new AvroCursor(bytes, location, 'expanded byte', this.#start, this.#end);
		for (let count = cursor.readBlockCount(2); count > 0; count = cursor.readBlockCount(2)) {
			for (let i = 0; i < count; i++) map.set(cursor.readInt(), this.readValue(cursor));
		}
		this.#map = map;
		return map;
	}
}

export class EncodedCounts extends EncodedMetrics<number> {
	protected override readValue(cursor: AvroCursor): number {
		return cursor.readSafeLong();
	}
}

export class EncodedBounds extends EncodedMetrics<Uint8Array> {
	protected override readValue(cursor: AvroCursor): Uint8Array {
		return cursor.readBytes();
	}
}
