/** The bytes of small manifests that were written here a moment ago: the next merge reads most of them. */
import type { FileIO } from '../io/file-io.ts';

/** Larger manifests are not merged often. */
const MAX_MANIFEST_BYTES = 16 * 1024;
/** Manifests remembered for each storage. */
const MAX_MANIFESTS = 256;

/** Manifests never change and their names are never used again. */
const recent = new WeakMap<FileIO, Map<string, Uint8Array>>();

export function rememberManifest(io: FileIO, location: string, bytes: Uint8Array): void {
	if (bytes.length > MAX_MANIFEST_BYTES) return;
	let manifests = recent.get(io);
	if (manifests === undefined) recent.set(io, (manifests = new Map()));
	manifests.set(location, bytes);
	if (manifests.size <= MAX_MANIFESTS) return;
	const [oldest] = manifests.keys();
	manifests.delete(oldest as string);
}

/** `undefined` for one that was not written here, or long ago. */
export function recentManifest(io: FileIO, location: string): Uint8Array | undefined {
	return recent.get(io)?.get(location);
}
