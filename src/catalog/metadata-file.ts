/** Table metadata files: their names and their bytes. Iceberg spec: Table Metadata; File System Tables. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { encodeTableMetadata, parseTableMetadata } from '../spec/table-metadata-json.ts';

export type MetadataCodec = 'none' | 'gzip';

/** Largest metadata file that is read, and the most that one may inflate to. A JavaScript string holds no more. */
export const MAX_METADATA_BYTES = 512 * 1024 * 1024;
/** Versions are 32-bit integers to other engines. */
const MAX_VERSION = 2 ** 31 - 1;

const VERSIONED = /^v([1-9]\d{0,9})(?:(?:\.gz)?\.metadata\.json|\.metadata\.json\.gz)$/;
const CATALOG_WRITTEN = /^\d+-[^/]*(?:\.metadata\.json|\.metadata\.json\.gz)$/;

/** Names that version `version` may have, the one that counts first. The last is of old writers. */
export function metadataFileNames(version: number): readonly string[] {
	return [`v${version}.metadata.json`, `v${version}.gz.metadata.json`, `v${version}.metadata.json.gz`];
}

export function metadataFileName(version: number, codec: MetadataCodec): string {
	return codec === 'gzip' ? `v${version}.gz.metadata.json` : `v${version}.metadata.json`;
}

/** The version that a file name of a folder table tells; `undefined` for any other name. */
export function versionOf(fileName: string): number | undefined {
	const digits = VERSIONED.exec(fileName)?.[1];
	const version = digits === undefined ? Number.NaN : Number(digits);
	return version <= MAX_VERSION ? version : undefined;
}

/** True for the names that catalogs give: `00003-<uuid>.metadata.json`. */
export function isCatalogWritten(fileName: string): boolean {
	return CATALOG_WRITTEN.test(fileName);
}

/**
 * Metadata from a file's bytes; gzip is told by its magic number, whatever the name.
 * @throws `CORRUPT`, naming the file; `UNSUPPORTED` for a newer format version
 */
export async function decodeMetadataFile(bytes: Uint8Array, location: string): Promise<TableMetadata> {
	const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
	const plain = isGzip ? await inflate(bytes, location) : bytes;
	let text: string;
	try {
		text = new TextDecoder('utf-8', { fatal: true }).decode(plain);
	} catch (cause) {
		throw new IcebergError('CORRUPT', `table metadata ${location}: it is not UTF-8 text`, {
			cause,
			context: { location },
		});
	}
	if (text.trim() === '')
		throw new IcebergError('CORRUPT', `table metadata ${location}: the file is empty`, { context: { location } });
	return parseTableMetadata(text, location);
}

/** The bytes of a metadata file. */
export async function encodeMetadataFile(metadata: TableMetadata, codec: MetadataCodec): Promise<Uint8Array> {
	const bytes = encodeTableMetadata(metadata);
	if (codec === 'none') return bytes;
	const { gzipSync } = await import('node:zlib');
	return gzipSync(bytes);
}

/** Reads any metadata file. @throws `NOT_FOUND`, `CORRUPT`, `UNSUPPORTED`, `LIMIT_EXCEEDED` */
export async function readMetadataFile(
	io: FileIO,
	location: string,
	signal?: AbortSignal,
): Promise<{ readonly bytes: Uint8Array; readonly metadata: TableMetadata }> {
	const bytes = await readMetadataBytes(io, location, signal);
	return { bytes, metadata: await decodeMetadataFile(bytes, location) };
}

export function readMetadataBytes(io: FileIO, location: string, signal?: AbortSignal): Promise<Uint8Array> {
	return io.input(location).readAll({ maxBytes: MAX_METADATA_BYTES, ...(signal === undefined ? {} : { signal }) });
}

async function inflate(bytes: Uint8Array, location: string): Promise<Uint8Array> {
	const { gunzipSync } = await import('node:zlib');
	try {
		return gunzipSync(bytes, { maxOutputLength: MAX_METADATA_BYTES });
	} catch (cause) {
		const tooLarge = (cause as { readonly code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
		throw new IcebergError(
			tooLarge ? 'LIMIT_EXCEEDED' : 'CORRUPT',
			tooLarge
				? `table metadata ${location}: it inflates to more than ${MAX_METADATA_BYTES} bytes`
				: `table metadata ${location}: its gzip data are damaged or cut off`,
			{ cause, context: { location } },
		);
	}
}
