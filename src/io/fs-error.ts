/** Faults of the operating system as `IcebergError`s. */
import { IcebergError, type IcebergErrorCode } from '../errors/iceberg-error.ts';

/** The `errno` name of a fault (`ENOENT`), if it has one. */
export function errnoOf(error: unknown): string | undefined {
	const code = (error as { readonly code?: unknown } | null | undefined)?.code;
	return typeof code === 'string' ? code : undefined;
}

interface Meaning {
	readonly code: IcebergErrorCode;
	readonly text: string;
	readonly retryable?: boolean;
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
	ENOENT: { code: 'NOT_FOUND', text: 'there is no such file or folder' },
	EEXIST: { code: 'ALREADY_EXISTS', text: 'a file is there already' },
	EACCES: { code: 'PERMISSION_DENIED', text: 'the system refused access' },
	EPERM: { code: 'PERMISSION_DENIED', text: 'the operation is not permitted' },
	EROFS: { code: 'PERMISSION_DENIED', text: 'the file system is read-only' },
	ENOTDIR: { code: 'INVALID_ARGUMENT', text: 'a part of the path is a file, not a folder' },
	EISDIR: { code: 'INVALID_ARGUMENT', text: 'it is a folder, not a file' },
	ENAMETOOLONG: { code: 'INVALID_ARGUMENT', text: 'the name is too long' },
	ELOOP: { code: 'INVALID_ARGUMENT', text: 'too many symbolic links' },
	ENOSPC: { code: 'STORAGE', text: 'the disk is full' },
	EDQUOT: { code: 'STORAGE', text: 'the disk quota is used up' },
	EFBIG: { code: 'STORAGE', text: 'the file grew larger than allowed' },
	EIO: { code: 'STORAGE', text: 'the device failed' },
	EMFILE: { code: 'STORAGE', text: 'this process has too many files open', retryable: true },
	ENFILE: { code: 'STORAGE', text: 'the system has too many files open', retryable: true },
	EAGAIN: { code: 'STORAGE', text: 'the resource is busy', retryable: true },
	EBUSY: { code: 'STORAGE', text: 'the resource is busy', retryable: true },
	EINTR: { code: 'STORAGE', text: 'the operation was interrupted', retryable: true },
	ETIMEDOUT: { code: 'STORAGE', text: 'the storage did not answer in time', retryable: true },
	ESTALE: { code: 'STORAGE', text: 'the file handle went stale', retryable: true },
};

/**
 * Wraps a fault; an `IcebergError` comes back as it is.
 * @param doing what was tried, for the message: `cannot <doing> <location>`
 * @param notWritten states as a fact that nothing was put at the location
 */
export function fsError(error: unknown, doing: string, location: string, notWritten = false): IcebergError {
	if (error instanceof IcebergError) return error;
	const errno = errnoOf(error);
	const meaning = errno === undefined ? undefined : MEANINGS[errno];
	const text = meaning?.text ?? (error instanceof Error ? error.message : String(error));
	return new IcebergError(meaning?.code ?? 'STORAGE', `cannot ${doing} ${location}: ${text}`, {
		cause: error,
		retryable: meaning?.retryable ?? false,
		context: { location, ...(errno === undefined ? {} : { errno }), ...(notWritten ? { notWritten: true } : {}) },
	});
}

/** A part of the path is missing, or is a file: either way nothing is there. */
export function isAbsent(error: unknown): boolean {
	const errno = errnoOf(error);
	return errno === 'ENOENT' || errno === 'ENOTDIR';
}
