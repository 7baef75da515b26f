import type { Type, Value } from '../spec/types.ts';
import { bitmapBytes, clearBit, onesBitmap } from './bitmap.ts';
import type { Vector } from './vector.ts';

/** Collects values of one type. After a call has thrown, the builder is of no more use. */
export interface VectorBuilder {
	readonly type: Type;
	/** elements so far */
	readonly length: number;
	/** about how many bytes the elements take */
	readonly byteLength: number;
	appendNull(): void;
	/** A user's value, not null, coerced as `coerce.ts` tells. @throws `INVALID_DATA`, `LIMIT_EXCEEDED` */
	append(input: unknown): void;
	/** An engine value of the type, not null; not checked. @throws `LIMIT_EXCEEDED` */
	appendValue(value: Value): void;
	/** The elements as a vector; the builder is empty afterwards. */
	finish(): Vector;
}

const FIRST_CAPACITY = 64;

/** What all vectors have. */
export interface VectorParts<T extends Type = Type> {
	readonly type: T;
	readonly length: number;
	readonly nullCount: number;
	readonly validity: Uint8Array | null;
}

/** Length and validity, which all builders keep. */
export abstract class BuilderBase<T extends Type = Type> {
	readonly type: T;
	/** elements so far */
	length = 0;
	/** elements that the value arrays have room for */
	#capacity = 0;
	/** room to start with: what the last vector needed */
	#firstCapacity = FIRST_CAPACITY;
	#nullCount = 0;
	#validity: Uint8Array | null = null;

	constructor(type: T) {
		this.type = type;
	}

	/** Makes room for one more element. */
	protected reserve(): void {
		if (this.length < this.#capacity) return;
		this.#capacity = Math.max(this.#firstCapacity, 2 * this.#capacity);
		this.grow(this.#capacity);
		if (this.#validity !== null) {
			const grown = new Uint8Array(bitmapBytes(this.#capacity)).fill(0xff);
			grown.set(this.#validity);
			this.#validity = grown;
		}
	}

	/** Puts the first `length` elements into new, zeroed arrays that have room for `capacity`. */
	protected abstract grow(capacity: number): void;

	/** Adds a null; its value stays zero. */
	appendNull(): void {
		this.reserve();
		this.#validity ??= onesBitmap(this.#capacity);
		clearBit(this.#validity, this.length);
		this.#nullCount++;
		this.length++;
	}

	/** The parts that all vectors have. The builder starts anew, with arrays of its own when it next grows. */
	protected finishParts(): VectorParts<T> {
		const parts = { type: this.type, length: this.length, nullCount: this.#nullCount, validity: this.#validity };
		this.#firstCapacity = Math.max(FIRST_CAPACITY, this.length);
		this.#capacity = 0;
		this.length = 0;
		this.#nullCount = 0;
		this.#validity = null;
		return parts;
	}
}
