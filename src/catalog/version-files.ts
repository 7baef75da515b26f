/** Finding the newest metadata file of a folder table. Iceberg spec: File System Tables. */
import { isIcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { baseName, joinLocation } from '../io/location.ts';
import { isCatalogWritten, metadataFileNames, versionOf } from './metadata-file.ts';

export const METADATA_FOLDER = 'metadata';
const VERSION_HINT_NAME = 'version-hint.text';
/** A hint is a number; more is garbage. */
const MAX_HINT_BYTES = 64;

export interface VersionFile {
	readonly version: number;
	readonly location: string;
}

/** What stands in a metadata folder. */
export interface FolderContents {
	/** by version; where one has several names, the one that counts */
	readonly versions: ReadonlyMap<number, string>;
	/** locations of metadata files that a catalog named, sorted by name */
	readonly catalogWritten: readonly string[];
}

/** The versions of one folder table, as its storage shows them now. */
export class VersionFiles {
	readonly #io: FileIO;
	readonly #metadataFolder: string;

	/** @param tableLocation without a slash at the end */
	constructor(io: FileIO, tableLocation: string) {
		this.#io = io;
		this.#metadataFolder = joinLocation(tableLocation, METADATA_FOLDER);
	}

	get hintLocation(): string {
		return joinLocation(this.#metadataFolder, VERSION_HINT_NAME);
	}

	locationOf(fileName: string): string {
		return joinLocation(this.#metadataFolder, fileName);
	}

	/** The file of a version, if there is one. */
	async find(version: number): Promise<VersionFile | undefined> {
		for (const name of metadataFileNames(version)) {
			const location = this.locationOf(name);
			if (await this.#io.exists(location)) return { version, location };
		}
		return undefined;
	}

	/** Whether there is a file of the version under another name than this one's. */
	async hasOtherName(file: VersionFile): Promise<boolean> {
		for (const name of metadataFileNames(file.version)) {
			const location = this.locationOf(name);
			if (location !== file.location && (await this.#io.exists(location))) return true;
		}
		return false;
	}

	/**
	 * The newest version: from the hint, or `from` where that is newer, upward as long as there is a next one. Where
	 * neither leads to a file, by listing.
	 */
	async newest(from?: VersionFile): Promise<VersionFile | undefined> {
		const hint = await this.readHint();
		let file: VersionFile | undefined;
		if (hint !== undefined && hint > (from?.version ?? 0)) file = await this.find(hint);
		if (file === undefined && from !== undefined && (await this.#io.exists(from.location))) file = from;
		if (file === undefined) return this.newestListed();
		for (let next = await this.find(file.version + 1); next !== undefined; next = await this.find(file.version + 1))
			file = next;
		return file;
	}

	/** The newest version by listing, whatever the hint says. */
	async newestListed(): Promise<VersionFile | undefined> {
		const { versions } = await this.list();
		const version = Math.max(...versions.keys());
		const location = versions.get(version);
		return location === undefined ? undefined : { version, location };
	}

	async list(): Promise<FolderContents> {
		const versions = new Map<number, string>();
		const catalogWritten: string[] = [];
		for await (const { location } of this.#io.list(this.#metadataFolder, { recursive: false })) {
			const name = baseName(location);
			if (isCatalogWritten(name)) catalogWritten.push(location);
			const version = versionOf(name);
			if (version === undefined) continue;
			const present = versions.get(version);
			const names = metadataFileNames(version);
			if (present === undefined || names.indexOf(name) < names.indexOf(baseName(present)))
				versions.set(version, location);
		}
		return { versions, catalogWritten: catalogWritten.sort() };
	}

	/** `undefined` when the hint is missing, cannot be read, or is garbage: it is a hint only. */
	async readHint(): Promise<number | undefined> {
		try {
			const bytes = await this.#io.input(this.hintLocation).readAll({ maxBytes: MAX_HINT_BYTES });
			const text = new TextDecoder('latin1').decode(bytes).trim();
			return versionOf(`v${text}.metadata.json`);
		} catch (error) {
			if (isIcebergError(error, 'CLOSED', 'ABORTED')) throw error;
			return undefined;
		}
	}

	/**
	 * Points the hint at a version, unless it names a newer one. Failing is no harm.
	 * @param present what it said a moment ago
	 */
	async raiseHint(version: number, present: number | undefined): Promise<void> {
		try {
			if (present !== undefined && present >= version && (await this.find(present)) !== undefined) return;
			await this.#io.replace(this.hintLocation, new TextEncoder().encode(String(version)));
		} catch {
			// Readers that find an old hint probe upward; those that find none list.
		}
	}
}
