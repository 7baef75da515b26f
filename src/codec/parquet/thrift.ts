/**
 * Thrift's compact protocol, as far as Parquet's metadata need it. The reader takes untrusted bytes: each access is
 * checked, lists cannot be longer than the bytes left, structs cannot nest deeper than {@link MAX_THRIFT_DEPTH}.
 */
import { IcebergError } from '../../errors/iceberg-error.ts';

/** Deepest nesting of structs and collections that is read; Parquet's own structures reach 8. */
export const MAX_THRIFT_DEPTH = 32;

export const ThriftType = {
	STOP: 0,
	TRUE: 1,
	FALSE: 2,
	I8: 3,
	I16: 4,
	I32: 5,
	I64: 6,
	DOUBLE: 7,
	BINARY: 8,
	LIST: 9,
	SET: 10,
	MAP: 11,
	STRUCT: 12,
	UUID: 13,
} as const;
export type ThriftType = (typeof ThriftType)[keyof typeof ThriftType];

const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const textEncoder = new TextEncoder();

/** Reads one value after the other; `position` is where the next byte comes from. */
export class ThriftReader {
	readonly bytes: Uint8Array;
	position: number;
	/** what is read, for messages */
	readonly what: string;
	/** type of the field that {@link nextField} found */
	fieldType = 0;
	#depth = 0;

	constructor(bytes: Uint8Array, position: number, what: string) {
		this.bytes = bytes;
		this.position = position;
		this.what = what;
	}

	fail(problem: string): never {
		throw new IcebergError('CORRUPT', `${this.what}: ${problem} at byte ${this.position}`, {
			context: { position: this.position },
		});
	}

	/**
	 * Steps to the next field of a struct and returns its id, or 0 at the end. `previousId` is the id before (0 at the
	 * start). A field that is not wanted must be passed to {@link skip} with {@link fieldType}.
	 */
	nextField(previousId: number): number {
		const header = this.#byte();
		const type = header & 0x0f;
		if (type === ThriftType.STOP) {
			if (header !== 0) this.fail('a field without a type');
			return 0;
		}
		if (type > ThriftType.UUID) this.fail(`the unknown type ${type}`);
		this.fieldType = type;
		const delta = header >>> 4;
		const id = delta === 0 ? this.#zigzag32() : previousId + delta;
		if (id <= 0 || id > 32_767) this.fail(`the field id ${id}`);
		return id;
	}

