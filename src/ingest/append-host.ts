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
}
