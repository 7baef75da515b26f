import { isUtf8 } from 'node:buffer';
import { IcebergError } from '../errors/iceberg-error.ts';

/** The most bytes that one row of a text file may take. */
export const IMPORT_ROW_LIMIT_BYTES = 64 * 1024 * 1024;

const FIRST_BYTES = 256 * 1024;
const ENCODING_MARK_BYTES = 3;

/**
 * A window over the bytes of a text file: what was read and not yet consumed. Skips a byte order mark and refuses text
 * that is not UTF-8.
 */
export class ByteWindow {
	/** what the bytes are of, for messages */
	readonly name: string;
	/** unconsumed bytes stand from `from` to `to` */
	bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
	from = 0;
	to = 0;
	/** true when no more bytes will come */
	ended = false;
	readonly #pieces: AsyncIterator<Uint8Array>;
	readonly #cutAfterBytes: number;
	#started = false;
	#readBytes = 0;

	/** @param cutAfterBytes of a sample: when the pieces end after so many bytes, the input goes on behind them */
	constructor(name: string, pieces: AsyncIterable<Uint8Array>, cutAfterBytes = Number.POSITIVE_INFINITY) {
		this.#cutAfterBytes = cutAfterBytes;
		this.name = name;
		this.#pieces = pieces[Symbol.asyncIterator]();
	}

	/** True when the bytes ended because a sample was wanted: what stands last may be a part of a row. */
	get isCut(): boolean {
		return this.ended && this.#readBytes >= this.#cutAfterBytes;
	}

	/** Reads one more piece behind what is there. False when there was none. */
	async more(): Promise<boolean> {
		if (this.#started) return this.#readPiece();
		// the first bytes tell the encoding: nobody sees them before
		while (this.to - this.from < ENCODING_MARK_BYTES) if (!(await this.#readPiece())) break;
		this.#started = true;
		this.#skipMark();
		return !this.ended || this.to > this.from;
	}

	async #readPiece(): Promise<boolean> {
		if (this.ended) return false;
		const next = await this.#pieces.next();
		if (next.done === true) {
			this.ended = true;
			return false;
		}
		this.#readBytes += next.value.length;
		this.#append(next.value);
		return true;
	}

	/** Reads on until at least `bytes` are there or the file ends. */
	async ensure(bytes: number): Promise<boolean> {
		while (this.to - this.from < bytes) if (!(await this.more())) break;
		return this.to - this.from >= bytes;
	}

	/** Ends reading early. */
	async close(): Promise<void> {
		this.ended = true;
		await this.#pieces.return?.();
	}

	/** Bytes from `from` to `end`, consumed. @throws `INVALID_DATA` when they are not UTF-8 */
	checkText(end: number, rowNumber: number): void {
		if (isUtf8(this.bytes.subarray(this.from, end))) return;
		throw new IcebergError(
			'INVALID_DATA',
			`${this.name}: text that is not UTF-8 in or soon after row ${rowNumber}; convert the file to UTF-8 first`,
			{ context: { row: rowNumber } },
		);
	}

	#append(piece: Uint8Array): void {
		const kept = this.to - this.from;
		if (kept > IMPORT_ROW_LIMIT_BYTES) {
			throw new IcebergError(
				'LIMIT_EXCEEDED',
				`${this.name}: a row of more than ${IMPORT_ROW_LIMIT_BYTES} bytes; is a quote or a bracket left open?`,
			);
		}
		if (this.to + piece.length > this.bytes.length) {
			const target = kept + piece.length > this.bytes.length ? new Uint8Array(2 * (kept + piece.length)) : this.bytes;
			if (target === this.bytes) target.copyWithin(0, this.from, this.to);
			else target.set(this.bytes.subarray(this.from, this.to));
			this.bytes = target;
			this.from = 0;
			this.to = kept;
		}
		this.bytes.set(piece, this.to);
		this.to += piece.length;
	}

	#skipMark(): void {
		const [a, b, c] = this.bytes.subarray(this.from, Math.min(this.from + 3, this.to));
		if (a === 0xef && b === 0xbb && c === 0xbf) this.from += 3;
		else if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff))
			throw new IcebergError('UNSUPPORTED', `${this.name}: UTF-16 text; convert the file to UTF-8 first`);
	}
}
