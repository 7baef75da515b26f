/** The bytes of a row group's column chunks, read in bounded pieces. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { ByteSource } from './api.ts';

/** Most bytes that are read ahead for one column chunk. */
export const PIECE_BYTES_LIMIT = 4 << 20;
/** Fewest. */
const PIECE_BYTES_FLOOR = 256 << 10;
/** Bytes that all columns of a row group share for their pieces. */
export const PIECES_BYTES_BUDGET = 64 << 20;
/** Small neighbouring chunks are read together, up to so many bytes. */
export const COALESCED_READ_BYTES_LIMIT = 8 << 20;
/** Bytes between two chunks that are rather read in vain than cost a read. */
const COALESCED_GAP_BYTES_LIMIT = 128 << 10;

export interface ByteRange {
	/** offset in the file */
	readonly start: number;
	/** offset in the file, exclusive */
	readonly end: number;
}

/** Bytes of one column chunk, from any place on. */
export interface ChunkBytes extends ByteRange {
	/**
	 * Bytes from file offset `offset` on: at least `length`, or all up to the chunk's end if that comes before.
	 * @throws whatever the source throws
	 */
	at(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Opens column chunks of one row group. Chunks smaller than a piece that lie near each other come with one read; larger
 * ones piece by piece. `chunks` may be in any order; the result is in the same.
 */
export function openChunks(
	source: ByteSource,
	chunks: readonly ByteRange[],
	signal: AbortSignal | undefined,
): ChunkBytes[] {
	const share = Math.floor(PIECES_BYTES_BUDGET / Math.max(1, chunks.length));
	const pieceBytes = Math.max(PIECE_BYTES_FLOOR, Math.min(PIECE_BYTES_LIMIT, share));
	const out: ChunkBytes[] = new Array<ChunkBytes>(chunks.length);
	const small: number[] = [];
	chunks.forEach((range, i) => {
		if (range.end - range.start <= pieceBytes) small.push(i);
		else out[i] = new Chunk(source, range, pieceBytes, undefined, signal);
	});
	small.sort((a, b) => (chunks[a] as ByteRange).start - (chunks[b] as ByteRange).start);
	let block: Block | undefined;
	for (const i of small) {
		const range = chunks[i] as ByteRange;
		const joins =
			block !== undefined &&
			range.start - block.end <= COALESCED_GAP_BYTES_LIMIT &&
			range.end - block.start <= COALESCED_READ_BYTES_LIMIT;
		if (block === undefined || !joins) block = new Block(source, range.start, signal);
		block.end = Math.max(block.end, range.end);
		out[i] = new Chunk(source, range, pieceBytes, block, signal);
	}
	return out;
}

/** Bytes of several chunks, read once, at first use. */
class Block {
	readonly start: number;
	end: number;
	readonly #source: ByteSource;
	readonly #signal: AbortSignal | undefined;
	#bytes: Promise<Uint8Array> | undefined;

	constructor(source: ByteSource, start: number, signal: AbortSignal | undefined) {
		this.#source = source;
		this.start = start;
		this.end = start;
		this.#signal = signal;
	}

	async range(range: ByteRange): Promise<Uint8Array> {
		this.#bytes ??= readExactly(this.#source, this.start, this.end - this.start, this.#signal);
		const bytes = await this.#bytes;
		return bytes.subarray(range.start - this.start, range.end - this.start);
	}
}

class Chunk implements ChunkBytes {
	readonly start: number;
	readonly end: number;
	readonly #source: ByteSource;
	readonly #pieceBytes: number;
	readonly #signal: AbortSignal | undefined;
	#block: Block | undefined;
	#piece: Uint8Array = new Uint8Array(0);
	#pieceStart = 0;

	constructor(
		source: ByteSource,
		range: ByteRange,
		pieceBytes: number,
		block: Block | undefined,
		signal: AbortSignal | undefined,
	) {
		this.#source = source;
		this.start = range.start;
		this.end = range.end;
		this.#pieceBytes = pieceBytes;
		this.#block = block;
		this.#signal = signal;
	}

	async at(offset: number, length: number): Promise<Uint8Array> {
		if (this.#block !== undefined) {
			this.#piece = await this.#block.range(this);
			this.#pieceStart = this.start;
			this.#block = undefined;
		}
		const wantedEnd = Math.min(offset + length, this.end);
		const inside = offset >= this.#pieceStart && wantedEnd <= this.#pieceStart + this.#piece.length;
		if (!inside) {
			const size = Math.min(Math.max(length, this.#pieceBytes), this.end - offset);
			this.#piece = await readExactly(this.#source, offset, size, this.#signal);
			this.#pieceStart = offset;
		}
		return this.#piece.subarray(offset - this.#pieceStart);
	}
}

/** @throws `CORRUPT` when the source gives another number of bytes */
export async function readExactly(
	source: ByteSource,
	offset: number,
	length: number,
	signal: AbortSignal | undefined,
): Promise<Uint8Array> {
	if (length === 0) return new Uint8Array(0);
	const bytes = await source.read(offset, length, signal);
	if (bytes.length !== length) {
		throw new IcebergError(
			'CORRUPT',
			`${source.location}: ${bytes.length} bytes at ${offset} where ${length} should be`,
			{ context: { location: source.location, offset, length } },
		);
	}
	return bytes;
}
