/** Compares the checksums of Parquet pages with their bytes, without expanding or decoding them. */
import { crc32 } from 'node:zlib';
import type { ByteSource } from '../codec/parquet/api.ts';
import type { ColumnMetaData } from '../codec/parquet/format.ts';
import { decodePageHeader } from '../codec/parquet/format-decode.ts';
import { FOOTER_SIZE_HINT_BYTES, readFooter } from '../codec/parquet/reader-footer.ts';
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';

/** Bytes in which a page header is looked for first, and at last. */
const HEADER_BYTES = 1024;
const HEADER_BYTES_LIMIT = 16 * 1024 * 1024;
/** Bytes of a page that are held at a time. */
const CRC_PIECE_BYTES = 4 * 1024 * 1024;
/** Bytes of a column chunk that are read at once. */
const CHUNK_PIECE_BYTES = 8 * 1024 * 1024;

export interface PageChecksums {
	/** pages whose checksum is that of their bytes */
	checked: number;
	/** pages without one */
	absent: number;
	/** one sentence for each page whose checksum differs, or chunk that is not made of pages */
	readonly faults: string[];
}

/** Reads a file's pages from end to end. @throws `CORRUPT` for a broken footer, and what the source throws */
export async function comparePageChecksums(source: ByteSource, signal?: AbortSignal): Promise<PageChecksums> {
	const { metaData, footerStart } = await readFooter(source, FOOTER_SIZE_HINT_BYTES, signal);
	const result: PageChecksums = { checked: 0, absent: 0, faults: [] };
	for (const [rowGroup, { columns }] of metaData.rowGroups.entries()) {
		for (const { metaData: chunk } of columns) {
			throwIfAborted(signal);
			try {
				await compareChunk(new BufferedSource(source, footerStart), chunk, result);
			} catch (error) {
				if (!isIcebergError(error, 'CORRUPT')) throw error;
				result.faults.push(`row group ${rowGroup}, column '${chunk.pathInSchema.join('.')}': ${error.message}`);
			}
		}
	}
	return result;
}

async function compareChunk(source: BufferedSource, chunk: ColumnMetaData, result: PageChecksums): Promise<void> {
	const start = Math.min(chunk.dataPageOffset, chunk.dictionaryPageOffset ?? chunk.dataPageOffset);
	const end = start + chunk.totalCompressedSize;
	const column = chunk.pathInSchema.join('.');
	let at = start;
	while (at < end) {
		const { header, length } = await headerAt(source, at, end);
		const page = at + length;
		if (page + header.compressedPageSize > end)
			throw new IcebergError('CORRUPT', `the page at ${at} ends beyond its column chunk`);
		if (header.crc === undefined) result.absent++;
		else {
			const found = await crcOf(source, page, header.compressedPageSize);
			if (found === header.crc >>> 0) result.checked++;
			else {
				const expected = (header.crc >>> 0).toString(16);
				result.faults.push(
					`column '${column}', the page at ${at}: checksum ${found.toString(16)}, expected ${expected}`,
				);
			}
		}
		at = page + header.compressedPageSize;
	}
}

async function headerAt(
	source: BufferedSource,
	at: number,
	end: number,
): Promise<{ header: ReturnType<typeof decodePageHeader>['header']; length: number }> {
	for (let size = HEADER_BYTES; ; size *= 16) {
		const bytes = await source.bytes(at, Math.min(size, end - at));
		try {
			const { header, end: length } = decodePageHeader(bytes, 0, `page at ${at}`);
			return { header, length };
		} catch (error) {
			const isWhole = bytes.length >= end - at || size >= HEADER_BYTES_LIMIT;
			if (isWhole || !isIcebergError(error, 'CORRUPT')) throw error;
		}
	}
}

async function crcOf(source: BufferedSource, start: number, length: number): Promise<number> {
	let crc = 0;
	for (let at = 0; at < length; at += CRC_PIECE_BYTES)
		crc = crc32(await source.bytes(start + at, Math.min(CRC_PIECE_BYTES, length - at)), crc);
	return crc >>> 0;
}

/** Reads ahead, so that small pages do not cost a read each. */
class BufferedSource {
	readonly #source: ByteSource;
	readonly #end: number;
	#start = 0;
	#bytes: Uint8Array = new Uint8Array(0);

	constructor(source: ByteSource, end: number) {
		this.#source = source;
		this.#end = end;
	}

	/** @throws `CORRUPT` for bytes beyond the end of the data */
	async bytes(offset: number, length: number): Promise<Uint8Array> {
		if (offset < 0 || offset + length > this.#end)
			throw new IcebergError(
				'CORRUPT',
				`bytes ${offset} to ${offset + length} are not in the data, which ends at ${this.#end}`,
			);
		const inside = offset - this.#start;
		if (inside < 0 || inside + length > this.#bytes.length) {
			this.#start = offset;
			this.#bytes = await this.#source.read(offset, Math.min(Math.max(length, CHUNK_PIECE_BYTES), this.#end - offset));
			return this.#bytes.subarray(0, length);
		}
		return this.#bytes.subarray(inside, inside + length);
	}
}
