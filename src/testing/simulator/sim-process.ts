/** A simulated operating-system process: its clock, its chance, and whether it runs. */
import type { Clock } from '../../util/ports.ts';
import type { SimRandom } from './sim-random.ts';
import type { EventOwner, SimScheduler } from './sim-scheduler.ts';

/** The virtual time at which a simulation starts, ms since 1970. */
export const SIMULATION_EPOCH_MS = 1_700_000_000_000;

export class SimProcess implements EventOwner {
	readonly name: string;
	readonly pid: number;
	/** virtual ms since the start of the simulation */
	readonly startedMs: number;
	readonly clock: SimClock;
	readonly random: SimRandom;
	readonly scheduler: SimScheduler;
	isDead = false;
	stoppedUntilMs = 0;
	/** virtual ms that it has been stopped, or will have been when it goes on */
	stoppedTotalMs = 0;
	/** system calls that it has made */
	callCount = 0;

	constructor(name: string, pid: number, scheduler: SimScheduler, random: SimRandom) {
		this.name = name;
		this.pid = pid;
		this.scheduler = scheduler;
		this.random = random.fork(`${name} itself`);
		this.clock = new SimClock(this);
		this.startedMs = scheduler.nowMs;
	}

	/** `kill -9`: nothing of it happens any more. What it gave to the system stays. */
	kill(): void {
		this.isDead = true;
	}

	/** `SIGSTOP`, and `SIGCONT` after `ms`. */
	stop(ms: number): void {
		const { nowMs } = this.scheduler;
		const until = Math.max(this.stoppedUntilMs, nowMs + ms);
		this.stoppedTotalMs += until - Math.max(this.stoppedUntilMs, nowMs);
		this.stoppedUntilMs = until;
	}

	/** Resolves after about `meanMs`. */
	wait(meanMs: number, label: string): Promise<void> {
		return new Promise((resolve) => {
			this.scheduler.after(this.random.waitMs(meanMs), this, label, resolve);
		});
	}
}

/** Virtual time as one process sees it. */
export class SimClock implements Clock {
	readonly #process: SimProcess;
	#offsetMs = 0;

	constructor(process: SimProcess) {
		this.#process = process;
	}

	nowMs(): number {
		return Math.floor(SIMULATION_EPOCH_MS + this.#process.scheduler.nowMs + this.#offsetMs);
	}

	monotonicMs(): number {
		return this.#process.scheduler.nowMs;
	}

	/** Sets it forward, or back; {@link monotonicMs} and sleepers are not affected. */
	jump(ms: number): void {
		this.#offsetMs += ms;
	}

	sleep(ms: number, signal?: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			if (signal?.aborted === true) {
				reject(signal.reason);
				return;
			}
			const onAbort = (): void => reject(signal?.reason);
			signal?.addEventListener('abort', onAbort, { once: true });
			this.#process.scheduler.after(ms, this.#process, 'wakes', () => {
				signal?.removeEventListener('abort', onAbort);
				resolve();
			});
		});
	}
}
