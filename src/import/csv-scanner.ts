/** Finds the cells of comma-separated text (RFC 4180) in bytes. No text is made here. */
import { IcebergError } from '../errors/iceberg-error.ts';

const LF = 10;
const CR = 13;
const QUOTE = 34;

/** How a cell stands in the bytes. */
export const PLAIN_CELL = 0;
/** in quotes, which are left out of its range */
export const QUOTED_CELL = 1;
/** in quotes, with doubled quotes inside that stand for one */
export const ESCAPED_CELL = 2;

/** Most columns of a file. */
export const CSV_COLUMN_LIMIT = 20_000;

/**
 * Cells of as many whole rows as a call of {@link CsvScanner.scan} found: cell `c` of row `r` has the index
 * `r * columnCount + c`.
 */
export class CsvScanner {
	readonly name: string;
	readonly delimiter: number;
	/** cells of each row; 0 until the first row has told */
	columnCount = 0;
	rowCount = 0;
	starts = new Int32Array(4096);
	ends = new Int32Array(4096);
	kinds = new Uint8Array(4096);
	/** rows that earlier scans found, for messages */
	#rowsBefore = 0;
	#cells = 0;

	/** @param delimiter a byte */
	constructor(name: string, delimiter: number) {
		this.name = name;
		this.delimiter = delimiter;
	}

	/** Number of the first row of the last scan, from 1; the header counts as row 0 when there is one. */
	get firstRowNumber(): number {
		return this.#rowsBefore - this.rowCount + 1;
	}

	/** The row just scanned was the header. */
	discountHeader(): void {
		this.#rowsBefore--;
	}

	/**
	 * Finds rows in `bytes` from `from` to `to`. A row that is not complete is left for the next call, unless `ended`.
	 * Lines without any cell text are skipped where there are several columns.
	 *
	 * @returns the offset behind the last row that was found
	 * @throws `INVALID_DATA` for a row with another number of cells than the first, or text behind a closing quote
	 */
	scan(bytes: Uint8Array, from: number, to: number, ended: boolean, rowLimit: number): number {
		const delimiter = this.delimiter;
		this.rowCount = 0;
		this.#cells = 0;
		let position = from;
		let rowStart = from;
		while (this.rowCount < rowLimit && position < to) {
			const firstCell = this.#cells;
			let rowEnd = -1;
			while (rowEnd < 0) {
				let kind = PLAIN_CELL;
				let start = position;
				let end: number;
				if (position < to && bytes[position] === QUOTE) {
					start = position + 1;
					end = closingQuote(bytes, start, to);
					kind = QUOTED_CELL;
					while (end >= 0 && end + 1 < to && bytes[end + 1] === QUOTE) {
						kind = ESCAPED_CELL;
						end = closingQuote(bytes, end + 2, to);
					}
					if (end < 0) {
						if (ended) throw this.#fault('a quote is not closed before the end of the file');
						return this.#leave(rowStart);
					}
					if (end + 1 >= to && !ended) return this.#leave(rowStart);
					position = end + 1;
				} else {
					let byte = -1;
					while (position < to) {
						byte = bytes[position] as number;
						if (byte === delimiter || byte === LF || byte === CR) break;
						position++;
					}
					if (position >= to && !ended) return this.#leave(rowStart);
					end = position;
				}
				this.#push(start, end, kind);
				if (position >= to) rowEnd = to;
				else {
					const byte = bytes[position];
					if (byte === delimiter) position++;
					else if (byte === LF) rowEnd = position + 1;
					else if (byte === CR) {
						if (position + 1 >= to && !ended) return this.#leave(rowStart);
						rowEnd = position + 1 < to && bytes[position + 1] === LF ? position + 2 : position + 1;
					} else throw this.#fault('text after a closing quote');
				}
			}
			position = rowEnd;
			rowStart = rowEnd;
			this.#endRow(firstCell);
		}
		this.#rowsBefore += this.rowCount;
		return position;
	}

	#leave(rowStart: number): number {
		this.#cells = this.rowCount * this.columnCount;
		this.#rowsBefore += this.rowCount;
		return rowStart;
	}

	#endRow(firstCell: number): void {
		const count = this.#cells - firstCell;
		const blank =
			count === 1 && this.kinds[firstCell] === PLAIN_CELL && this.starts[firstCell] === this.ends[firstCell];
		if (blank && this.columnCount !== 1) {
			this.#cells = firstCell;
			return;
		}
		if (this.columnCount === 0) this.columnCount = count;
		else if (count !== this.columnCount)
			throw this.#fault(`${count} cells, expected ${this.columnCount} as in the first row`);
		this.rowCount++;
	}

	#push(start: number, end: number, kind: number): void {
		const cell = this.#cells++;
		if (cell >= this.starts.length) {
			if (this.columnCount === 0 && cell >= CSV_COLUMN_LIMIT)
				throw new IcebergError('LIMIT_EXCEEDED', `${this.name}: more than ${CSV_COLUMN_LIMIT} columns`);
			this.starts = grown(this.starts);
			this.ends = grown(this.ends);
			const kinds = new Uint8Array(this.starts.length);
			kinds.set(this.kinds);
			this.kinds = kinds;
		}
		this.starts[cell] = start;
		this.ends[cell] = end;
		this.kinds[cell] = kind;
	}

	#fault(problem: string): IcebergError {
		const row = this.#rowsBefore + this.rowCount + 1;
		return new IcebergError('INVALID_DATA', `${this.name}, row ${row}: ${problem}`, { context: { row } });
	}
}

function closingQuote(bytes: Uint8Array, from: number, to: number): number {
	const at = bytes.indexOf(QUOTE, from);
	return at >= to ? -1 : at;
}

function grown(cells: Int32Array): Int32Array<ArrayBuffer> {
	const larger = new Int32Array(cells.length * 2);
	larger.set(cells);
	return larger;
}

/** The bytes of a cell, without the second of doubled quotes. */
export function cellBytes(bytes: Uint8Array, start: number, end: number, kind: number): Uint8Array {
	const plain = bytes.subarray(start, end);
	if (kind !== ESCAPED_CELL) return plain;
	const out = new Uint8Array(plain.length);
	let length = 0;
	for (let i = 0; i < plain.length; i++) {
		const byte = plain[i] as number;
		out[length++] = byte;
		if (byte === QUOTE) i++;
	}
	return out.subarray(0, length);
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text of a cell. */
export function cellText(bytes: Uint8Array, start: number, end: number, kind: number): string {
	return decoder.decode(cellBytes(bytes, start, end, kind));
}
