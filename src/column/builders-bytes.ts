/** Builders of vectors whose elements are runs of bytes. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Type, Value, VariantValue } from '../spec/types.ts';
import { BuilderBase, type VectorParts } from './builder-base.ts';
import { type Coercer, coerceString, coercerOf } from './coerce.ts';
import type { BytesVector, Vector } from './vector.ts';
import { BYTES_VECTOR_LIMIT_BYTES } from './vector-ops.ts';

const FIRST_BYTES = 256;
/** Most bytes that a builder makes room for at once because its last vector took as many. */
const FIRST_BYTES_LIMIT = 4 << 20;
/** Texts up to this length are copied by a loop while they are ASCII: a call into the runtime costs more. */
const LOOPED_TEXT_LIMIT = 40;

/** string, and the base of the others */
export class StringBuilder extends BuilderBase {
	#offsets = new Int32Array(1);
	#bytes = Buffer.alloc(0);
	#used = 0;
	#firstBytes = FIRST_BYTES;

	get byteLength(): number {
		return this.#used + 4 * this.length;
	}
	protected override grow(capacity: number): void {
		const offsets = new Int32Array(capacity + 1);
		if (this.length > 0) offsets.set(this.#offsets.subarray(0, this.length + 1));
		this.#offsets = offsets;
	}
	#reserveBytes(count: number): void {
		const needed = this.#used + count;
		if (needed <= this.#bytes.length) return;
		if (needed > BYTES_VECTOR_LIMIT_BYTES)
			throw new IcebergError(
				'LIMIT_EXCEEDED',
				`a column of one batch holds at most ${BYTES_VECTOR_LIMIT_BYTES} bytes of text or binary; append fewer rows at once`,
				{ context: { limit: 'BYTES_VECTOR_LIMIT_BYTES', limitBytes: BYTES_VECTOR_LIMIT_BYTES } },
			);
		const capacity = Math.min(BYTES_VECTOR_LIMIT_BYTES, Math.max(this.#firstBytes, 2 * this.#bytes.length, needed));
		const bytes = Buffer.from(new ArrayBuffer(capacity));
		bytes.set(this.#bytes.subarray(0, this.#used));
		this.#bytes = bytes;
	}
	override appendNull(): void {
		super.appendNull();
		this.#offsets[this.length] = this.#used;
	}
	append(input: unknown): void {
		this.appendText(coerceString(input));
	}
	appendValue(value: Value): void {
		this.appendText(value as string);
	}
	/** Well-formed text, as UTF-8. */
	protected appendText(text: string): void {
		this.reserve();
		const count = text.length;
		// three bytes are the most that one UTF-16 unit takes; where that is too much to ask for, count exactly
		this.#reserveBytes(count < 1 << 20 ? 3 * count : Buffer.byteLength(text));
		this.#used = count <= LOOPED_TEXT_LIMIT ? this.#putShort(text, count) : this.#putLong(text);
		this.#offsets[++this.length] = this.#used;
	}
	#putShort(text: string, count: number): number {
		const bytes = this.#bytes;
		const start = this.#used;
		for (let i = 0; i < count; i++) {
			const unit = text.charCodeAt(i);
			if (unit > 0x7f) return this.#putLong(text);
			bytes[start + i] = unit;
		}
		return start + count;
	}
	#putLong(text: string): number {
		return this.#used + this.#bytes.write(text, this.#used, 'utf8');
	}
	protected appendBytes(bytes: Uint8Array): void {
		this.reserve();
		this.#reserveBytes(bytes.length);
		this.#bytes.set(bytes, this.#used);
		this.#used += bytes.length;
		this.#offsets[++this.length] = this.#used;
	}
	finish(): BytesVector {
		return this.finishBytes(this.finishParts());
	}
	protected finishBytes(parts: VectorParts): BytesVector {
		const { buffer, byteOffset } = this.#bytes;
		const values = new Uint8Array(buffer, byteOffset, this.#used);
		this.#firstBytes = Math.min(FIRST_BYTES_LIMIT, Math.max(FIRST_BYTES, this.#used));
		this.#bytes = Buffer.alloc(0);
		this.#used = 0;
		return { ...parts, layout: 'bytes', offsets: parts.length === 0 ? new Int32Array(1) : this.#offsets, values };
	}
}

/** binary, geometry, geography */
export class BinaryBuilder extends StringBuilder {
	readonly #coerce: Coercer;

	constructor(type: Type) {
		super(type);
		this.#coerce = coercerOf(type);
	}
	override append(input: unknown): void {
		this.appendBytes(this.#coerce(input) as Uint8Array);
	}
	override appendValue(value: Value): void {
		this.appendBytes(value as Uint8Array);
	}
}

const BINARY: Type = { kind: 'binary' };
/** Metadata of a variant without names, and a variant's null: what stands in the parts where the whole is null. */
const EMPTY_METADATA = Uint8Array.of(1, 0, 0);
const VARIANT_NULL = Uint8Array.of(0);

export class VariantBuilder extends BuilderBase {
	readonly #metadata = new BinaryBuilder(BINARY);
	readonly #value = new BinaryBuilder(BINARY);
	readonly #coerce: Coercer;

	constructor(type: Type) {
		super(type);
		this.#coerce = coercerOf(type);
	}
	get byteLength(): number {
		return this.#metadata.byteLength + this.#value.byteLength;
	}
	protected override grow(): void {}
	override appendNull(): void {
		super.appendNull();
		this.#metadata.appendValue(EMPTY_METADATA);
		this.#value.appendValue(VARIANT_NULL);
	}
	append(input: unknown): void {
		this.appendValue(this.#coerce(input));
	}
	appendValue(value: Value): void {
		this.reserve();
		const parts = value as VariantValue;
		this.#metadata.appendValue(parts.metadata);
		this.#value.appendValue(parts.value);
		this.length++;
	}
	finish(): Vector {
		return {
			...this.finishParts(),
			layout: 'variant',
			metadata: this.#metadata.finish(),
			value: this.#value.finish(),
		};
	}
}
