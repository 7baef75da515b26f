/** The swap, as the transaction sees it. Catalogs implement it. */
import type { FileIO } from '../io/file-io.ts';
import type { TableRequirement, TableUpdate } from '../metadata/table-update.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

/** Metadata together with where it was read from. */
export interface LoadedMetadata {
	readonly metadata: TableMetadata;
	/** of the metadata file */
	readonly metadataLocation: string;
	/** what the catalog needs to swap against this base (a folder table's version number, an etag); opaque to others */
	readonly token: unknown;
}

export interface SwapRequest {
	/** `undefined` creates the table */
	readonly base: LoadedMetadata | undefined;
	readonly requirements: readonly TableRequirement[];
	readonly updates: readonly TableUpdate[];
	/** `updates` applied to `base`, for catalogs that write the metadata file themselves */
	readonly next: TableMetadata;
	/** files that the updates refer to and this commit wrote: they have to be durable, names too, before `next` is visible */
	readonly newFiles?: readonly string[];
	/** unique for this attempt's commit; stands in the summary of each snapshot it adds as `datashard.commit-id` */
	readonly commitId: string;
	readonly signal?: AbortSignal;
}

export type SwapOutcome =
	| { readonly outcome: 'committed'; readonly loaded: LoadedMetadata }
	/** known not to have happened; somebody else's version is there */
	| { readonly outcome: 'conflict'; readonly cause?: unknown }
	/** may have happened, and reading back did not settle it */
	| { readonly outcome: 'unknown'; readonly cause: unknown };

export interface Committer {
	/** Storage of the table's files. */
	readonly io: FileIO;
	/** The newest committed metadata. @throws `NOT_FOUND`, `NOT_A_TABLE`, `CORRUPT`, `UNSUPPORTED` */
	load(signal?: AbortSignal): Promise<LoadedMetadata>;
	/**
	 * One attempt. Rejects only when it is known that nothing was committed and that trying again is of no use
	 * (permission, disk full, unsupported storage); all else is an outcome.
	 */
	swap(request: SwapRequest): Promise<SwapOutcome>;
	/** To be called when no more commits are to come: removes what was kept for others while they did. Never rejects. */
	tidy?(): Promise<void>;
}
