/** The commit protocol of folder tables: a new version's file name is the swap. Iceberg spec: File System Tables. */
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { withoutTrailingSlash } from '../io/location.ts';
import { samePlace } from '../io/same-place.ts';
import { metadataFileProperties, TABLE_PROPERTY, textProperty } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { Committer, LoadedMetadata, SwapOutcome, SwapRequest } from '../transaction/committer.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import {
	decodeMetadataFile,
	encodeMetadataFile,
	MAX_METADATA_BYTES,
	type MetadataCodec,
	metadataFileName,
	readMetadataBytes,
} from './metadata-file.ts';
import { OldMetadata } from './old-metadata.ts';
import { settlePlacedVersion } from './settle.ts';
import { type VersionFile, VersionFiles } from './version-files.ts';

/** How often a load starts anew because the file that it found was deleted before it was read. */
const MAX_LOAD_ATTEMPTS = 20;
/** How often a put of unknown outcome, of which reading back shows nothing, is made again. */
const MAX_PUT_ATTEMPTS = 3;

/** {@link LoadedMetadata.token} of folder tables. */
interface FolderToken {
	readonly version: number;
}

interface CachedVersion {
	readonly file: VersionFile;
	readonly bytes: Uint8Array;
	/** of the file, where the storage has such */
	readonly fingerprint: string | undefined;
	readonly loaded: LoadedMetadata;
}

/**
 * {@link Committer} over `metadata/vN.metadata.json` and `metadata/version-hint.text` in the table's folder.
 *
 * A commit puts version N+1 where nothing may be (`putIfAbsent`). It counts at once only if version N still exists
 * afterwards; since old versions are deleted oldest first, that proves that N+1 never existed before. Otherwise it is
 * settled by reading back. Between processes nothing else is shared: no lock, no lease.
 *
 * Compression of version N+1 follows the properties of version N, so that all that commit on N contend for one name.
 */
export class FolderCommitter implements Committer {
	readonly io: FileIO;
	/** the table's folder */
	readonly location: string;
	readonly #files: VersionFiles;
	readonly #old: OldMetadata;
	#cached: CachedVersion | undefined;

	constructor(io: FileIO, location: string) {
		this.io = io;
		this.location = withoutTrailingSlash(location);
		this.#files = new VersionFiles(io, this.location);
		this.#old = new OldMetadata(io, this.#files);
	}

	/** The hint is followed, and from it upward; what has not changed since the last load is not parsed again. */
	async load(signal?: AbortSignal): Promise<LoadedMetadata> {
		for (let attempt = 0; attempt < MAX_LOAD_ATTEMPTS; attempt++) {
			throwIfAborted(signal);
			const unchanged = await this.#cachedIfNewest();
			if (unchanged !== undefined) return unchanged;
			const file = await this.#files.newest(this.#cached?.file);
			if (file === undefined) throw await this.#notATable();
			try {
				return await this.#read(file, signal);
			} catch (error) {
				if (!isIcebergError(error, 'NOT_FOUND')) throw error;
				this.#cached = undefined;
			}
		}
		throw new IcebergError(
			'STORAGE',
			`cannot load the table ${this.location}: its newest metadata file was gone each of ${MAX_LOAD_ATTEMPTS} times`,
			{ retryable: true, context: { location: this.location } },
		);
	}

