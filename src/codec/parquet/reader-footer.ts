/** The end of a Parquet file: magic and footer. Parquet spec: File format. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { ByteSource } from './api.ts';
import { viewOf } from './decode-bits.ts';
import type { FileMetaData } from './format.ts';
import { decodeFileMetaData } from './format-decode.ts';
import { readExactly } from './reader-bytes.ts';

/** Bytes read from the end of a file when the caller gives no hint: enough for most footers, and for small files whole. */
export const FOOTER_SIZE_HINT_BYTES = 64 << 10;
/** Most bytes of a footer. */
export const FOOTER_BYTES_LIMIT = 256 << 20;

const MAGIC = 0x31524150; // "PAR1"
const ENCRYPTED_MAGIC = 0x45524150; // "PARE"
/** magic, footer length, magic */
const FILE_BYTES_FLOOR = 12;
const TAIL_BYTES = 8;

export interface Footer {
	readonly metaData: FileMetaData;
	/** bytes */
	readonly fileLength: number;
	/** offset of the footer: no data lie behind it */
	readonly footerStart: number;
}

/** @throws `CORRUPT` for what is no whole Parquet file, `UNSUPPORTED` for an encrypted one, and whatever the source throws */
export async function readFooter(
	source: ByteSource,
	hintBytes: number,
	signal: AbortSignal | undefined,
): Promise<Footer> {
	const fileLength = await source.length();
	const fail = (problem: string): never => {
		throw new IcebergError('CORRUPT', `${source.location} is no Parquet file: ${problem}`, {
			context: { location: source.location, fileLength },
		});
	};
	if (fileLength < FILE_BYTES_FLOOR) fail(`it has ${fileLength} bytes, at least ${FILE_BYTES_FLOOR} are needed`);
	const tailLength = Math.min(fileLength, Math.max(hintBytes, TAIL_BYTES));
	const tail = await readExactly(source, fileLength - tailLength, tailLength, signal);
	const end = viewOf(tail);
	const magic = end.getUint32(tailLength - 4, true);
	if (magic === ENCRYPTED_MAGIC)
		throw new IcebergError('UNSUPPORTED', `${source.location} is an encrypted Parquet file, which is not supported`, {
			context: { location: source.location },
		});
	if (magic !== MAGIC) fail(`it ends with 0x${magic.toString(16).padStart(8, '0')}, not with "PAR1"`);
	if (tailLength === fileLength && end.getUint32(0, true) !== MAGIC) fail('it does not start with "PAR1"');
	const footerLength = end.getUint32(tailLength - TAIL_BYTES, true);
	if (footerLength > fileLength - FILE_BYTES_FLOOR)
		fail(`its footer should have ${footerLength} bytes, the file has ${fileLength}`);
	if (footerLength > FOOTER_BYTES_LIMIT)
		throw new IcebergError('LIMIT_EXCEEDED', `${source.location} has a footer of ${footerLength} bytes`, {
			context: { location: source.location, limit: 'FOOTER_BYTES_LIMIT' },
		});
	const footerStart = fileLength - TAIL_BYTES - footerLength;
	const tailStart = fileLength - tailLength;
	const bytes =
		footerStart >= tailStart
			? tail.subarray(footerStart - tailStart, tailLength - TAIL_BYTES)
			: await readExactly(source, footerStart, footerLength, signal);
	return { metaData: decodeFileMetaData(bytes, source.location), fileLength, footerStart };
}
