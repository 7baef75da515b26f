/** Leads from this process when nobody else does: on this thread at once, and on a thread of its own as soon as that runs. */
import type { Clock } from '../util/ports.ts';
import { doze, inTime } from '../util/waits.ts';
import { SupersededError } from './fold-action.ts';
import { Leader } from './leader.ts';
import type { LeaderOptions } from './leader-options.ts';
import { connectionPair, type LeaderLink, type LinkConnection } from './leader-link.ts';

/** A leader on another thread. */
export interface LeaderThread {
	/** resolves when it listens, with false when it cannot */
	readonly listening: Promise<boolean>;
	/** resolves when it has ended */
	stop(): Promise<void>;
}

export interface LeaderHostOptions {
	readonly link: LeaderLink | undefined;
	readonly clock: Clock;
	readonly leader: Omit<LeaderOptions, 'mark' | 'adopts'>;
	/** starts a thread that leads as the generation; undefined where there are no threads */
	readonly startThread?: (generation: number) => LeaderThread | undefined;
}

/** Leading for less time than this is not worth a thread, ms. */
const THREAD_AFTER_MS = 100;

/** How long the end of a fold is waited for, ms. What it has not done then, the next leader does. */
const STOP_MS = 5000;

export class LeaderHost {
	readonly #options: LeaderHostOptions;
	/** leaders on this thread that have not ended */
	readonly #running = new Map<Leader, Promise<unknown>>();
	#private: Leader | undefined;
	#thread: LeaderThread | undefined;
	#stopped = false;

	constructor(options: LeaderHostOptions) {
		this.#options = options;
	}

	get link(): LeaderLink | undefined {
		return this.#options.link;
	}

	/** Leads as the generation, unless its name is taken. */
	async lead(generation: number): Promise<void> {
		const { link, leader: options } = this.#options;
		if (link === undefined || this.#stopped) return;
		const leader = new Leader({ ...options, mark: { namespace: link.namespace, generation }, adopts: true });
		const server = await link.listen(generation, (connection) => leader.accept(connection));
		if (server === undefined) return;
		// Stopped while it waited for the name: its storage may be closed.
		if (this.#stopped) return server.close();
		void this.#run(leader).finally(() => server.close());
		void this.#handOver(leader, generation + 1);
	}

	/** Takes in what writers have left that are gone, whoever leads. */
	async sweep(): Promise<void> {
		const mark = { namespace: 'private', generation: 0 };
		try {
			await new Leader({ ...this.#options.leader, mark, adopts: true }).sweep();
		} catch (error) {
			// Whoever leads takes it in.
			if (!(error instanceof SupersededError)) throw error;
		}
	}

	/** Folds this process's own journal: where no leader can be reached. */
	async leadPrivately(): Promise<LinkConnection> {
		const [own, other] = connectionPair();
		if (this.#private === undefined && !this.#stopped) {
			const { link, leader: options } = this.#options;
			const namespace = 'private';
			const leader = new Leader({ ...options, mark: { namespace, generation: 0 }, adopts: link === undefined });
			this.#private = leader;
			void this.#run(leader).finally(() => {
				if (this.#private === leader) this.#private = undefined;
			});
		}
		if (this.#private === undefined) other.close();
		else this.#private.accept(other);
		return own;
	}

	/** Leads no more; others take over. */
	async stop(): Promise<void> {
		this.#stopped = true;
		for (const leader of this.#running.keys()) leader.stop();
		const ended = Promise.allSettled([...this.#running.values(), this.#thread?.stop()]);
		await inTime(this.#options.clock, STOP_MS, ended);
	}

	async #run(leader: Leader): Promise<void> {
		const running = leader.run();
		this.#running.set(leader, running);
		try {
			await running;
		} finally {
			this.#running.delete(leader);
		}
	}

	async #handOver(leader: Leader, generation: number): Promise<void> {
		const { clock, startThread } = this.#options;
		if (startThread === undefined) return;
		await doze(clock, THREAD_AFTER_MS);
		if (!this.#running.has(leader) || this.#stopped) return;
		const thread = startThread(generation);
		if (thread === undefined) return;
		this.#thread = thread;
		if (await thread.listening) leader.stop(generation);
	}
}
