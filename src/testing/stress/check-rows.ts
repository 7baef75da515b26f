/** Holds the rows of a table against what was acknowledged: streaming, with two bits for each row. */
import type { Acknowledgements } from './acknowledgements.ts';
import { OperationSet } from './operation-set.ts';
import { isAsWritten, taskOf, type TaskRow } from './task-log.ts';

/** Rows of each kind that are named. */
const NAMED_ROWS = 10;

/** Rows of one kind: how many, and the ids of the first. */
export interface RowTally {
	readonly count: number;
	readonly examples: readonly string[];
}

export interface RowCheck {
	readonly rowCount: number;
	readonly acknowledgedCount: number;
	/** acknowledged, and not there */
	readonly lost: RowTally;
	/** there more than once; each further time counts */
	readonly doubled: RowTally;
	/** there, with other values than were appended */
	readonly altered: RowTally;
	/** there, but of none of the writers */
	readonly foreign: RowTally;
	/** There, but neither acknowledged nor failed: right only for appends that were in flight when their writer was killed. */
	readonly unacknowledged: RowTally;
	/** there, though the append failed: right only where the error said that the outcome is not known */
	readonly failedButThere: RowTally;
}

export async function checkRows(
	chunks: AsyncIterable<readonly TaskRow[]>,
	acknowledgements: Acknowledgements,
): Promise<RowCheck> {
	const tallies = {
		lost: new Tally(),
		doubled: new Tally(),
		altered: new Tally(),
		foreign: new Tally(),
		unacknowledged: new Tally(),
		failedButThere: new Tally(),
	};
	const seen = new Map<number, OperationSet>();
	let rowCount = 0;
	const look = (row: TaskRow): void => {
		const task = taskOf(row.task_id);
		if (task === undefined) return tallies.foreign.add(row.task_id);
		const { writer, operation } = task;
		let there = seen.get(writer);
		if (there === undefined) seen.set(writer, (there = new OperationSet()));
		if (!there.add(operation)) tallies.doubled.add(row.task_id);
		if (!isAsWritten(row, writer, operation)) tallies.altered.add(row.task_id);
		if (acknowledgements.isAcknowledged(writer, operation)) return;
		const tally = acknowledgements.hasFailed(writer, operation) ? tallies.failedButThere : tallies.unacknowledged;
		tally.add(row.task_id);
	};
	for await (const rows of chunks) {
		rowCount += rows.length;
		for (const row of rows) look(row);
	}
	for (const writer of acknowledgements.writers) {
		const there = seen.get(writer) ?? new OperationSet();
		for (const operation of acknowledgements.acknowledgedBy(writer))
			if (!there.has(operation)) tallies.lost.add(`${writer}-${operation}`);
	}
	const told = Object.fromEntries(Object.entries(tallies).map(([kind, tally]) => [kind, tally.told()]));
	return { rowCount, acknowledgedCount: acknowledgements.count, ...(told as Record<keyof typeof tallies, RowTally>) };
}

class Tally {
	#count = 0;
	readonly #examples: string[] = [];

	add(taskId: string): void {
		this.#count++;
		if (this.#examples.length < NAMED_ROWS) this.#examples.push(taskId);
	}

	told(): RowTally {
		return { count: this.#count, examples: this.#examples };
	}
}