	/**
	 * What was loaded last, if it is still the newest: its file is the same one, and there is no next version. Versions are an
	 * unbroken run, so that no hint can know better.
	 */
	async #cachedIfNewest(): Promise<LoadedMetadata | undefined> {
		const cached = this.#cached;
		if (cached?.fingerprint === undefined) return undefined;
		if ((await this.#files.find(cached.file.version + 1)) !== undefined) return undefined;
		return (await this.io.fingerprint?.(cached.file.location)) === cached.fingerprint ? cached.loaded : undefined;
	}

	async swap(request: SwapRequest): Promise<SwapOutcome> {
		const { base, next } = request;
		throwIfAborted(request.signal);
		this.#checkStaysHere(base?.metadata, next);
		const version = base === undefined ? 1 : tokenOf(base).version + 1;
		// The first version is always plain, so that all that create a table contend for one name.
		const codec = base === undefined ? 'none' : codecOf(base.metadata, next);
		const file = { version, location: this.#files.locationOf(metadataFileName(version, codec)) };
		const bytes = await encodeMetadataFile(next, codec);
		if (bytes.length > MAX_METADATA_BYTES)
			throw new IcebergError('LIMIT_EXCEEDED', `the table's metadata would have ${bytes.length} bytes`);
		if (base !== undefined && !(await this.io.exists(base.metadataLocation))) return { outcome: 'conflict' };
		if (await this.#files.hasOtherName(file)) return { outcome: 'conflict' };
		const placed = await this.#put(file, bytes, request.newFiles ?? []);
		if (placed !== 'placed') return placed;
		return this.#confirm(file, bytes, request);
	}

	tidy(): Promise<void> {
		return this.#old.tidy();
	}

	/** Puts the new version in place, after what it refers to; an unknown outcome is settled by looking, and putting again. */
	async #put(file: VersionFile, bytes: Uint8Array, after: readonly string[]): Promise<SwapOutcome | 'placed'> {
		let cause: unknown;
		for (let attempt = 0; attempt < MAX_PUT_ATTEMPTS; attempt++) {
			try {
				if ((await this.io.putIfAbsent(file.location, bytes, { after })) === 'created') return 'placed';
				if (!(await this.#holds(file.location, bytes))) return { outcome: 'conflict' };
				// A storage that tries again by itself may have met its own file; whether its name is durable it did not say.
				await this.io.persistNames([file.location]);
				return 'placed';
			} catch (error) {
				if (isKnownNotWritten(error)) {
					if (cause !== undefined) return { outcome: 'unknown', cause };
					if (error.retryable) return { outcome: 'conflict', cause: error };
					throw error;
				}
				cause = error;
			}
			try {
				if (await this.io.exists(file.location)) {
					if (!(await this.#holds(file.location, bytes))) return { outcome: 'conflict', cause };
					// It is there; whether its name is durable was perhaps what failed.
					await this.io.persistNames([file.location]);
					return 'placed';
				}
			} catch {
				return { outcome: 'unknown', cause };
			}
		}
		return { outcome: 'unknown', cause };
	}

	/** The base check, and what follows a success. */
	async #confirm(file: VersionFile, bytes: Uint8Array, request: SwapRequest): Promise<SwapOutcome> {
		const { base, next } = request;
		let hint: number | undefined;
		let fingerprint: string | undefined;
		try {
			fingerprint = await this.io.fingerprint?.(file.location);
			const baseExists = base === undefined || (await this.io.exists(base.metadataLocation));
			// Another engine may have used the version's other name; where both are there, one of them counts for all.
			const counts = await this.#files.find(file.version);
			if (counts !== undefined && counts.location !== file.location) return await this.#removeGhost(file, bytes);
			hint = await this.#files.readHint();
			if (!baseExists || counts === undefined || (await this.#isOvertaken(file, base, hint))) {
				const verdict = await settlePlacedVersion(this.io, this.#files, { version: file.version, request, baseExists });
				if (verdict === 'unknown')
					return {
						outcome: 'unknown',
						cause: new IcebergError('STORAGE', `${file.location} was written, but the table had moved on meanwhile`),
					};
				if (verdict === 'ghost') return await this.#removeGhost(file, bytes);
			}
		} catch (cause) {
			return { outcome: 'unknown', cause };
		}
		await this.#files.raiseHint(file.version, hint);
		this.#old.note({ version: file.version, metadata: next, sizeBytes: bytes.length });
		const token: FolderToken = { version: file.version };
		const loaded = { metadata: next, metadataLocation: file.location, token };
		this.#cached = { file, bytes, fingerprint, loaded };
		return { outcome: 'committed', loaded };
	}

	/** True when there are signs of later versions: worth a closer look. */
	async #isOvertaken(file: VersionFile, base: LoadedMetadata | undefined, hint: number | undefined): Promise<boolean> {
		if ((hint ?? 0) > file.version) return true;
		if (hint === undefined && (await this.#files.find(file.version + 1)) !== undefined) return true;
		return base === undefined && (await this.#files.newestListed())?.version !== file.version;
	}

	/** Removes our own file under an old name, if it is still ours. */
	async #removeGhost(file: VersionFile, bytes: Uint8Array): Promise<SwapOutcome> {
		if (await this.#holds(file.location, bytes)) await this.io.delete(file.location);
		this.#cached = undefined;
		return { outcome: 'conflict', cause: new IcebergError('COMMIT_CONFLICT', `${file.location} had become free anew`) };
	}

	/**
	 * Equal bytes count as ours. A new table has a uuid of its own, an added snapshot its commit id; what is left are equal
	 * changes of properties on one base in one millisecond, of which it is true of both that they happened.
	 */
	async #holds(location: string, bytes: Uint8Array): Promise<boolean> {
		try {
			return equalBytes(await readMetadataBytes(this.io, location), bytes);
		} catch (error) {
			if (isIcebergError(error, 'NOT_FOUND')) return false;
			throw error;
		}
	}

	async #read(file: VersionFile, signal: AbortSignal | undefined): Promise<LoadedMetadata> {
		// Taken first: a file that is replaced before it is read is looked at once more.
		const fingerprint = await this.io.fingerprint?.(file.location);
		const bytes = await readMetadataBytes(this.io, file.location, signal);
		const cached = this.#cached;
		if (cached?.file.location === file.location && equalBytes(cached.bytes, bytes)) {
			this.#cached = { ...cached, fingerprint };
			return cached.loaded;
		}
		const metadata = await decodeMetadataFile(bytes, file.location);
		const token: FolderToken = { version: file.version };
		const loaded = { metadata, metadataLocation: file.location, token };
		this.#cached = { file, bytes, fingerprint, loaded };
		return loaded;
	}

	#checkStaysHere(base: TableMetadata | undefined, next: TableMetadata): void {
		const context = { location: this.location, metadataLocation: next.location };
		if (!samePlace(next.location, this.location))
			throw new IcebergError(
				'UNSUPPORTED',
				base === undefined || !samePlace(base.location, this.location)
					? `the table in ${this.location} says that its location is ${next.location}: it was moved or copied. ` +
							'It can be read as far as its files are found, but a commit would mix the files of both places'
					: `a folder table cannot be relocated: from ${this.location} to ${next.location}`,
				{ context },
			);
		const metadataPath = textProperty(next.properties, TABLE_PROPERTY.metadataPath);
		if (metadataPath !== undefined && !samePlace(metadataPath, this.#files.locationOf('').replace(/\/$/, '')))
			throw new IcebergError(
				'UNSUPPORTED',
				`the table property '${TABLE_PROPERTY.metadataPath}' is '${metadataPath}': ` +
					'the metadata of a folder table cannot be elsewhere',
				{ context },
			);
	}

	async #notATable(): Promise<IcebergError> {
		const { catalogWritten } = await this.#files.list();
		const newest = catalogWritten.at(-1);
		if (newest !== undefined)
			return new IcebergError(
				'NOT_A_TABLE',
				`${this.location} holds a table that a catalog manages: only the catalog knows which of its ` +
					`${catalogWritten.length} metadata files is current. Open one of them read-only; the last by name is ${newest}`,
				{ context: { location: this.location, newestMetadataLocation: newest } },
			);
		const context = { location: this.location };
		if ((await this.#files.readHint()) !== undefined)
			return new IcebergError(
				'CORRUPT',
				`${this.location} has a version hint, but no metadata file: the table's metadata are gone`,
				{ context },
			);
		if ((await this.io.exists(this.location)) || (await hasAnyFile(this.io, this.location)))
			return new IcebergError('NOT_A_TABLE', `${this.location} holds no table: there is no metadata/vN.metadata.json`, {
				context,
			});
		return new IcebergError('NOT_FOUND', `there is no table ${this.location}: the folder does not exist`, { context });
	}
}

/** Knowing that nothing was written: said so, or a refusal that comes before any writing. */
function isKnownNotWritten(error: unknown): error is IcebergError {
	return error instanceof IcebergError && (error.code !== 'STORAGE' || error.context['notWritten'] === true);
}

/**
 * The base's codec. A base whose properties are nonsense can only be committed on by a change that mends them; all such
 * write plain files.
 */
function codecOf(base: TableMetadata, next: TableMetadata): MetadataCodec {
	metadataFileProperties(next.properties);
	try {
		return metadataFileProperties(base.properties).codec;
	} catch {
		return 'none';
	}
}

function tokenOf(loaded: LoadedMetadata): FolderToken {
	const version = (loaded.token as Partial<FolderToken> | null | undefined)?.version;
	if (typeof version !== 'number')
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`${loaded.metadataLocation} was not loaded from a folder table: nothing can be committed on it`,
		);
	return { version };
}

async function hasAnyFile(io: FileIO, location: string): Promise<boolean> {
	for await (const _ of io.list(location)) return true;
	return false;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && Buffer.compare(a, b) === 0;
}
