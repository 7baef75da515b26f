import type { ColumnBatch } from '../column/vector.ts';
import type { DataFile } from '../manifest/types.ts';
import type { Committer, LoadedMetadata } from '../transaction/committer.ts';
import type { Clock, Random } from '../util/ports.ts';
import type { Processes } from '../util/process-identity.ts';

/** What the appender needs of its table. */
export interface AppendHost {
	readonly committer: Committer;
	readonly clock: Clock;
	readonly random: Random;
	readonly processes?: Processes | undefined;
	/** the newest state that is known */
	loaded(): LoadedMetadata;
	/** takes the state that a commit made */
	advance(loaded: LoadedMetadata): void;
	/** what looks after the table in the background */
	readonly maintenance?: AppendMaintenance | undefined;
}

/** The port through which maintenance learns of appends; `maintenance/` has the implementation. */
export interface AppendMaintenance {
	/**
	 * Called after each commit, while its `CommitMutex` is held. Does not throw.
	 * @param append.rows those of `added`, in their order, if they are at hand
	 */
	noteCommit(
		loaded: LoadedMetadata,
		append: { readonly added: readonly DataFile[]; readonly rows?: ColumnBatch },
	): void;
	/** Another process, or thread, commits for us and looks after the table: until this one commits again. */
	pause?(): void;
}
