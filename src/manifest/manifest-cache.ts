/** A bounded cache of what never changes: manifests and manifest lists, by location. */
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';

/** Bytes that a cache keeps when its owner names no limit. */
export const DEFAULT_MANIFEST_CACHE_BYTES = 64 * 1024 * 1024;

/** A value and about how many bytes of memory it holds. */
export interface Sized<T> {
	readonly value: T;
	readonly sizeBytes: number;
}

interface CacheEntry {
	readonly promise: Promise<unknown>;
	/** 0 while it is loading */
	sizeBytes: number;
}

/**
 * Least recently used values go first. Callers of one key share one load; a load that fails is forgotten. A value larger
 * than the limit is returned and not kept.
 */
export class ManifestCache {
	readonly maxBytes: number;
	readonly #entries = new Map<string, CacheEntry>();
	#sizeBytes = 0;

	/** @throws `INVALID_ARGUMENT` for a negative limit; 0 keeps nothing */
	constructor(options: { readonly maxBytes?: number } = {}) {
		this.maxBytes = options.maxBytes ?? DEFAULT_MANIFEST_CACHE_BYTES;
		if (!(this.maxBytes >= 0)) {
			throw new IcebergError('INVALID_ARGUMENT', `a cache of ${this.maxBytes} bytes`, {
				context: { maxBytes: this.maxBytes },
			});
		}
	}

	/** Bytes of the values that are kept. */
	get sizeBytes(): number {
		return this.#sizeBytes;
	}

	/** Number of values that are kept or loading. */
	get entryCount(): number {
		return this.#entries.size;
	}

	/**
	 * The value of `key`, loaded if need be. The key must name everything that the value depends on, see
	 * {@link manifestCacheKey}.
	 */
	async get<T>(key: string, load: () => Promise<Sized<T>>): Promise<T> {
		const known = this.#entries.get(key);
		if (known !== undefined) {
			this.#entries.delete(key);
			this.#entries.set(key, known);
			try {
				return (await known.promise) as T;
			} catch (error) {
				// whoever began the load gave it up; that is no reason for others to
				if (!isIcebergError(error, 'ABORTED')) throw error;
				if (this.#entries.get(key) === known) this.#entries.delete(key);
				return this.get(key, load);
			}
		}
		const loading = load();
		const entry: CacheEntry = { promise: loading.then((sized) => sized.value), sizeBytes: 0 };
		this.#entries.set(key, entry);
		try {
			const { value, sizeBytes } = await loading;
			this.#loaded(key, entry, sizeBytes);
			return value;
		} catch (error) {
			// whoever shares the load has the rejection from it; here nobody may be left to look
			entry.promise.catch(() => undefined);
			if (this.#entries.get(key) === entry) this.#entries.delete(key);
			throw error;
		}
	}

	clear(): void {
		this.#entries.clear();
		this.#sizeBytes = 0;
	}

	#loaded(key: string, entry: CacheEntry, sizeBytes: number): void {
		if (this.#entries.get(key) !== entry) return;
		if (sizeBytes > this.maxBytes) {
			this.#entries.delete(key);
			return;
		}
		entry.sizeBytes = sizeBytes;
		this.#sizeBytes += sizeBytes;
		for (const [oldestKey, oldest] of this.#entries) {
			if (this.#sizeBytes <= this.maxBytes) break;
			if (oldest.sizeBytes === 0) continue;
			this.#entries.delete(oldestKey);
			this.#sizeBytes -= oldest.sizeBytes;
		}
	}
}
