import type { FollowedJournal } from './followed-journal.ts';
import type { LinkConnection } from './leader-link.ts';

/** A process that is led, as its leader sees it. */
export interface Follower {
	readonly connection: LinkConnection;
	journal: FollowedJournal | undefined;
	journalId: string | undefined;
	/** what it called its telling of the journal, and all that it is told of that repeats */
	telling: string;
	/** it writes no more to the journal, and waits until that is gone */
	leaving: boolean;
	/** something is to be read for which somebody waits */
	wants: boolean;
	/** number of the fold that it was in last; -1 before the first */
	lastFold: number;
	/** told last at, by the monotonic clock */
	heardMs: number;
}

export function newFollower(connection: LinkConnection, nowMs: number): Follower {
	return {
		connection,
		journal: undefined,
		journalId: undefined,
		telling: '',
		leaving: false,
		wants: false,
		lastFold: -1,
		heardMs: nowMs,
	};
}
