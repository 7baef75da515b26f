/** What the reading of any file refuses, wherever the file is. */
import { IcebergError } from '../errors/iceberg-error.ts';

/** Most that `readAll` takes when the caller names no limit. */
export const DEFAULT_READ_ALL_LIMIT_BYTES = 1024 ** 3;

/** @throws `INVALID_ARGUMENT` for a range that no file has */
export function checkRange(location: string, offset: number, length: number): void {
	if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0)
		throw new IcebergError('INVALID_ARGUMENT', `cannot read ${length} bytes at ${offset} of ${location}`);
}

/** The error of a range that reaches beyond a file's end. */
export function endsEarly(location: string, offset: number, length: number, sizeBytes: number): IcebergError {
	return new IcebergError(
		'CORRUPT',
		`${location} ends at byte ${sizeBytes}, before the ${length} bytes at ${offset} that were to be read`,
		{ context: { location, offset, length, sizeBytes } },
	);
}

/** @throws `LIMIT_EXCEEDED` for a file that is too large to be read as a whole */
export function checkReadAll(
	location: string,
	sizeBytes: number,
	maxBytes: number = DEFAULT_READ_ALL_LIMIT_BYTES,
): void {
	if (sizeBytes > maxBytes)
		throw new IcebergError('LIMIT_EXCEEDED', `${location} has ${sizeBytes} bytes, more than the limit of ${maxBytes}`, {
			context: { location, sizeBytes, maxBytes },
		});
}
