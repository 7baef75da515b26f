/** What a clean-up removed, and what it left. */

export type CleanedFileKind =
	| 'data'
	| 'deletes'
	| 'manifest'
	| 'manifest-list'
	| 'statistics'
	| 'metadata'
	| 'temporary'
	| 'unknown';

/** A file that was deleted; in a dry run, that would be. */
export interface CleanedFile {
	readonly location: string;
	readonly kind: CleanedFileKind;
	/** undefined where nothing tells it */
	readonly sizeBytes: number | undefined;
	/** why nothing needs it */
	readonly reason: string;
}

/** A file that looks like garbage, and was left. */
export interface KeptFile {
	readonly location: string;
	readonly reason: string;
}

export interface CleanupReport {
	/** True: nothing was deleted, and the files are those that would be. */
	readonly dryRun: boolean;
	/** the first {@link CLEANUP_LIST_LIMIT} */
	readonly files: readonly CleanedFile[];
	readonly fileCount: number;
	/** of the files whose size is known */
	readonly sizeBytes: number;
	/** the first {@link CLEANUP_LIST_LIMIT} */
	readonly kept: readonly KeptFile[];
	readonly keptCount: number;
}

/** Most files that a report lists of each sort. */
export const CLEANUP_LIST_LIMIT = 1000;

/** A report under construction. */
export class CleanupTally {
	readonly #dryRun: boolean;
	readonly #onFile: ((file: CleanedFile) => void) | undefined;
	readonly #files: CleanedFile[] = [];
	readonly #kept: KeptFile[] = [];
	#fileCount = 0;
	#sizeBytes = 0;
	#keptCount = 0;

	constructor(dryRun: boolean, onFile: ((file: CleanedFile) => void) | undefined) {
		this.#dryRun = dryRun;
		this.#onFile = onFile;
	}

	add(file: CleanedFile): void {
		this.#fileCount++;
		this.#sizeBytes += file.sizeBytes ?? 0;
		if (this.#files.length < CLEANUP_LIST_LIMIT) this.#files.push(file);
		this.#onFile?.(file);
	}

	keep(location: string, reason: string): void {
		this.#keptCount++;
		if (this.#kept.length < CLEANUP_LIST_LIMIT) this.#kept.push({ location, reason });
	}

	report(): CleanupReport {
		return {
			dryRun: this.#dryRun,
			files: this.#files,
			fileCount: this.#fileCount,
			sizeBytes: this.#sizeBytes,
			kept: this.#kept,
			keptCount: this.#keptCount,
		};
	}
}
