/** Builds vectors from cells, one loop a column, compiled by the column's type. */
import { vectorOf } from '../column/vector-values.ts';
import type { Vector } from '../column/vector.ts';
import { coerce } from '../column/coerce.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import { typeToString } from '../spec/type-text.ts';
import type { Type, Value } from '../spec/types.ts';
import { parseValue } from '../spec/value-text.ts';
import { plainDate, plainTimestamp, smallDecimal, smallInteger } from './cell-numbers.ts';
import { cellBytes, cellText, type CsvScanner, ESCAPED_CELL, PLAIN_CELL } from './csv-scanner.ts';
import { parseExactJson } from './exact-json.ts';
import { inputConverter } from './json-values.ts';

/** One column of a scan: where its cells are, and what to say when one does not fit. */
export interface CellColumn {
	readonly scanner: CsvScanner;
	readonly bytes: Uint8Array;
	/** index of the column in the file */
	readonly column: number;
	readonly columnName: string;
	/** texts that stand for null when they are not in quotes; the empty text always does */
	readonly nullTexts: ReadonlySet<string>;
}

/** The cells of a column as a vector of the type. @throws `INVALID_DATA` naming row, column and text of a bad cell */
export function vectorFromCells(cells: CellColumn, type: Type): Vector {
	switch (type.kind) {
		case 'int':
		case 'date':
			return int32FromCells(cells, type);
		case 'long':
		case 'timestamp':
		case 'timestamptz':
			return int64FromCells(cells, type);
		case 'float':
		case 'double':
			return floatsFromCells(cells, type);
		case 'string':
			return stringsFromCells(cells, type);
		case 'struct':
		case 'list':
		case 'map':
		case 'variant': {
			const convert = inputConverter(type);
			return vectorOf(
				type,
				eachCell(cells, type, (text) => coerce(type, convert(parseExactJson(text)))),
			);
		}
		default:
			return vectorOf(
				type,
				eachCell(cells, type, (text) => parseValue(type, text)),
			);
	}
}

/** Whether a cell is null: empty and not in quotes (in quotes too, unless the column is text), or a text for null. */
function isNullCell(cells: CellColumn, cell: number, isText: boolean): boolean {
	const { scanner } = cells;
	const start = scanner.starts[cell] as number;
	const end = scanner.ends[cell] as number;
	const kind = scanner.kinds[cell];
	if (start === end) return kind === PLAIN_CELL || !isText;
	if (cells.nullTexts.size === 0 || kind !== PLAIN_CELL) return false;
	return cells.nullTexts.has(cellText(cells.bytes, start, end, PLAIN_CELL));
}

function eachCell(cells: CellColumn, type: Type, parse: (text: string) => Value): Value[] {
	const { scanner, bytes, column } = cells;
	const values: Value[] = new Array(scanner.rowCount);
	for (let row = 0, cell = column; row < scanner.rowCount; row++, cell += scanner.columnCount) {
		if (isNullCell(cells, cell, false)) {
			values[row] = null;
			continue;
		}
		const text = cellText(
			bytes,
			scanner.starts[cell] as number,
			scanner.ends[cell] as number,
			scanner.kinds[cell] as number,
		).trim();
		try {
			values[row] = parse(text);
		} catch (error) {
			throw misfit(cells, row, text, type, error);
		}
	}
	return values;
}

/** Validity bits and the number of nulls of a column under construction. */
class Nulls {
	readonly bits: Uint8Array;
	count = 0;
	readonly #length: number;

	constructor(length: number) {
		this.#length = length;
		this.bits = new Uint8Array((length + 7) >> 3).fill(0xff);
		if ((length & 7) !== 0) this.bits[this.bits.length - 1] = (1 << (length & 7)) - 1;
	}

	add(row: number): void {
		this.bits[row >> 3] = (this.bits[row >> 3] as number) & ~(1 << (row & 7));
		this.count++;
	}

