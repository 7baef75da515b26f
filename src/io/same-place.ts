/** Whether two locations name one place. */
import { statSync } from 'node:fs';
import { decodedLocalPathOf, isLocalLocation, localPathOf, withoutTrailingSlash } from './location.ts';
import { realPlace } from './path-guard.ts';

/**
 * True when both locations lead to the same folder or file. Local ones are compared with links followed, whichever way
 * they are spelled; others as text, but for trailing slashes.
 */
export function samePlace(a: string, b: string): boolean {
	if (withoutTrailingSlash(a) === withoutTrailingSlash(b)) return true;
	if (!isLocalLocation(a) || !isLocalLocation(b)) return false;
	const other = places(b);
	return places(a).some((place) => other.includes(place));
}

function places(location: string): string[] {
	const paths = [localPathOf(location), decodedLocalPathOf(location)].filter((path) => path !== undefined);
	return paths.flatMap((path) => {
		const stat = statSync(path, { throwIfNoEntry: false });
		const place = realPlace(path);
		// The name itself may be a link: what it leads to is told by device and inode.
		return stat === undefined ? [place] : [place, `${stat.dev}:${stat.ino}`];
	});
}
