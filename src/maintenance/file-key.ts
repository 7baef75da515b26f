/** Telling whether two locations are the same file, however they are spelled. */
import { baseName, decodedLocalPathOf, localPathOf, schemeOf } from '../io/location.ts';
import { realPlace } from '../io/path-guard.ts';

/** Folders whose real place is remembered. */
const REMEMBERED_FOLDERS = 10_000;
const S3_SCHEMES = new Set(['s3', 's3a', 's3n']);

/**
 * Keys of files. Two spellings of one file share a key: `file:/a`, `file:///a` and `/a`, links in folders followed,
 * percent-encoding, repeated slashes, the three names of S3. It errs to the side of equality (case, Unicode forms): what
 * shares a key with a file in use is kept.
 */
export class FileKeys {
	readonly #folders = new Map<string, string>();

	/** Every key under which the location may be known; the first is the literal one. */
	of(location: string): readonly string[] {
		const scheme = schemeOf(location);
		if (scheme !== '' && scheme !== 'file') {
			const rest = location.slice(scheme.length + 1);
			return [folded(`${S3_SCHEMES.has(scheme) ? 's3' : scheme}:${tidy(rest)}`)];
		}
		try {
			const decoded = decodedLocalPathOf(location);
			const literal = this.#local(localPathOf(location));
			return decoded === undefined ? [literal] : [literal, this.#local(decoded)];
		} catch {
			// No path of this machine: as text.
			return [folded(location)];
		}
	}

	/** True when `location` is in the folder, at any depth. */
	isBelow(location: string, folder: string): boolean {
		const [top] = this.of(`${folder}/x`);
		const prefix = (top as string).slice(0, -1);
		return this.of(location).some((key) => key.startsWith(prefix));
	}

	#local(path: string): string {
		const tidied = tidy(path);
		const slash = tidied.lastIndexOf('/');
		const folder = tidied.slice(0, slash + 1);
		let real = this.#folders.get(folder);
		if (real === undefined) {
			if (this.#folders.size >= REMEMBERED_FOLDERS) this.#folders.clear();
			// Of a name in the folder, so that links in all of the folder's own names are followed.
			real = realPlace(`${folder}x`).slice(0, -1);
			this.#folders.set(folder, real);
		}
		return folded(`${real}${tidied.slice(slash + 1)}`);
	}
}

/** The last name of a location, as names are compared. */
export function nameKey(location: string): string {
	return folded(baseName(location));
}

function tidy(path: string): string {
	return path.replaceAll(/\/(?:\.?\/)+/g, '/');
}

function folded(text: string): string {
	return text.normalize('NFC').toLowerCase();
}
