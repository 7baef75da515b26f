/**
 * A table of a flatbuffer, read field by field. All positions are checked: what leaves the buffer throws `RangeError`.
 * Vectors are not copied; nothing is allocated by what the buffer merely announces.
 */
export class FlatTable {
	readonly view: DataView;
	readonly #at: number;

	constructor(view: DataView, at: number) {
		this.view = view;
		this.#at = at;
	}

	/** The root table of a buffer. */
	static root(bytes: Uint8Array): FlatTable {
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		return new FlatTable(view, view.getUint32(0, true));
	}

	/** The position of a field's value; 0 where the field has its default. */
	#field(index: number): number {
		const vtable = this.#at - this.view.getInt32(this.#at, true);
		const slot = 4 + 2 * index;
		if (slot + 2 > this.view.getUint16(vtable, true)) return 0;
		const offset = this.view.getUint16(vtable + slot, true);
		return offset === 0 ? 0 : this.#at + offset;
	}

	uint8(index: number, fallback = 0): number {
		const at = this.#field(index);
		return at === 0 ? fallback : this.view.getUint8(at);
	}

	int16(index: number, fallback = 0): number {
		const at = this.#field(index);
		return at === 0 ? fallback : this.view.getInt16(at, true);
	}

	int32(index: number, fallback = 0): number {
		const at = this.#field(index);
		return at === 0 ? fallback : this.view.getInt32(at, true);
	}

	int64(index: number): number {
		const at = this.#field(index);
		return at === 0 ? 0 : safeInt64(this.view, at);
	}

	/** The text of a field, empty where there is none. */
	text(index: number): string {
		const { start, count } = this.vector(index, 1);
		const { buffer, byteOffset } = this.view;
		return Buffer.from(buffer, byteOffset + start, count).toString('utf8');
	}

	table(index: number): FlatTable | undefined {
		const at = this.#field(index);
		return at === 0 ? undefined : new FlatTable(this.view, at + this.view.getUint32(at, true));
	}

	/** Where a vector's elements start, and how many there are; all of them lie inside the buffer. */
	vector(index: number, elementBytes: number): { readonly start: number; readonly count: number } {
		const at = this.#field(index);
		if (at === 0) return { start: 0, count: 0 };
		const vector = at + this.view.getUint32(at, true);
		const count = this.view.getUint32(vector, true);
		const start = vector + 4;
		if (start + count * elementBytes > this.view.byteLength)
			throw new RangeError(`a list of ${count} elements in ${this.view.byteLength} bytes`);
		return { start, count };
	}

	/** The elements of a vector of tables. */
	*tables(index: number): Generator<FlatTable> {
		const { start, count } = this.vector(index, 4);
		for (let i = 0; i < count; i++) {
			const at = start + 4 * i;
			yield new FlatTable(this.view, at + this.view.getUint32(at, true));
		}
	}
}

/** A 64-bit integer that a number holds exactly. @throws `RangeError` for another */
export function safeInt64(view: DataView, at: number): number {
	const value = Number(view.getBigInt64(at, true));
	if (!Number.isSafeInteger(value)) throw new RangeError(`the number ${value}`);
	return value;
}
