/** Virtual time and the order of events. Everything that waits in a simulation waits here. */
import { createHash, type Hash } from 'node:crypto';
import type { SimRandom } from './sim-random.ts';

/** Whose events they are: none of a dead one's happen, and those of a stopped one wait until it goes on. */
export interface EventOwner {
	readonly name: string;
	readonly isDead: boolean;
	/** virtual ms; an event before this waits until then */
	readonly stoppedUntilMs: number;
}

interface Event {
	atMs: number;
	/** order among events of one instant */
	readonly tie: number;
	readonly owner: EventOwner | undefined;
	readonly label: string;
	readonly run: () => void;
}

/** Events that are kept to be shown when something goes wrong. */
const KEPT_EVENTS = 400;

export class SimScheduler {
	readonly #random: SimRandom;
	readonly #events: Event[] = [];
	readonly #hash: Hash = createHash('sha256');
	readonly #last: string[] = [];
	#nowMs = 0;
	#steps = 0;

	constructor(random: SimRandom) {
		this.#random = random;
	}

	/** virtual ms since the start */
	get nowMs(): number {
		return this.#nowMs;
	}

	/** events that have happened */
	get steps(): number {
		return this.#steps;
	}

	get hasEvents(): boolean {
		return this.#events.length > 0;
	}

	/** The newest events and notes, oldest first, one line each. */
	get lastEvents(): readonly string[] {
		return this.#last;
	}

	/** Called with each line of the trace. */
	onTrace: ((line: string) => void) | undefined;

	/** Has something happen later. */
	after(delayMs: number, owner: EventOwner | undefined, label: string, run: () => void): void {
		this.#push({ atMs: this.#nowMs + Math.max(0, delayMs), tie: this.#random.float(), owner, label, run });
	}

	/** Puts a line into the trace. */
	note(text: string): void {
		const line = `${this.#nowMs.toFixed(9)} ${text}`;
		this.#hash.update(line);
		this.#last.push(line);
		if (this.#last.length > KEPT_EVENTS) this.#last.shift();
		this.onTrace?.(line);
	}

	/** Has the next event happen, and all that follows from it at once. False when there is none. */
	async step(): Promise<boolean> {
		for (;;) {
			const event = this.#pop();
			if (event === undefined) return false;
			const { owner } = event;
			if (owner?.isDead === true) continue;
			if (owner !== undefined && owner.stoppedUntilMs > event.atMs) {
				event.atMs = owner.stoppedUntilMs;
				this.#push(event);
				continue;
			}
			this.#nowMs = Math.max(this.#nowMs, event.atMs);
			this.#steps++;
			this.note(`${owner?.name ?? '-'} ${event.label}`);
			event.run();
			await settled();
			return true;
		}
	}

	/** Same for two runs in which the same things happened at the same times. */
	traceHash(): string {
		return this.#hash.copy().digest('hex').slice(0, 32);
	}

	#push(event: Event): void {
		const events = this.#events;
		let at = events.push(event) - 1;
		while (at > 0) {
			const parent = (at - 1) >> 1;
			if (!isBefore(event, events[parent] as Event)) break;
			events[at] = events[parent] as Event;
			at = parent;
		}
		events[at] = event;
	}

	#pop(): Event | undefined {
		const events = this.#events;
		const first = events[0];
		const last = events.pop();
		if (first === undefined || last === undefined || events.length === 0) return first;
		let at = 0;
		for (;;) {
			let child = 2 * at + 1;
			if (child >= events.length) break;
			if (child + 1 < events.length && isBefore(events[child + 1] as Event, events[child] as Event)) child++;
			if (!isBefore(events[child] as Event, last)) break;
			events[at] = events[child] as Event;
			at = child;
		}
		events[at] = last;
		return first;
	}
}

function isBefore(a: Event, b: Event): boolean {
	return a.atMs !== b.atMs ? a.atMs < b.atMs : a.tie < b.tie;
}

/** Resolves when all promises that could go on have done so: the event loop comes round only then. */
export function settled(): Promise<void> {
	return new Promise((resolve) => {
		setImmediate(resolve);
	});
}
