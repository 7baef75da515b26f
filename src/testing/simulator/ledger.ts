/** What the simulated clients have asked for, and what they were told: what must be true of the table follows from it. */
import type { SimProcess } from './sim-process.ts';

export interface SimRow {
	readonly id: number;
	/** the operation that appends it */
	readonly op: number;
	readonly text: string;
	readonly part: string;
}

/** One append or transaction of a client, however often it is tried. */
export interface Operation {
	readonly id: number;
	readonly kind: string;
	readonly rows: readonly SimRow[];
	/** idempotency key, of those that clients try again */
	readonly key: string | undefined;
	/** tries that run in processes that live */
	readonly running: Set<Attempt>;
	/** told to be done, once at least */
	acknowledged: boolean;
	/** a try ended without its being told whether it was done: a crash, or an unknown outcome */
	uncertain: boolean;
	/** told to be durable in a journal: in the table soon */
	promised: boolean;
	/** a try that was told to have failed, or never began, is the last word */
	failed: boolean;
}

export interface Attempt {
	readonly operation: Operation | undefined;
	readonly label: string;
	readonly process: SimProcess;
	readonly startedMs: number;
	readonly stoppedBeforeMs: number;
	readonly fullBeforeMs: number;
}

/** Partitions that rows are in. */
export const PARTS: readonly string[] = ['north', 'south', 'west'];

export class Ledger {
	readonly operations: Operation[] = [];
	/** operations with a key that were not acknowledged and run nowhere: clients come back to them */
	readonly unfinished = new Set<Operation>();
	readonly attempts = new Set<Attempt>();
	#nextRow = 1;

	/** A new operation of rows that no other has. */
	begin(kind: string, parts: readonly string[], key?: string): Operation {
		const id = this.operations.length + 1;
		const rows = parts.map((part): SimRow => {
			const row = this.#nextRow++;
			return { id: row, op: id, text: textOf(row, id), part };
		});
		const operation: Operation = {
			id,
			kind,
			rows,
			key: key === undefined ? undefined : `${key}-${id}`,
			running: new Set(),
			acknowledged: false,
			promised: false,
			uncertain: false,
			failed: false,
		};
		this.operations.push(operation);
		return operation;
	}

	get(id: number): Operation | undefined {
		return this.operations[id - 1];
	}

	/** A process has begun to do it. */
	start(process: SimProcess, label: string, fullTotalMs: number, operation?: Operation): Attempt {
		const attempt: Attempt = {
			operation,
			label,
			process,
			startedMs: process.scheduler.nowMs,
			stoppedBeforeMs: process.stoppedTotalMs,
			fullBeforeMs: fullTotalMs,
		};
		this.attempts.add(attempt);
		operation?.running.add(attempt);
		if (operation !== undefined) this.unfinished.delete(operation);
		return attempt;
	}

	end(attempt: Attempt, outcome: 'acknowledged' | 'promised' | 'failed' | 'uncertain'): void {
		this.attempts.delete(attempt);
		const { operation } = attempt;
		if (operation === undefined) return;
		operation.running.delete(attempt);
		if (outcome === 'acknowledged') operation.acknowledged = true;
		if (outcome === 'promised') operation.promised = true;
		if (outcome === 'uncertain') operation.uncertain = true;
		if (operation.acknowledged || operation.promised || operation.running.size > 0) return;
		if (operation.key !== undefined) this.unfinished.add(operation);
		else if (!operation.uncertain) operation.failed = true;
	}

	/** A process is gone: nobody will hear how its attempts ended. */
	processDied(process: SimProcess): void {
		for (const attempt of this.attempts) if (attempt.process === process) this.end(attempt, 'uncertain');
	}
}

/** What the text of a row must be. */
export function textOf(row: number, operation: number): string {
	return `row ${row} of ${operation}`;
}
