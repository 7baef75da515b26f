/** Looks at single files that a snapshot reaches. */
import type { ParquetOpenOptions } from '../codec/parquet/api.ts';
import { openParquet } from '../codec/parquet/reader.ts';
import { isIcebergError } from '../errors/iceberg-error.ts';
import type { FileIO, InputFile } from '../io/file-io.ts';
import type { DataFile } from '../manifest/types.ts';
import { comparePageChecksums } from './page-checksums.ts';
import { type ContentContext, verifyContent } from './verify-content.ts';

export interface FileContext extends ContentContext {
	readonly io: FileIO;
	readonly deep: boolean;
	readonly openOptions: ParquetOpenOptions;
}

/** Whether the file is there and has the length; reports what is not so. */
export async function verifyLength(
	input: InputFile,
	expectedBytes: number,
	findings: ContentContext['findings'],
): Promise<boolean> {
	let length: number;
	try {
		length = await input.length();
	} catch (error) {
		reportFailure(error, input.location, findings);
		return false;
	}
	if (length === expectedBytes) return true;
	findings.add('length', input.location, `${length} bytes, metadata say ${expectedBytes}`);
	return false;
}

/** A data or delete file: existence, length, rows, checksums, and with `deep` its content. */
export async function verifyDataFile(file: DataFile, context: FileContext): Promise<void> {
	const { io, findings } = context;
	findings.sizeBytes += file.contentSizeInBytes ?? file.fileSizeInBytes;
	const input = io.input(file.location);
	try {
		if (!(await verifyLength(input, file.fileSizeInBytes, findings))) return;
		if (file.keyMetadata !== undefined && file.keyMetadata.length > 0) findings.leave(file.location, 'it is encrypted');
		else if (file.format === 'parquet') await verifyParquet(input, file, context);
		else if (file.format === 'puffin') verifyBlobPlace(file, context);
		else findings.leave(file.location, `${file.format} files are not looked into`);
	} catch (error) {
		reportFailure(error, file.location, findings);
	} finally {
		await input.close();
	}
}

async function verifyParquet(input: InputFile, file: DataFile, context: FileContext): Promise<void> {
	const { findings, signal } = context;
	const reader = await openParquet(input, context.openOptions);
	if (reader.info.rowCount !== file.recordCount)
		findings.add('count', file.location, `${reader.info.rowCount} rows, the manifest says ${file.recordCount}`);
	const checksums = await comparePageChecksums(input, signal);
	findings.checksumCount += checksums.checked;
	findings.pagesWithoutChecksum += checksums.absent;
	for (const fault of checksums.faults) findings.add('checksum', file.location, fault);
	if (!context.deep || checksums.faults.length > 0) return;
	if (file.content === 'data') await verifyContent(reader, file, context);
	else for await (const _ of reader.read({ fields: reader.info.fields }, signal === undefined ? {} : { signal }));
}

/** A deletion vector: its blob must lie within the file. */
function verifyBlobPlace(file: DataFile, { findings }: FileContext): void {
	const { contentOffset, contentSizeInBytes } = file;
	if (contentOffset === undefined || contentSizeInBytes === undefined)
		findings.add('unreadable', file.location, 'a deletion vector whose place in the file is not told');
	else if (contentOffset < 4 || contentOffset + contentSizeInBytes > file.fileSizeInBytes)
		findings.add(
			'unreadable',
			file.location,
			`a deletion vector at ${contentOffset} of ${contentSizeInBytes} bytes, beyond the file`,
		);
	else findings.leave(file.location, 'deletion vectors are not looked into');
}

/** Puts a failure to read a file into the report. @throws what says nothing about the file: `ABORTED`, … */
export function reportFailure(error: unknown, location: string, findings: ContentContext['findings']): void {
	if (isIcebergError(error, 'NOT_FOUND')) findings.add('missing', location, 'there is no such file');
	else if (isIcebergError(error, 'UNSUPPORTED')) findings.leave(location, error.message);
	else if (isIcebergError(error, ...FAULTS_OF_A_FILE)) findings.add('unreadable', location, error.message);
	else throw error;
}

const FAULTS_OF_A_FILE = [
	'CORRUPT',
	'INVALID_DATA',
	'INVALID_SCHEMA',
	'INVALID_ARGUMENT',
	'LIMIT_EXCEEDED',
	'PERMISSION_DENIED',
	'STORAGE',
] as const;