	/** Must be called around each struct that is read, before and after its fields. */
	enter(): void {
		if (++this.#depth > MAX_THRIFT_DEPTH) this.fail(`nesting deeper than ${MAX_THRIFT_DEPTH}`);
	}

	leave(): void {
		this.#depth--;
	}

	/** The value of a boolean field stands in its type. */
	fieldBool(): boolean {
		if (this.fieldType !== ThriftType.TRUE && this.fieldType !== ThriftType.FALSE) this.#unexpected('a boolean');
		return this.fieldType === ThriftType.TRUE;
	}

	fieldI8(): number {
		if (this.fieldType !== ThriftType.I8) this.#unexpected('an 8-bit integer');
		return (this.#byte() << 24) >> 24;
	}

	/** i16 or i32 */
	fieldI32(): number {
		if (this.fieldType !== ThriftType.I32 && this.fieldType !== ThriftType.I16) this.#unexpected('an integer');
		return this.#zigzag32();
	}

	/** i64 (or shorter), which in all of Parquet's fields that are read counts bytes or values. @throws `CORRUPT` beyond 2^53 */
	fieldI64(): number {
		if (this.fieldType !== ThriftType.I64 && this.fieldType !== ThriftType.I32) this.#unexpected('an integer');
		return this.#zigzag64();
	}

	/** A view of the bytes, not a copy. */
	fieldBinary(): Uint8Array {
		if (this.fieldType !== ThriftType.BINARY) this.#unexpected('bytes');
		return this.#binary();
	}

	fieldString(): string {
		return this.#text(this.fieldBinary());
	}

	/** Starts a list field: returns the number of elements, of type `elementType`, which follow. */
	fieldList(elementType: ThriftType): number {
		if (this.fieldType !== ThriftType.LIST && this.fieldType !== ThriftType.SET) this.#unexpected('a list');
		const header = this.#byte();
		const found = header & 0x0f;
		const size = this.#listSize(header);
		const matches =
			found === elementType || (elementType === ThriftType.TRUE && found === ThriftType.FALSE) || size === 0;
		if (!matches) this.fail(`a list of type ${found}, not ${elementType},`);
		return size;
	}

	listI32(): number {
		return this.#zigzag32();
	}

	listI64(): number {
		return this.#zigzag64();
	}

	/** Booleans in lists: 1 is true; false is 2, or 0 as some writers have it. */
	listBool(): boolean {
		const byte = this.#byte();
		if (byte > 2) this.fail(`the boolean ${byte}`);
		return byte === 1;
	}

	listBinary(): Uint8Array {
		return this.#binary();
	}

	listString(): string {
		return this.#text(this.#binary());
	}

	/** Starts a struct field. */
	fieldStruct(): void {
		if (this.fieldType !== ThriftType.STRUCT) this.#unexpected('a struct');
	}

	/** Passes over the value of the field that {@link nextField} found. */
	skip(): void {
		this.#skip(this.fieldType, false);
	}

	#skip(type: number, inCollection: boolean): void {
		switch (type) {
			case ThriftType.TRUE:
			case ThriftType.FALSE:
				if (inCollection) this.#byte();
				return;
			case ThriftType.I8:
				this.#advance(1);
				return;
			case ThriftType.I16:
			case ThriftType.I32:
			case ThriftType.I64:
				for (let i = 0; this.#byte() >= 0x80; i++) if (i >= 9) this.fail('an integer of too many bytes');
				return;
			case ThriftType.DOUBLE:
				this.#advance(8);
				return;
			case ThriftType.UUID:
				this.#advance(16);
				return;
			case ThriftType.BINARY:
				this.#binary();
				return;
			case ThriftType.LIST:
			case ThriftType.SET: {
				this.enter();
				const header = this.#byte();
				const size = this.#listSize(header);
				for (let i = 0; i < size; i++) this.#skip(header & 0x0f, true);
				this.leave();
				return;
			}
			case ThriftType.MAP: {
				this.enter();
				const size = this.#unsigned32();
				if (size > 0) {
					const types = this.#byte();
					if (size > this.bytes.length - this.position) this.fail(`a map of ${size} entries`);
					for (let i = 0; i < size; i++) {
						this.#skip(types >>> 4, true);
						this.#skip(types & 0x0f, true);
					}
				}
				this.leave();
				return;
			}
			case ThriftType.STRUCT:
				this.enter();
				for (let id = this.nextField(0); id !== 0; id = this.nextField(id)) this.#skip(this.fieldType, false);
				this.leave();
				return;
			default:
				this.fail(`the unknown type ${type}`);
		}
	}

	#unexpected(wanted: string): never {
		this.fail(`type ${this.fieldType} where ${wanted} should be`);
	}

	#byte(): number {
		if (this.position >= this.bytes.length) this.fail('ends');
		return this.bytes[this.position++] as number;
	}

	#advance(count: number): void {
		if (count > this.bytes.length - this.position) this.fail('ends');
		this.position += count;
	}

	#unsigned32(): number {
		let value = 0;
		for (let shift = 0; ; shift += 7) {
			const byte = this.#byte();
			if (shift === 28 && byte > 0x0f) this.fail('an integer beyond 32 bits');
			value |= (byte & 0x7f) << shift;
			if (byte < 0x80) return value >>> 0;
		}
	}

	#zigzag32(): number {
		const value = this.#unsigned32();
		return (value >>> 1) ^ -(value & 1);
	}

	#zigzag64(): number {
		let value = 0n;
		let low = 0;
		for (let count = 0; ; count++) {
			const byte = this.#byte();
			if (count < 4) {
				low |= (byte & 0x7f) << (7 * count);
				if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
			} else {
				if (count === 4) value = BigInt(low);
				if (count > 9 || (count === 9 && byte > 1)) this.fail('an integer beyond 64 bits');
				value |= BigInt(byte & 0x7f) << BigInt(7 * count);
				if (byte < 0x80) break;
			}
		}
		const signed = Number((value >> 1n) ^ -(value & 1n));
		if (!Number.isSafeInteger(signed)) this.fail(`the implausible number ${signed}`);
		return signed;
	}

	#binary(): Uint8Array {
		const length = this.#unsigned32();
		const start = this.position;
		this.#advance(length);
		return this.bytes.subarray(start, start + length);
	}

	#text(bytes: Uint8Array): string {
		try {
			return textDecoder.decode(bytes);
		} catch {
			this.fail('text that is not UTF-8');
		}
	}

	/** Each element takes at least a byte, so a list cannot be longer than what is left. */
	#listSize(header: number): number {
		const short = header >>> 4;
		const size = short === 15 ? this.#unsigned32() : short;
		if (size > this.bytes.length - this.position) this.fail(`a list of ${size} elements`);
		return size;
	}
}

