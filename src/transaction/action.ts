/** A change to a table, in a form that can be applied again to newer metadata. */
import type { FileIO } from '../io/file-io.ts';
import type { TableRequirement, TableUpdate } from '../metadata/table-update.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { Random } from '../util/ports.ts';
import type { ProcessIdentity } from '../util/process-identity.ts';

export interface ActionContext {
	readonly io: FileIO;
	readonly random: Random;
	/** who commits: stands in the names of new files */
	readonly writer: ProcessIdentity;
	/** one for all attempts of a commit; stands in the summary of each snapshot that it adds */
	readonly commitId: string;
	/** the time of this attempt, not before the base's last update; milliseconds since 1970 */
	readonly nowMs: number;
	/** where manifests and manifest lists are written; without a slash at the end */
	readonly metadataFolder: string;
	readonly signal: AbortSignal | undefined;
}

export interface ActionResult {
	/** none: nothing is to be changed */
	readonly updates: readonly TableUpdate[];
	/** what must hold of the base for the updates to be right */
	readonly requirements: readonly TableRequirement[];
	/** files that the updates refer to and that this commit wrote; the swap makes them durable first */
	readonly newFiles: readonly string[];
}

/**
 * One change. {@link apply} is called for each attempt, with what was committed meanwhile taken in; it does over only
 * what depends on that. Exactly one of {@link committed} and {@link abandoned} follows, or neither when the outcome is
 * unknown: then nothing may be deleted.
 */
export interface Action {
	/** for messages: `append` */
	readonly name: string;

	/** @param base with the changes of the actions before this one in the same commit */
	apply(base: TableMetadata, context: ActionContext): Promise<ActionResult>;

	/** Deletes what attempts wrote that the committed snapshot does not use. Faults must not come out. */
	committed(metadata: TableMetadata, io: FileIO): Promise<void>;

	/**
	 * Deletes what attempts wrote, except data files: these are the transaction's. Faults must not come out. The action
	 * may be applied anew afterwards.
	 */
	abandoned(io: FileIO): Promise<void>;
}

/** Deletes files that nothing refers to; one that cannot be deleted stays as garbage. */
export async function deleteQuietly(io: FileIO, locations: Iterable<string>): Promise<void> {
	for (const location of locations) {
		try {
			await io.delete(location);
		} catch {
			// Nobody refers to it.
		}
	}
}
