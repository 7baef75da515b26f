/** The conformance corpus of `../shared/corpus`: its tables, what they must read as, and a FileIO that finds its files. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import type { FileEntry, FileIO, InputFile } from '../../src/io/file-io.ts';
import { parseJson } from '../../src/util/json.ts';
import { sharedDir } from './shared.ts';

/** The prefix of all locations that stand inside the corpus' metadata. */
export const CORPUS_ROOT = '/tmp/iceberg-corpus/warehouse';

/** Foreign JSON, looked into by tests only. */
// oxlint-disable-next-line typescript/no-explicit-any -- checked by the assertions on it
export type Loose = any;

export interface CorpusTable {
	/** `namespace.name` */
	readonly name: string;
	readonly features: readonly string[];
	readonly about: string;
	readonly formatVersion: number;
	/** the metadata file as other engines would name it, below {@link CORPUS_ROOT} */
	readonly metadataLocation: string;
	/** where the metadata file is on this machine */
	readonly metadataPath: string;
	/** The expected JSON, parsed without loss: integers beyond 2^53 are `bigint`. Read anew at each call. */
	expected(): Loose;
	/** The text of the metadata file, expanded where it is compressed. */
	metadataText(): string;
}

/** All tables of the corpus; none where `../shared` is absent. */
export function corpusTables(): CorpusTable[] {
	const shared = sharedDir();
	if (shared === undefined) return [];
	const corpus = join(shared, 'corpus');
	const index = parseJson(readFileSync(join(corpus, 'corpus.json'), 'utf8')) as Loose;
	return index.tables.map((entry: Loose): CorpusTable => {
		const metadataPath = join(corpus, entry.metadata);
		return {
			name: entry.table,
			features: entry.features,
			about: entry.about,
			formatVersion: entry['format-version'],
			metadataLocation: CORPUS_ROOT + entry.metadata.slice('warehouse'.length),
			metadataPath,
			expected: () => parseJson(readFileSync(join(corpus, entry.expected), 'utf8')),
			metadataText: () => {
				const bytes = readFileSync(metadataPath);
				return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
			},
		};
	});
}

/** The place on this machine of a location inside the corpus. Plain paths, `file:/…` and `file:///…` are known. */
export function corpusPath(location: string): string {
	const plain = location.replace(/^file:/, '').replace(/^\/+/, '/');
	const shared = sharedDir();
	if (shared === undefined) throw new IcebergError('NOT_FOUND', 'the corpus is not there');
	if (plain !== CORPUS_ROOT && !plain.startsWith(`${CORPUS_ROOT}/`))
		throw new IcebergError('INVALID_ARGUMENT', `not a location of the corpus: ${location}`, { context: { location } });
	return join(shared, 'corpus/warehouse') + plain.slice(CORPUS_ROOT.length);
}

class CorpusInputFile implements InputFile {
	readonly location: string;
	#bytes: Uint8Array | undefined;
	readonly #opened: (location: string) => void;

	constructor(location: string, opened: (location: string) => void) {
		this.location = location;
		this.#opened = opened;
	}

	async length(): Promise<number> {
		return this.#load().length;
	}

	async read(offset: number, length: number): Promise<Uint8Array> {
		const bytes = this.#load();
		if (offset + length > bytes.length)
			throw new IcebergError('CORRUPT', `${this.location}: ${length} bytes from ${offset} end beyond ${bytes.length}`);
		return bytes.subarray(offset, offset + length);
	}

	async readAll(): Promise<Uint8Array> {
		return this.#load();
	}

	async close(): Promise<void> {
		this.#bytes = undefined;
	}

	#load(): Uint8Array {
		if (this.#bytes === undefined) {
			this.#opened(this.location);
			const path = corpusPath(this.location);
			if (!existsSync(path))
				throw new IcebergError('NOT_FOUND', `no such file: ${this.location}`, { context: { location: this.location } });
			this.#bytes = readFileSync(path);
		}
		return this.#bytes;
	}
}

/**
 * A read-only FileIO over the corpus: takes locations exactly as they stand in its metadata and maps them only where
 * files are opened. `opened`, where given, is told each location whose bytes are read.
 */
export function corpusFileIO(opened: (location: string) => void = () => undefined): FileIO {
	const refuse = (): never => {
		throw new IcebergError('PERMISSION_DENIED', 'the corpus is read-only');
	};
	return {
		name: 'corpus',
		input: (location) => new CorpusInputFile(location, opened),
		create: async () => refuse(),
		write: async () => refuse(),
		persistNames: async () => refuse(),
		putIfAbsent: async () => refuse(),
		replace: async () => refuse(),
		exists: async (location) => existsSync(corpusPath(location)),
		delete: async () => refuse(),
		async *list(prefix): AsyncIterable<FileEntry> {
			const folder = corpusPath(prefix);
			if (!existsSync(folder)) return;
			for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
				if (!entry.isFile()) continue;
				const path = join(entry.parentPath, entry.name);
				const stat = statSync(path);
				yield {
					location: `${prefix.replace(/\/$/, '')}${path.slice(folder.replace(/\/$/, '').length)}`,
					sizeBytes: stat.size,
					modifiedMs: stat.mtimeMs,
				};
			}
		},
		removeEmptyFolders: async () => refuse(),
		close: async () => undefined,
	};
}