/** Writes structs field by field, in rising order of ids. */
export class ThriftWriter {
	#bytes: Uint8Array;
	#length = 0;
	#lastIds: number[] = [];
	#lastId = 0;

	constructor(capacityBytes = 1024) {
		this.#bytes = new Uint8Array(capacityBytes);
	}

	/** What was written so far: a view that the next write may invalidate. */
	finish(): Uint8Array {
		return this.#bytes.subarray(0, this.#length);
	}

	/** Starts a struct that is no field: the outermost or a list's element. */
	beginStruct(): void {
		this.#lastIds.push(this.#lastId);
		this.#lastId = 0;
	}

	endStruct(): void {
		this.#push(0);
		this.#lastId = this.#lastIds.pop() ?? 0;
	}

	structField(id: number): void {
		this.#field(id, ThriftType.STRUCT);
		this.beginStruct();
	}

	boolField(id: number, value: boolean): void {
		this.#field(id, value ? ThriftType.TRUE : ThriftType.FALSE);
	}

	i8Field(id: number, value: number): void {
		this.#field(id, ThriftType.I8);
		this.#push(value & 0xff);
	}

	i16Field(id: number, value: number): void {
		this.#field(id, ThriftType.I16);
		this.#zigzag(value);
	}

	i32Field(id: number, value: number): void {
		this.#field(id, ThriftType.I32);
		this.#zigzag(value);
	}

	/** `value` is a safe integer */
	i64Field(id: number, value: number): void {
		this.#field(id, ThriftType.I64);
		this.#zigzag(value);
	}

	binaryField(id: number, value: Uint8Array): void {
		this.#field(id, ThriftType.BINARY);
		this.binary(value);
	}

	stringField(id: number, value: string): void {
		this.binaryField(id, textEncoder.encode(value));
	}

	/** The elements follow, through {@link integer}, {@link bool}, {@link binary}, … or {@link beginStruct}. */
	listField(id: number, elementType: ThriftType, size: number): void {
		this.#field(id, ThriftType.LIST);
		if (size < 15) this.#push((size << 4) | elementType);
		else {
			this.#push(0xf0 | elementType);
			this.#unsigned(size);
		}
	}

	bool(value: boolean): void {
		this.#push(value ? ThriftType.TRUE : ThriftType.FALSE);
	}

	/** i32 or i64 as an element of a list; `value` is a safe integer */
	integer(value: number): void {
		this.#zigzag(value);
	}

	binary(value: Uint8Array): void {
		this.#unsigned(value.length);
		this.#reserve(value.length);
		this.#bytes.set(value, this.#length);
		this.#length += value.length;
	}

	string(value: string): void {
		this.binary(textEncoder.encode(value));
	}

	#field(id: number, type: number): void {
		const delta = id - this.#lastId;
		if (delta > 0 && delta <= 15) this.#push((delta << 4) | type);
		else {
			this.#push(type);
			this.#zigzag(id);
		}
		this.#lastId = id;
	}

	#zigzag(value: number): void {
		// doubled numbers up to 2^54 are exact
		if (value >= 0) {
			if (value < 0x40000000) this.#unsigned(value * 2);
			else this.#unsignedBig(BigInt(value) * 2n);
		} else if (value > -0x40000000) this.#unsigned(-value * 2 - 1);
		else this.#unsignedBig(-BigInt(value) * 2n - 1n);
	}

	#unsigned(value: number): void {
		let rest = value;
		while (rest >= 0x80) {
			this.#push((rest & 0x7f) | 0x80);
			rest >>>= 7;
		}
		this.#push(rest);
	}

	#unsignedBig(value: bigint): void {
		let rest = value;
		while (rest >= 0x80n) {
			this.#push(Number(rest & 0x7fn) | 0x80);
			rest >>= 7n;
		}
		this.#push(Number(rest));
	}

	#push(byte: number): void {
		if (this.#length === this.#bytes.length) this.#reserve(1);
		this.#bytes[this.#length++] = byte;
	}

	#reserve(count: number): void {
		const needed = this.#length + count;
		if (needed <= this.#bytes.length) return;
		const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
		grown.set(this.#bytes.subarray(0, this.#length));
		this.#bytes = grown;
	}
}
