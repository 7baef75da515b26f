/** Moves the positions of journals along with the snapshot that holds their rows. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { Action, ActionResult } from '../transaction/action.ts';
import {
	type FoldedTo,
	type FoldState,
	foldStateOf,
	foldStateText,
	JOURNALS_PROPERTY,
	JOURNAL_START,
	type LeaderMark,
	samePosition,
} from './journal-positions.ts';

/** Thrown out of a commit when journals stand elsewhere than its rows suppose. */
export class PositionsMovedError extends IcebergError {
	readonly journal: string;

	constructor(location: string, journal: string) {
		super('VALIDATION_FAILED', `${location}: the journal ${journal} was folded by another process meanwhile`);
		this.journal = journal;
	}
}

/** Thrown out of a commit when a later leader has taken over. */
export class SupersededError extends IcebergError {
	readonly generation: number;
	constructor(location: string, generation: number) {
		super('VALIDATION_FAILED', `${location}: another process leads, as generation ${generation}`);
		this.generation = generation;
	}
}

export interface Advance {
	readonly from: FoldedTo;
	readonly to: FoldedTo;
}

export interface FoldActionOptions {
	readonly leader: LeaderMark;
	readonly advances: ReadonlyMap<string, Advance>;
	/** journals whose files are gone for good */
	readonly dropped: readonly string[];
	/** what is known of the positions when the table does not tell: another engine has removed the property */
	readonly remembered: () => FoldState;
	/** whether the journal's file is there */
	readonly exists: (journal: string) => Promise<boolean>;
}

export class FoldAction implements Action {
	readonly name = 'fold journals';
	readonly #options: FoldActionOptions;

	constructor(options: FoldActionOptions) {
		this.#options = options;
	}

	/** @throws {@link PositionsMovedError}, {@link SupersededError} */
	async apply(base: TableMetadata): Promise<ActionResult> {
		const { leader, advances, dropped, remembered, exists } = this.#options;
		const state = foldStateOf(base.properties, base.location) ?? remembered();
		checkLeader(state, leader, base.location);
		const positions = new Map(state.positions);
		for (const [journal, { from, to }] of advances) {
			const now = positions.get(journal);
			if (!samePosition(now ?? JOURNAL_START, from)) throw new PositionsMovedError(base.location, journal);
			// An entry goes only after its file: no entry and no file means that all of it was folded.
			if (now === undefined && !(await exists(journal))) throw new PositionsMovedError(base.location, journal);
			positions.set(journal, to);
		}
		for (const journal of dropped) positions.delete(journal);
		const text = foldStateText(leader, positions);
		return {
			updates: [{ action: 'set-properties', updates: { [JOURNALS_PROPERTY]: text } }],
			requirements: [],
			newFiles: [],
		};
	}

	async committed(): Promise<void> {
		// It writes no files.
	}

	async abandoned(): Promise<void> {
		// It writes no files.
	}
}

/** A leader that meets a later one of its namespace gives way. @throws {@link SupersededError} */
export function checkLeader(state: FoldState, own: LeaderMark, location: string): void {
	const { leader } = state;
	if (leader !== undefined && leader.namespace === own.namespace && leader.generation > own.generation)
		throw new SupersededError(location, leader.generation);
}
