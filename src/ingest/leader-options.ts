import type { ColumnBatch } from '../column/vector.ts';
import type { JournalStore } from '../io/journal-store.ts';
import type { DataFile } from '../manifest/types.ts';
import type { Action } from '../transaction/action.ts';
import type { Committer, LoadedMetadata } from '../transaction/committer.ts';
import type { Clock, Random } from '../util/ports.ts';
import type { Processes } from '../util/process-identity.ts';
import type { LeaderMark } from './journal-positions.ts';

/** What a leader works with. */
export interface LeaderOptions {
	readonly committer: Committer;
	readonly clock: Clock;
	readonly random: Random;
	readonly processes: Processes;
	readonly journals: JournalStore;
	readonly tableUuid: string;
	readonly mark: LeaderMark;
	/** journals of others are folded too; a leader without a link has only its own */
	readonly adopts: boolean;
	/** rows that only have to be in a snapshot soon wait this long at most, ms */
	readonly commitIntervalMs: () => number;
	/** further changes that go along with a commit that adds rows */
	readonly companions?: (base: LoadedMetadata) => readonly Action[];
	/** told of each fold, in the same turn as those who wait for it: on this thread, before them */
	readonly onFold?: (loaded: LoadedMetadata, files: readonly DataFile[], rows: ColumnBatch | undefined) => void;
	/** keeps others of this thread from committing meanwhile */
	readonly exclusively?: <T>(work: () => Promise<T>) => Promise<T>;
	/** how long the next fold should wait, for others to commit between, ms; asked anew while it waits */
	readonly gapMs?: () => number;
	/** whether there is something else that this thread should live on for */
	readonly isBusy?: () => boolean;
	readonly onTrouble?: (error: unknown) => void;
}
