/** Keeps writes and deletes inside the folders that were asked for. */
import { dirname, join, sep } from 'node:path';
import { IcebergError } from '../errors/iceberg-error.ts';
import { errnoOf, fsError } from './fs-error.ts';
import { type FsLooks, systemLooks } from './fs-looks.ts';
import { localPathOf } from './location.ts';

/** Gives the path with all links followed. */
export type RealPathSource = Pick<FsLooks, 'realPath'>;

/**
 * Refuses `..` in what is written or deleted, and, where there are roots, every place that is not below one of them
 * once symbolic links are followed. A root itself may be a link. It does not guard against somebody who swaps folders
 * for links between the check and the use: who can do that can write there anyway.
 */
export class PathGuard {
	readonly #roots: readonly string[] | undefined;
	readonly #looks: FsLooks;
	readonly #paths: RealPathSource;

	/**
	 * @param paths where real paths are looked up
	 * @throws `INVALID_ARGUMENT` for a root that is not an absolute local path
	 */
	constructor(roots: readonly string[] | undefined, looks: FsLooks, paths: RealPathSource = looks) {
		this.#looks = looks;
		this.#paths = paths;
		this.#roots = roots?.map(localPathOf);
	}

	/** @throws `INVALID_ARGUMENT` */
	check(path: string, location: string): void {
		if (path.includes('..') && path.split('/').includes('..'))
			throw new IcebergError('INVALID_ARGUMENT', `the location '${location}' contains '..': refused`, {
				context: { location },
			});
		if (this.#roots === undefined || this.rootOf(path) !== undefined) return;
		const allowed =
			this.#roots.length === 0 ? 'all folders that may be written to: there are none' : this.#roots.join(', ');
		throw new IcebergError('INVALID_ARGUMENT', `the location '${location}' is outside of ${allowed}: refused`, {
			context: { location, roots: [...this.#roots] },
		});
	}

	/** Where a root that is itself a symbolic link leads to; `undefined` for any other path. */
	linkedRoot(path: string): string | undefined {
		if (this.#roots?.includes(path) !== true) return undefined;
		if (this.#looks.lstat(path)?.kind !== 'link') return undefined;
		return realPlaceFollowing(path, this.#paths);
	}

	/** The real path of the root that holds `path`, links followed; `undefined` outside of all roots or without any. */
	rootOf(path: string): string | undefined {
		if (this.#roots === undefined) return undefined;
		const place = realPlace(path, this.#paths);
		return this.#roots
			.map((root) => realPlaceFollowing(root, this.#paths))
			.find((root) => place === root || place.startsWith(root.endsWith(sep) ? root : root + sep));
	}
}

/** Where a name is, links in its folders followed; the name itself is not. */
export function realPlace(path: string, looks: RealPathSource = systemLooks): string {
	const trimmed = path.endsWith('/') ? path.replace(/\/+$/, '') : path;
	if (trimmed === '') return '/';
	const parent = realPlaceFollowing(dirname(trimmed), looks);
	const name = trimmed.slice(trimmed.lastIndexOf('/') + 1);
	// `join` is what takes time here, and names are mostly names.
	return name.startsWith('.') ? join(parent, name) : parent === '/' ? `/${name}` : `${parent}/${name}`;
}

/** The real path of the part that exists, with the rest appended. */
function realPlaceFollowing(path: string, looks: RealPathSource): string {
	let existing = path;
	const missing: string[] = [];
	for (;;) {
		try {
			const real = looks.realPath(existing);
			return missing.length === 0 ? real : join(real, ...missing);
		} catch (error) {
			const errno = errnoOf(error);
			if ((errno !== 'ENOENT' && errno !== 'ENOTDIR') || dirname(existing) === existing)
				throw fsError(error, 'look up', path);
		}
		const parent = dirname(existing);
		missing.unshift(existing.slice(parent.length).replaceAll('/', ''));
		existing = parent;
	}
}
