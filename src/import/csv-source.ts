import type { ByteSource } from '../codec/parquet/api.ts';
import { constantVector, isNullAt } from '../column/vector-values.ts';
import type { ColumnBatch, Vector } from '../column/vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import { Schema } from '../spec/schema.ts';
import type { NestedField } from '../spec/types.ts';
import { type ImportProgress, type InputPieces, piecesOf, SAMPLE_LIMIT_BYTES } from './byte-feed.ts';
import { ByteWindow } from './byte-window.ts';
import { vectorFromCells } from './csv-columns.ts';
import { cellText, CsvScanner, PLAIN_CELL, QUOTED_CELL } from './csv-scanner.ts';
import { type CsvOptions, columnNames, delimiterByte, sniffDelimiter } from './csv-dialect.ts';
import {
	type ImportReadOptions,
	type ImportSource,
	type InferredSchema,
	missingColumn,
	nullInRequired,
	unknownColumn,
	withSampleAdvice,
} from './import-source.ts';
import { KIND, kindOfBytes, kindOfText, typeOfKinds } from './value-kinds.ts';

/** Most rows of a batch. */
const BATCH_ROW_LIMIT = 65_536;

/** Comma-separated text (RFC 4180), by another delimiter too. */
export class CsvSource implements ImportSource {
	readonly format = 'csv';
	readonly name: string;
	readonly sizeBytes: number | undefined;
	readonly progress: ImportProgress = { bytesRead: 0, rows: 0 };
	readonly #pieces: InputPieces;
	readonly #options: CsvOptions;
	readonly #nullTexts: ReadonlySet<string>;
	#sampledRows: number | undefined;

	/** @param sizeBytes of a file; `undefined` for a stream */
	constructor(
		name: string,
		input: ByteSource | AsyncIterable<unknown>,
		options: CsvOptions,
		sizeBytes: number | undefined,
	) {
		this.name = name;
		this.sizeBytes = sizeBytes;
		this.#options = options;
		this.#nullTexts = new Set(options.nullTexts ?? []);
		this.#pieces = piecesOf(name, input, this.progress);
	}

	async inferSchema(options: ImportReadOptions = {}): Promise<InferredSchema> {
		const window = new ByteWindow(this.name, this.#pieces('look', options.signal), this.#sampleLimitBytes);
		const { scanner, names } = await this.#open(window);
		const columns = names.map(() => ({ kinds: 0, nullCount: 0 }));
		let rowCount = 0;
		for await (const bytes of this.#scans(window, scanner)) {
			rowCount += scanner.rowCount;
			for (const [column, evidence] of columns.entries()) this.#look(scanner, bytes, column, evidence);
		}
		if (window.isCut) this.#sampledRows = rowCount;
		const fields = names.map(
			(name, index): NestedField => ({
				id: index + 1,
				name,
				required: false,
				type: typeOfKinds(columns[index]?.kinds ?? 0) ?? { kind: 'string' },
			}),
		);
		return {
			schema: new Schema({ fields }),
			columns: fields.map(({ name, type }, index) => ({ name, type, nullCount: columns[index]?.nullCount ?? 0 })),
			rowCount,
			complete: !window.isCut,
		};
	}

	get #sampleLimitBytes(): number | undefined {
		return this.sizeBytes === undefined ? SAMPLE_LIMIT_BYTES : undefined;
	}

