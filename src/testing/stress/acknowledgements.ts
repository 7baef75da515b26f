/** What the writers' appends were told, gathered outside of the writers, so that it survives them. */
import { Latencies, type Timing } from './latencies.ts';
import { OperationSet } from './operation-set.ts';

/** Failed appends whose messages are kept. */
const KEPT_FAILURES = 100;

/** An append that was refused, or whose outcome is not known. */
export interface FailedAppend {
	readonly writer: number;
	readonly operation: number;
	readonly code: string;
	readonly message: string;
}

export class Acknowledgements {
	readonly latencies = new Latencies();
	/** the first failures */
	readonly failures: FailedAppend[] = [];
	readonly #acknowledged = new Map<number, OperationSet>();
	readonly #failed = new Map<number, OperationSet>();
	/** milliseconds since the start at which something was acknowledged */
	readonly #moments = new OperationSet();
	#count = 0;
	#failureCount = 0;

	/** acknowledged appends */
	get count(): number {
		return this.#count;
	}

	get failureCount(): number {
		return this.#failureCount;
	}

	/** writers of which something is known */
	get writers(): readonly number[] {
		return [...new Set([...this.#acknowledged.keys(), ...this.#failed.keys()])];
	}

	/** @param timing absent for what is not to be measured */
	acknowledge(writer: number, operation: number, timing?: Timing): void {
		setOf(this.#acknowledged, writer).add(operation);
		this.#count++;
		if (timing === undefined) return;
		this.latencies.add(timing);
		this.#moments.add(Math.max(0, Math.floor(timing.endMs)));
	}

	fail(failure: FailedAppend): void {
		setOf(this.#failed, failure.writer).add(failure.operation);
		this.#failureCount++;
		if (this.failures.length < KEPT_FAILURES) this.failures.push(failure);
	}

	/** longest time between two acknowledgements, of whichever writers, ms */
	longestGapMs(): number {
		let before: number | undefined;
		let longest = 0;
		for (const moment of this.#moments) {
			if (before !== undefined) longest = Math.max(longest, moment - before);
			before = moment;
		}
		return longest;
	}

	/** Time from a moment since the start to the next acknowledgement, ms; undefined when there was none. */
	gapAfterMs(moment: number): number | undefined {
		const from = Math.ceil(moment);
		const next = this.#moments.nextFrom(from);
		return next === undefined ? undefined : next - from;
	}

	isAcknowledged(writer: number, operation: number): boolean {
		return this.#acknowledged.get(writer)?.has(operation) === true;
	}

	hasFailed(writer: number, operation: number): boolean {
		return this.#failed.get(writer)?.has(operation) === true;
	}

	acknowledgedBy(writer: number): OperationSet {
		return this.#acknowledged.get(writer) ?? new OperationSet();
	}
}

function setOf(sets: Map<number, OperationSet>, writer: number): OperationSet {
	let set = sets.get(writer);
	if (set === undefined) {
		set = new OperationSet();
		sets.set(writer, set);
	}
	return set;
}