	finish(): { length: number; nullCount: number; validity: Uint8Array | null } {
		return { length: this.#length, nullCount: this.count, validity: this.count === 0 ? null : this.bits };
	}
}

/** The range of a cell without spaces around it. */
function trimmedStart(bytes: Uint8Array, start: number, end: number): number {
	let at = start;
	while (at < end && bytes[at] === 32) at++;
	return at;
}
function trimmedEnd(bytes: Uint8Array, start: number, end: number): number {
	let at = end;
	while (at > start && bytes[at - 1] === 32) at--;
	return at;
}

/** Calls `fill` for each cell that is not null, with its trimmed range. */
function scanCells(
	cells: CellColumn,
	type: Type,
	fill: (bytes: Uint8Array, start: number, end: number, row: number) => boolean,
	slow: (value: Value, row: number) => void,
): Nulls {
	const { scanner, bytes, column } = cells;
	const { rowCount, columnCount, starts, ends } = scanner;
	const nulls = new Nulls(rowCount);
	for (let row = 0, cell = column; row < rowCount; row++, cell += columnCount) {
		if (isNullCell(cells, cell, false)) {
			nulls.add(row);
			continue;
		}
		const from = starts[cell] as number;
		const to = ends[cell] as number;
		const start = trimmedStart(bytes, from, to);
		const end = trimmedEnd(bytes, start, to);
		if (fill(bytes, start, end, row)) continue;
		const text = cellText(bytes, start, end, scanner.kinds[cell] as number);
		try {
			slow(parseValue(type, text), row);
		} catch (error) {
			throw misfit(cells, row, text, type, error);
		}
	}
	return nulls;
}

function int32FromCells(cells: CellColumn, type: Type): Vector {
	const values = new Int32Array(cells.scanner.rowCount);
	const fill =
		type.kind === 'date'
			? (bytes: Uint8Array, start: number, end: number, row: number): boolean => {
					const days = plainDate(bytes, start, end);
					if (days === undefined) return false;
					values[row] = days;
					return true;
				}
			: (bytes: Uint8Array, start: number, end: number, row: number): boolean => {
					const value = smallInteger(bytes, start, end);
					values[row] = value;
					return values[row] === value;
				};
	const nulls = scanCells(cells, type, fill, (value, row) => {
		values[row] = value as number;
	});
	return { type, layout: 'int32', values, ...nulls.finish() };
}

const TWO_POW_32 = 4_294_967_296;
/** Which of the two words of a 64-bit element is the low one on this machine. */
const LOW_WORD = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;

function int64FromCells(cells: CellColumn, type: Type): Vector {
	const values = new BigInt64Array(cells.scanner.rowCount);
	const words = new Int32Array(values.buffer);
	const put = (value: number, row: number): void => {
		const high = Math.floor(value / TWO_POW_32);
		words[2 * row + LOW_WORD] = value - high * TWO_POW_32;
		words[2 * row + 1 - LOW_WORD] = high;
	};
	const wantsOffset = type.kind === 'timestamptz';
	const fill =
		type.kind === 'long'
			? (bytes: Uint8Array, start: number, end: number, row: number): boolean => {
					const value = smallInteger(bytes, start, end);
					if (Number.isNaN(value)) return false;
					put(value, row);
					return true;
				}
			: (bytes: Uint8Array, start: number, end: number, row: number): boolean => {
					const timestamp = plainTimestamp(bytes, start, end);
					if (timestamp === undefined || timestamp.hasOffset !== wantsOffset) return false;
					put(timestamp.micros, row);
					return true;
				};
	const nulls = scanCells(cells, type, fill, (value, row) => {
		values[row] = value as bigint;
	});
	return { type, layout: 'int64', values, ...nulls.finish() };
}

function floatsFromCells(cells: CellColumn, type: Type): Vector {
	const { rowCount } = cells.scanner;
	const values = type.kind === 'float' ? new Float32Array(rowCount) : new Float64Array(rowCount);
	const fill = (bytes: Uint8Array, start: number, end: number, row: number): boolean => {
		const value = smallDecimal(bytes, start, end);
		if (value === undefined) return false;
		values[row] = value;
		return Number.isFinite(values[row]);
	};
	const nulls = scanCells(cells, type, fill, (value, row) => {
		values[row] = value as number;
	});
	return values instanceof Float32Array
		? { type, layout: 'float32', values, ...nulls.finish() }
		: { type, layout: 'float64', values, ...nulls.finish() };
}

/** Cells up to this length are copied byte by byte, which is quicker than a call. */
const SHORT_CELL_BYTES = 24;

function stringsFromCells(cells: CellColumn, type: Type): Vector {
	const { scanner, bytes, column } = cells;
	const { rowCount, columnCount, starts, ends, kinds } = scanner;
	let capacity = 0;
	for (let row = 0, cell = column; row < rowCount; row++, cell += columnCount)
		capacity += (ends[cell] as number) - (starts[cell] as number);
	const values = new Uint8Array(capacity);
	const offsets = new Int32Array(rowCount + 1);
	const nulls = new Nulls(rowCount);
	let at = 0;
	for (let row = 0, cell = column; row < rowCount; row++, cell += columnCount) {
		const start = starts[cell] as number;
		const end = ends[cell] as number;
		const kind = kinds[cell] as number;
		if (isNullCell(cells, cell, true)) nulls.add(row);
		else if (kind === ESCAPED_CELL) {
			const text = cellBytes(bytes, start, end, kind);
			values.set(text, at);
			at += text.length;
		} else if (end - start <= SHORT_CELL_BYTES) for (let i = start; i < end; i++) values[at++] = bytes[i] as number;
		else {
			values.set(bytes.subarray(start, end), at);
			at += end - start;
		}
		offsets[row + 1] = at;
	}
	return { type, layout: 'bytes', offsets, values, ...nulls.finish() };
}

function misfit(cells: CellColumn, row: number, text: string, type: Type, cause: unknown): IcebergError {
	const number = cells.scanner.firstRowNumber + row;
	const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text;
	return new IcebergError(
		'INVALID_DATA',
		`${cells.scanner.name}, row ${number}, column '${cells.columnName}': '${shown}' is no ${typeToString(type)}`,
		{ context: { row: number, column: cells.columnName, value: shown, expected: typeToString(type) }, cause },
	);
}
