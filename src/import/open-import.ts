/** Opens files and streams of other formats to be put into a table. */
import type { ByteSource } from '../codec/parquet/api.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { CsvOptions } from './csv-dialect.ts';
import type { ImportFormat, ImportSource } from './import-source.ts';
import type { JsonOptions } from './json-source.ts';

/** Largest stream of Parquet that is taken: its end must be known before its start can be read. */
export const PARQUET_STREAM_LIMIT_BYTES = 512 * 1024 * 1024;

export interface OpenImportOptions extends CsvOptions, JsonOptions {
	/** Default: by the ending of the name, else by the first bytes. */
	readonly format?: ImportFormat;
	/** what the data are, for messages and for its ending. Default: the file's location, or `stream` */
	readonly name?: string;
	/** of the table for which a schema may be inferred. Default 2 */
	readonly formatVersion?: FormatVersion;
}

const ENDINGS: readonly (readonly [RegExp, ImportFormat])[] = [
	[/\.(csv|tsv|tab|psv)(\.gz)?$/i, 'csv'],
	[/\.(ndjson|jsonl|ldjson|jsonlines)(\.gz)?$/i, 'ndjson'],
	[/\.(json|geojson)(\.gz)?$/i, 'json'],
	[/\.(parquet|parq|pq)$/i, 'parquet'],
	[/\.(arrow|arrows|feather|ipc)$/i, 'arrow'],
];

/** The format that the ending of a name tells. */
export function formatOfName(name: string): ImportFormat | undefined {
	return ENDINGS.find(([ending]) => ending.test(name))?.[1];
}

/**
 * Opens rows that are kept in another format: CSV, newline-delimited JSON, JSON, Parquet or Arrow (IPC, stream or file),
 * the text formats also compressed by gzip. A file is anything with random access; a stream anything that gives bytes.
 *
 * @throws `INVALID_ARGUMENT` when the format is not given and cannot be told; `LIMIT_EXCEEDED` for a stream of Parquet
 * larger than {@link PARQUET_STREAM_LIMIT_BYTES}; and what the input throws
 */
export async function openImport(
	input: ByteSource | AsyncIterable<unknown>,
	options: OpenImportOptions = {},
): Promise<ImportSource> {
	const isStream = Symbol.asyncIterator in input;
	const name = options.name ?? (isStream ? 'stream' : input.location);
	const sizeBytes = isStream ? undefined : await input.length();
	const format = options.format ?? formatOfName(name) ?? (isStream ? undefined : await formatOfFile(input));
	switch (format) {
		case 'csv': {
			const { CsvSource } = await import('./csv-source.ts');
			return new CsvSource(name, input, options, sizeBytes);
		}
		case 'json':
		case 'ndjson': {
			const { JsonSource } = await import('./json-source.ts');
			return new JsonSource(format, name, input, options, sizeBytes);
		}
		case 'parquet': {
			const { ParquetSource } = await import('./parquet-source.ts');
			const file = isStream ? await gathered(input, name) : input;
			return new ParquetSource(name, file, await file.length(), options.formatVersion ?? 2);
		}
		case 'arrow': {
			const { ArrowSource } = await import('./arrow-source.ts');
			return new ArrowSource(name, input, options.formatVersion ?? 2, sizeBytes);
		}
		default:
			throw new IcebergError(
				'INVALID_ARGUMENT',
				`the format of '${name}' cannot be told from its name; say csv, ndjson, json, parquet or arrow`,
			);
	}
}

/** By the marks that Parquet and Arrow files start with. */
async function formatOfFile(file: ByteSource): Promise<ImportFormat | undefined> {
	const length = await file.length();
	const start = new TextDecoder('latin1').decode(await file.read(0, Math.min(length, 6)));
	if (start.startsWith('PAR1')) return 'parquet';
	if (start === 'ARROW1') return 'arrow';
	return undefined;
}

async function gathered(stream: AsyncIterable<unknown>, name: string): Promise<ByteSource> {
	const pieces: Uint8Array[] = [];
	let length = 0;
	for await (const piece of stream) {
		if (!(piece instanceof Uint8Array)) throw new IcebergError('INVALID_ARGUMENT', 'an input stream must give bytes');
		length += piece.length;
		if (length > PARQUET_STREAM_LIMIT_BYTES) {
			throw new IcebergError(
				'LIMIT_EXCEEDED',
				`${name}: more than ${PARQUET_STREAM_LIMIT_BYTES} bytes of Parquet in a stream; save it to a file and import that`,
			);
		}
		pieces.push(piece.slice());
	}
	const bytes = Buffer.concat(pieces, length);
	return {
		location: name,
		length: async () => length,
		read: async (offset, count) => bytes.subarray(offset, offset + count),
	};
}
