/** Locations: what they name, how they are joined, and how a user's spelling becomes an absolute one. */
import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { IcebergError } from '../errors/iceberg-error.ts';

/** RFC 3986 scheme; one letter alone is a drive, not a scheme. */
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):/;
/** Longest location taken, in UTF-16 units. Linux's PATH_MAX is 4096 bytes. */
const MAX_LOCATION_LENGTH = 4096;

/** The folder of a table that its journals are in. */
export const JOURNAL_FOLDER = '_journal';

/** The scheme of a location in lower case; the empty string for a plain path. */
export function schemeOf(location: string): string {
	return SCHEME.exec(location)?.[1]?.toLowerCase() ?? '';
}

/** `base` and `name` with exactly one slash between them; `base` keeps its spelling. */
export function joinLocation(base: string, ...names: readonly string[]): string {
	let joined = base;
	for (const name of names) joined = joined.endsWith('/') ? `${joined}${name}` : `${joined}/${name}`;
	return joined;
}

/** What follows the last slash. */
export function baseName(location: string): string {
	return location.slice(location.lastIndexOf('/') + 1);
}

/** The folder that a file is in. */
export function parentLocation(location: string): string {
	return location.slice(0, location.lastIndexOf('/'));
}

/** The location without trailing slashes; a location of slashes alone keeps one. */
export function withoutTrailingSlash(location: string): string {
	let end = location.length;
	while (end > 1 && location[end - 1] === '/') end--;
	return location.slice(0, end);
}

/**
 * The plain path that a local location spells, literally: nothing is percent-decoded, as Hadoop's `Path` and PyIceberg
 * do. Accepts `/a/b`, `file:/a/b`, `file:///a/b` and `file://localhost/a/b`.
 * @throws `INVALID_ARGUMENT` for a relative path, another scheme or host, a NUL, or a location that is too long
 */
export function localPathOf(location: string): string {
	if (location.length > MAX_LOCATION_LENGTH)
		throw invalid(`${location.slice(0, 100)}…`, `is longer than ${MAX_LOCATION_LENGTH} characters`);
	if (location.includes('\0')) throw invalid(location, 'contains a NUL character');
	const scheme = schemeOf(location);
	if (scheme === '') {
		if (!isAbsolute(location)) throw invalid(location, 'is not absolute');
		return location;
	}
	if (scheme !== 'file') throw invalid(location, `is of scheme '${scheme}', not a local file`);
	const rest = location.slice('file:'.length);
	if (!rest.startsWith('/')) throw invalid(location, 'is not absolute');
	if (!rest.startsWith('//')) return rest;
	const slash = rest.indexOf('/', 2);
	const host = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
	if (host !== '' && host !== 'localhost') throw invalid(location, `names the host '${host}'`);
	if (slash < 0) throw invalid(location, 'names no path');
	return rest.slice(slash);
}

/** True for what {@link localPathOf} accepts. */
export function isLocalLocation(location: string): boolean {
	try {
		localPathOf(location);
		return true;
	} catch {
		return false;
	}
}

/** The percent-decoded path of a `file:` location where it differs from the literal one; else `undefined`. */
export function decodedLocalPathOf(location: string): string | undefined {
	if (schemeOf(location) !== 'file' || !location.includes('%')) return undefined;
	const literal = localPathOf(location);
	let decoded: string;
	try {
		decoded = decodeURIComponent(literal);
	} catch {
		return undefined;
	}
	return decoded === literal || decoded.includes('\0') ? undefined : decoded;
}

/**
 * What a person or a program gave as the place of a table, made absolute once, so that a later `chdir` changes nothing.
 *
 * - A plain path is resolved against `cwd`; `.` and `..` are taken out, trailing slashes too.
 * - A `file:` URI or `URL` becomes a plain path: literally where that exists, else percent-decoded (as
 *   `pathToFileURL` writes it).
 * - Locations of other schemes stay as they are, but for trailing slashes.
 * @throws `INVALID_ARGUMENT` for an empty one, one with a NUL, a relative `file:` URI or one that names a host
 */
export function absoluteLocation(input: string | URL, cwd: string): string {
	if (typeof input !== 'string' && !(input instanceof URL))
		throw new IcebergError('INVALID_ARGUMENT', `a location must be a string or a URL, not ${typeof input}`);
	const text = String(input);
	if (text.trim() === '') throw new IcebergError('INVALID_ARGUMENT', 'the location is empty');
	const scheme = schemeOf(text);
	if (scheme === '') return localPathOf(resolve(cwd, text));
	if (scheme !== 'file') return withoutTrailingSlash(text);
	const literal = localPathOf(text);
	const decoded = decodedLocalPathOf(text);
	if (decoded === undefined) return resolve(literal);
	if (input instanceof URL) return resolve(decoded);
	return resolve(statSync(literal, { throwIfNoEntry: false }) === undefined ? decoded : literal);
}

function invalid(location: string, why: string): IcebergError {
	return new IcebergError('INVALID_ARGUMENT', `the location '${location.replaceAll('\0', '\\0')}' ${why}`, {
		context: { location },
	});
}