	async *batches(fields: readonly NestedField[], options: ImportReadOptions = {}): AsyncGenerator<ColumnBatch> {
		this.progress.bytesRead = 0;
		this.progress.rows = 0;
		const window = new ByteWindow(this.name, this.#pieces('read', options.signal));
		try {
			const { scanner, names } = await this.#open(window);
			const places = placesOf(this.name, names, fields);
			for await (const bytes of this.#scans(window, scanner)) {
				const columns = fields.map((field, index) => this.#column(scanner, bytes, names, field, places[index]));
				this.progress.rows += scanner.rowCount;
				yield { fields, length: scanner.rowCount, columns };
			}
		} catch (error) {
			throw this.#sampledRows === undefined ? error : withSampleAdvice(error, this.#sampledRows);
		} finally {
			await window.close();
		}
	}

	#column(
		scanner: CsvScanner,
		bytes: Uint8Array,
		names: readonly string[],
		field: NestedField,
		column: number | undefined,
	): Vector {
		if (column === undefined) return constantVector(field.type, field.writeDefault ?? null, scanner.rowCount);
		const columnName = names[column] as string;
		const vector = vectorFromCells({ scanner, bytes, column, columnName, nullTexts: this.#nullTexts }, field.type);
		if (field.required && vector.nullCount > 0) {
			let row = 0;
			while (!isNullAt(vector, row)) row++;
			throw nullInRequired(this.name, scanner.firstRowNumber + row, columnName);
		}
		return vector;
	}

	/** A scanner that stands behind the header, and the names of the columns. */
	async #open(window: ByteWindow): Promise<{ scanner: CsvScanner; names: string[] }> {
		await window.ensure(SNIFFED_BYTES);
		const given = this.#options.delimiter;
		const delimiter =
			given === undefined
				? sniffDelimiter(this.name, window.bytes.subarray(window.from, window.to))
				: delimiterByte(given);
		const scanner = new CsvScanner(this.name, delimiter);
		const from = window.from;
		let end = scanner.scan(window.bytes, from, window.to, window.ended, 1);
		while (scanner.rowCount === 0 && (await window.more()))
			end = scanner.scan(window.bytes, window.from, window.to, window.ended, 1);
		if (scanner.rowCount === 0) end = scanner.scan(window.bytes, window.from, window.to, true, 1);
		if (scanner.rowCount === 0)
			throw new IcebergError('INVALID_DATA', `${this.name}: the file is empty: not even a header is there`);
		window.checkText(end, 0);
		const cells = Array.from({ length: scanner.columnCount }, (_, cell) =>
			cellText(
				window.bytes,
				scanner.starts[cell] as number,
				scanner.ends[cell] as number,
				scanner.kinds[cell] as number,
			),
		);
		const hasHeader = this.#options.header ?? true;
		if (hasHeader) window.from = end;
		scanner.discountHeader();
		return { scanner, names: columnNames(this.name, cells, hasHeader) };
	}

	/** Scans the window to its end, or to that of the sample; the scanner then holds the rows just found. */
	async *#scans(window: ByteWindow, scanner: CsvScanner): AsyncGenerator<Uint8Array> {
		for (;;) {
			const end = scanner.scan(window.bytes, window.from, window.to, window.ended && !window.isCut, BATCH_ROW_LIMIT);
			if (end > window.from) window.checkText(end, scanner.firstRowNumber);
			window.from = end;
			if (scanner.rowCount > 0) yield window.bytes;
			if (scanner.rowCount > 0) continue;
			if (window.ended && (window.isCut || window.from >= window.to)) return;
			await window.more();
		}
	}

	#look(scanner: CsvScanner, bytes: Uint8Array, column: number, evidence: { kinds: number; nullCount: number }): void {
		const { rowCount, columnCount, starts, ends, kinds } = scanner;
		const nullTexts = this.#nullTexts;
		for (let row = 0, cell = column; row < rowCount; row++, cell += columnCount) {
			const from = starts[cell] as number;
			const to = ends[cell] as number;
			const kind = kinds[cell] as number;
			if (from === to) {
				evidence.nullCount++;
				continue;
			}
			if (nullTexts.size > 0 && kind === PLAIN_CELL && nullTexts.has(cellText(bytes, from, to, kind))) {
				evidence.nullCount++;
				continue;
			}
			if ((evidence.kinds & KIND.text) !== 0) continue;
			if (kind > QUOTED_CELL) {
				evidence.kinds |= KIND.text;
				continue;
			}
			let start = from;
			let end = to;
			while (start < end && bytes[start] === 32) start++;
			while (end > start && bytes[end - 1] === 32) end--;
			evidence.kinds |=
				start === end ? KIND.text : kindOfBytes(bytes, start, end) || kindOfText(cellText(bytes, start, end, kind));
		}
	}
}

/** Bytes at the start of a file that tell the delimiter. */
const SNIFFED_BYTES = 64 * 1024;

/** The column of the file for each field; `undefined` where the file has none. */
function placesOf(name: string, names: readonly string[], fields: readonly NestedField[]): (number | undefined)[] {
	const known = new Set(fields.map((field) => field.name));
	for (const column of names) if (!known.has(column)) throw unknownColumn(name, column, fields);
	return fields.map((field) => {
		const place = names.indexOf(field.name);
		if (place >= 0) return place;
		if (field.required && field.writeDefault === undefined) throw missingColumn(name, field.name);
		return undefined;
	});
}
