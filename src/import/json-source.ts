import type { ByteSource } from '../codec/parquet/api.ts';
import { rowsToBatch } from '../column/rows.ts';
import type { ColumnBatch } from '../column/vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import { Schema } from '../spec/schema.ts';
import type { NestedField } from '../spec/types.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import { type ImportProgress, type InputPieces, piecesOf, SAMPLE_LIMIT_BYTES } from './byte-feed.ts';
import { ByteWindow } from './byte-window.ts';
import { parseExactJson } from './exact-json.ts';
import { type ImportReadOptions, type ImportSource, type InferredSchema, withSampleAdvice } from './import-source.ts';
import { documentTexts, lineTexts } from './json-rows.ts';
import { JsonInference } from './json-shape.ts';
import { rowConverter } from './json-values.ts';

export interface JsonOptions {
	/** The member of a JSON document's object that holds the rows, where more than one is an array of objects. */
	readonly jsonMember?: string;
}

/** Newline-delimited JSON, or a JSON document that holds an array of objects. */
export class JsonSource implements ImportSource {
	readonly format: 'json' | 'ndjson';
	readonly name: string;
	readonly sizeBytes: number | undefined;
	readonly progress: ImportProgress = { bytesRead: 0, rows: 0 };
	readonly #pieces: InputPieces;
	readonly #options: JsonOptions;
	#sampledRows: number | undefined;

	/** @param sizeBytes of a file; `undefined` for a stream */
	constructor(
		format: 'json' | 'ndjson',
		name: string,
		input: ByteSource | AsyncIterable<unknown>,
		options: JsonOptions,
		sizeBytes: number | undefined,
	) {
		this.format = format;
		this.name = name;
		this.sizeBytes = sizeBytes;
		this.#options = options;
		this.#pieces = piecesOf(name, input, this.progress);
	}

	async inferSchema(options: ImportReadOptions = {}): Promise<InferredSchema> {
		const inference = new JsonInference();
		const limitBytes = this.sizeBytes === undefined ? SAMPLE_LIMIT_BYTES : undefined;
		const window = new ByteWindow(this.name, this.#pieces('look', options.signal), limitBytes);
		for await (const texts of this.#texts(window))
			for (const text of texts) inference.addRow(this.#parse(text, inference.rowCount + 1));
		if (window.isCut) this.#sampledRows = inference.rowCount;
		const { fields, columns } = inference.columns();
		if (fields.length === 0)
			throw new IcebergError('INVALID_DATA', `${this.name}: no rows from which a schema could be inferred; give one`);
		return { schema: new Schema({ fields }), columns, rowCount: inference.rowCount, complete: !window.isCut };
	}

	async *batches(fields: readonly NestedField[], options: ImportReadOptions = {}): AsyncGenerator<ColumnBatch> {
		this.progress.bytesRead = 0;
		this.progress.rows = 0;
		const convert = rowConverter(fields);
		const window = new ByteWindow(this.name, this.#pieces('read', options.signal));
		try {
			for await (const texts of this.#texts(window)) {
				throwIfAborted(options.signal);
				const firstRowNumber = this.progress.rows + 1;
				const rows = texts.map((text, index) => convert(this.#parse(text, firstRowNumber + index)));
				this.progress.rows += rows.length;
				yield rowsToBatch(fields, rows, { firstRowNumber });
			}
		} catch (error) {
			throw this.#sampledRows === undefined ? error : withSampleAdvice(error, this.#sampledRows);
		} finally {
			await window.close();
		}
	}

	#texts(window: ByteWindow): AsyncGenerator<string[]> {
		return this.format === 'ndjson' ? lineTexts(window) : documentTexts(window, this.#options.jsonMember);
	}

	#parse(text: string, row: number): Record<string, unknown> {
		let value: unknown;
		try {
			value = parseExactJson(text);
		} catch (error) {
			throw new IcebergError('INVALID_DATA', `${this.name}, row ${row}: not valid JSON: ${(error as Error).message}`, {
				context: { row },
				cause: error,
			});
		}
		if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
		const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
		throw new IcebergError('INVALID_DATA', `${this.name}, row ${row}: expected an object, found ${shown}`, {
			context: { row, value: shown },
		});
	}
}
