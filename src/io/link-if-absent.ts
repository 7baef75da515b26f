/** `link()` as a compare-and-swap on a name, on file systems that do not tell the truth at once. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FsCalls } from './fs-calls.ts';
import { errnoOf, fsError } from './fs-error.ts';
import type { FsLooks } from './fs-looks.ts';

/** The kernel answered: nothing was linked, and trying again is of no use. */
const REFUSED = new Set(['EACCES', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);
/** There are no hard links here. */
const NO_LINKS = new Set(['ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EMLINK']);

/**
 * Gives the file at `temporary` the name `path` if that is free.
 *
 * A fault may hide a success (a lost reply, sent again, finds the link it made: NFS) or stand for another one (sshfs:
 * `EPERM` where the name is taken): after each one it is looked whether the name is the same file.
 * @throws `UNSUPPORTED` on a file system without hard links; `STORAGE` without `notWritten` when it is not known
 */
export async function linkIfAbsent(
	calls: FsCalls,
	looks: FsLooks,
	temporary: string,
	path: string,
	location: string,
): Promise<'created' | 'exists'> {
	for (let attempt = 1; ; attempt++) {
		try {
			await calls.link(temporary, path);
			return 'created';
		} catch (error) {
			const errno = errnoOf(error) ?? '';
			const there = whatIsThere(looks, temporary, path);
			if (there === 'ours') return 'created';
			if (errno === 'EEXIST' || (errno === 'EPERM' && there === 'another')) return 'exists';
			if (REFUSED.has(errno)) throw fsError(error, 'put in place', location, true);
			if (NO_LINKS.has(errno) || (errno === 'EPERM' && attempt > 1)) throw noLinks(error, location);
			// A name that was taken may have become free before it was looked at: once more, then it is the file system.
			if (errno === 'EPERM') continue;
			throw new IcebergError('STORAGE', `cannot tell whether ${location} was put in place: ${errno || String(error)}`, {
				cause: error,
				context: { location, errno },
			});
		}
	}
}

function whatIsThere(looks: FsLooks, temporary: string, path: string): 'ours' | 'another' | 'nothing' | 'unknown' {
	try {
		const target = looks.identity(path);
		if (target === undefined) return 'nothing';
		const own = looks.identity(temporary);
		if (own === undefined) return 'unknown';
		return own === target ? 'ours' : 'another';
	} catch {
		return 'unknown';
	}
}

function noLinks(cause: unknown, location: string): IcebergError {
	return new IcebergError(
		'UNSUPPORTED',
		`cannot put ${location} in place: the file system has no hard links, which commits need to be safe. ` +
			'Keep the table on a file system that has them (ext4, xfs, btrfs, apfs, zfs, nfs, …)',
		{ cause, context: { location, errno: errnoOf(cause), notWritten: true } },
	);
}
