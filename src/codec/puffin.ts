/** Puffin files: blobs with a footer that describes them. Iceberg: Puffin spec. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { parseJson } from '../util/json.ts';
import { decompress, loadCodec } from './compression.ts';
import { decompressLz4Frame } from './lz4-frame.ts';

const MAGIC = Uint8Array.of(0x50, 0x46, 0x41, 0x31);
/** payload size, flags, magic */
const FOOTER_END_BYTES = 12;
const COMPRESSED_FOOTER = 1;
/** Largest footer or blob, expanded. */
export const PUFFIN_EXPANDED_LIMIT_BYTES = 256 * 1024 * 1024;

export interface PuffinBlob {
	readonly type: string;
	readonly fields: readonly number[];
	readonly snapshotId: bigint;
	readonly sequenceNumber: bigint;
	/** bytes in the file */
	readonly offset: number;
	readonly length: number;
	readonly compressionCodec: 'lz4' | 'zstd' | undefined;
	readonly properties: Readonly<Record<string, string>>;
}
export interface PuffinFooter {
	readonly blobs: readonly PuffinBlob[];
	readonly properties: Readonly<Record<string, string>>;
}

/** The footer of a whole file. @throws `CORRUPT`, `UNSUPPORTED` for unknown compression */
export async function readPuffinFooter(file: Uint8Array, location: string): Promise<PuffinFooter> {
	const end = file.length - FOOTER_END_BYTES;
	const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
	if (end < MAGIC.length * 2 || !isMagic(file, 0) || !isMagic(file, file.length - 4))
		throw corrupt(location, 'no magic');
	const size = view.getInt32(end, true);
	const flags = view.getUint32(end + 4, true);
	const start = end - size;
	if (size < 0 || start < MAGIC.length * 2 || !isMagic(file, start - 4))
		throw corrupt(location, `a footer of ${size} bytes`);
	if ((flags & ~COMPRESSED_FOOTER) !== 0) throw corrupt(location, `the flags ${flags}`);
	const stored = file.subarray(start, end);
	const payload = flags === COMPRESSED_FOOTER ? lz4(stored, location) : stored;
	return footerOf(parseJson(new TextDecoder().decode(payload), location), location, start);
}

/** The bytes of a blob, expanded. @throws `CORRUPT` */
export async function readPuffinBlob(file: Uint8Array, blob: PuffinBlob, location: string): Promise<Uint8Array> {
	const stored = file.subarray(blob.offset, blob.offset + blob.length);
	if (stored.length !== blob.length) throw corrupt(location, `a blob beyond the file's end`);
	if (blob.compressionCodec === undefined) return stored;
	if (blob.compressionCodec === 'lz4') return lz4(stored, location);
	await loadCodec('zstd', 'decompress');
	return decompress('zstd', stored, PUFFIN_EXPANDED_LIMIT_BYTES);
}

function footerOf(json: unknown, location: string, footerStart: number): PuffinFooter {
	const footer = objectOf(json, location);
	if (!Array.isArray(footer.blobs)) throw corrupt(location, 'a footer without blobs');
	return {
		blobs: footer.blobs.map((blob) => blobOf(objectOf(blob, location), location, footerStart)),
		properties: textsOf(footer.properties, location),
	};
}

function blobOf(blob: Record<string, unknown>, location: string, footerStart: number): PuffinBlob {
	const { type, fields, offset, length } = blob;
	const codec = blob['compression-codec'] ?? undefined;
	const snapshotId = blob['snapshot-id'];
	const sequenceNumber = blob['sequence-number'];
	if (typeof type !== 'string' || !Array.isArray(fields) || !fields.every((id) => typeof id === 'number'))
		throw corrupt(location, 'a blob without type or fields');
	if (!isIntegral(snapshotId) || !isIntegral(sequenceNumber)) throw corrupt(location, 'a blob without snapshot');
	if (
		typeof offset !== 'number' ||
		typeof length !== 'number' ||
		offset < 4 ||
		length < 0 ||
		offset + length > footerStart
	)
		throw corrupt(location, `a blob of ${String(length)} bytes at ${String(offset)}`);
	if (codec !== undefined && codec !== 'lz4' && codec !== 'zstd')
		throw new IcebergError('UNSUPPORTED', `${location}: a blob compressed by '${String(codec)}'`, {
			context: { location },
		});
	return {
		type,
		fields,
		snapshotId: BigInt(snapshotId),
		sequenceNumber: BigInt(sequenceNumber),
		offset,
		length,
		compressionCodec: codec,
		properties: textsOf(blob.properties, location),
	};
}

function isIntegral(value: unknown): value is number | bigint {
	return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
}

function objectOf(value: unknown, location: string): Record<string, unknown> {
	if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
	throw corrupt(location, 'a footer that is no object');
}

function textsOf(value: unknown, location: string): Record<string, string> {
	if (value === undefined || value === null) return {};
	const texts = objectOf(value, location);
	if (Object.values(texts).every((text) => typeof text === 'string')) return texts as Record<string, string>;
	throw corrupt(location, 'a property that is no text');
}

/** A frame that tells the size of its content, as the Puffin spec asks. */
function lz4(frame: Uint8Array, location: string): Uint8Array {
	const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
	if (frame.length < 14 || ((frame[4] as number) & 0x08) === 0)
		throw corrupt(location, 'an LZ4 frame without its size');
	const size = view.getBigUint64(6, true);
	if (size > BigInt(PUFFIN_EXPANDED_LIMIT_BYTES)) throw corrupt(location, `${size} bytes of LZ4`);
	return decompressLz4Frame(frame, Number(size));
}

function isMagic(bytes: Uint8Array, at: number): boolean {
	return MAGIC.every((byte, i) => bytes[at + i] === byte);
}

function corrupt(location: string, what: string): IcebergError {
	return new IcebergError('CORRUPT', `${location}: not a Puffin file: ${what}`, { context: { location } });
}
