/** Names in a variant's metadata, and the members of its objects by name. Parquet spec: Variant Binary Encoding. */
import { VARIANT_PRIMITIVE } from '../../column/variant-encode.ts';
import { IcebergError } from '../../errors/iceberg-error.ts';
import { corruptPage } from './decode-error.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export interface VariantMember {
	readonly name: string;
	/** of the name in the metadata */
	readonly id: number;
	/** encoded; a view */
	readonly value: Uint8Array;
}

/** The dictionary of names of one metadata. @throws `CORRUPT`, `UNSUPPORTED` for another version of the encoding */
export class VariantNames {
	readonly #metadata: Uint8Array;
	readonly #names: string[] = [];
	readonly #ids = new Map<string, number>();

	constructor(metadata: Uint8Array) {
		this.#metadata = metadata;
		const header = metadata[0];
		if (header === undefined) throw corruptPage('variant metadata of no bytes');
		if ((header & 0x0f) !== 1)
			throw new IcebergError('UNSUPPORTED', `variant encoding version ${header & 0x0f}; this version reads 1`);
		const size = (header >>> 6) + 1;
		const count = unsigned(metadata, 1, size);
		const start = 1 + size * (count + 2);
		if (start > metadata.length) throw corruptPage(`${count} names do not fit into a variant's metadata`);
		for (let id = 0; id < count; id++) {
			const from = start + unsigned(metadata, 1 + size * (id + 1), size);
			const to = start + unsigned(metadata, 1 + size * (id + 2), size);
			if (to < from || to > metadata.length) throw corruptPage(`name ${id} lies beyond a variant's metadata`);
			const name = textOf(metadata.subarray(from, to));
			this.#names.push(name);
			this.#ids.set(name, id);
		}
	}

	/** Whether these are the names of a metadata with the same bytes. */
	isOf(metadata: Uint8Array): boolean {
		const own = this.#metadata;
		if (own.length !== metadata.length) return false;
		if (own.byteOffset === metadata.byteOffset && own.buffer === metadata.buffer) return true;
		return own.every((byte, i) => byte === metadata[i]);
	}

	/** @throws `CORRUPT` when the metadata lack the name */
	idOf(name: string): number {
		const id = this.#ids.get(name);
		if (id === undefined)
			throw corruptPage(`the shredded field ${JSON.stringify(name)} is not in a variant's metadata`);
		return id;
	}

	/** The members of an encoded object. @throws `CORRUPT` */
	members(object: Uint8Array): VariantMember[] {
		const info = (object[0] as number) >>> 2;
		const offsetSize = (info & 3) + 1;
		const idSize = ((info >>> 2) & 3) + 1;
		const countSize = (info & 0x10) === 0 ? 1 : 4;
		const count = unsigned(object, 1, countSize);
		const idsAt = 1 + countSize;
		const offsetsAt = idsAt + idSize * count;
		const dataAt = offsetsAt + offsetSize * (count + 1);
		if (dataAt > object.length) throw corruptPage(`a variant object of ${count} members in ${object.length} bytes`);
		const out: VariantMember[] = [];
		const seen = new Set<number>();
		let total = 0;
		for (let i = 0; i < count; i++) {
			const id = unsigned(object, idsAt + i * idSize, idSize);
			const name = this.#names[id];
			if (name === undefined) throw corruptPage(`a variant's field id ${id} of ${this.#names.length} names`);
			if (seen.has(id)) throw corruptPage(`a variant object has the field ${JSON.stringify(name)} twice`);
			seen.add(id);
			const start = dataAt + unsigned(object, offsetsAt + i * offsetSize, offsetSize);
			const size = sizeOfValue(object, start);
			total += size;
			// members do not share bytes, which could make a small object endlessly large
			if (total > object.length - dataAt) throw corruptPage('the members of a variant object overlap');
			out.push({ name, id, value: object.subarray(start, start + size) });
		}
		return out;
	}
}

/** Bytes behind the header, by type; of binary and string, those of the length. */
const PRIMITIVE_WIDTHS: readonly number[] = [0, 0, 0, 1, 2, 4, 8, 8, 5, 9, 17, 4, 8, 8, 4, 4, 4, 8, 8, 8, 16];

/** Bytes that the encoded value at `at` takes. @throws `CORRUPT` when they are not all there */
function sizeOfValue(bytes: Uint8Array, at: number): number {
	const header = bytes[at];
	if (header === undefined) throw corruptPage('a value lies beyond its variant object');
	const size = headerSize(bytes, at, header & 3, header >>> 2);
	if (size > bytes.length - at) throw corruptPage('a value reaches beyond its variant object');
	return size;
}

function headerSize(bytes: Uint8Array, at: number, basicType: number, info: number): number {
	if (basicType === 1) return 1 + info;
	if (basicType === 0) {
		const width = PRIMITIVE_WIDTHS[info];
		if (width === undefined) throw new IcebergError('UNSUPPORTED', `variant primitive type ${info}`);
		const hasLength = info === VARIANT_PRIMITIVE.binary || info === VARIANT_PRIMITIVE.string;
		return 1 + width + (hasLength ? unsigned(bytes, at + 1, 4) : 0);
	}
	const offsetSize = (info & 3) + 1;
	const idSize = basicType === 2 ? ((info >>> 2) & 3) + 1 : 0;
	const countSize = (info & (basicType === 2 ? 0x10 : 4)) === 0 ? 1 : 4;
	const count = unsigned(bytes, at + 1, countSize);
	const offsetsAt = at + 1 + countSize + idSize * count;
	const last = unsigned(bytes, offsetsAt + offsetSize * count, offsetSize);
	return offsetsAt + offsetSize * (count + 1) + last - at;
}

function unsigned(bytes: Uint8Array, at: number, size: number): number {
	if (at + size > bytes.length) throw corruptPage("a number lies beyond a variant's bytes");
	let value = 0;
	for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number);
	return value;
}

function textOf(bytes: Uint8Array): string {
	try {
		return utf8.decode(bytes);
	} catch (cause) {
		throw new IcebergError('CORRUPT', "a name in a variant's metadata is not UTF-8", { cause });
	}
}
