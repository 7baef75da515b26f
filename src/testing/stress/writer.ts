/** A writer of the stress test: a process that appends one record at a time and tells what was acknowledged. */
import { loadTable } from '../../catalog/open-table.ts';
import { isIcebergError } from '../../errors/iceberg-error.ts';
import { systemClock } from '../../util/system-ports.ts';
import { appendToPlainFile } from './plain-files.ts';
import { taskRow, type TaskRow } from './task-log.ts';
import { type ToldAppend, type WriterMessage, type WriterSettings, writerSettings } from './writer-protocol.ts';

const TELL_EVERY_MS = 100;
/** Wait of a persistent writer after an append that failed. */
const WAIT_AFTER_FAILURE_MS = 20;
const MS_DIGITS = 1000;

/** The writer's side of its pipes. */
export interface WriterPipes {
	readonly input: AsyncIterable<unknown>;
	/** resolves when the text has been handed to the system */
	write(text: string): Promise<void>;
}

/**
 * Runs a writer from its start to its end: it is told to start by a line, and to stop by the end of its input. Never leaves
 * an append under way.
 * @returns whether no append failed
 * @throws what opening the table throws; `INVALID_ARGUMENT`
 */
export async function runStressWriter(settingsText: string, pipes: WriterPipes): Promise<boolean> {
	return new Writer(writerSettings(settingsText), pipes).run();
}

class Writer {
	readonly #settings: WriterSettings;
	readonly #pipes: WriterPipes;
	readonly #stopped = new AbortController();
	#untold: ToldAppend[] = [];
	#next = 0;
	#failed = false;

	constructor(settings: WriterSettings, pipes: WriterPipes) {
		this.#settings = settings;
		this.#pipes = pipes;
	}

	async run(): Promise<boolean> {
		const { inFlight, warmUp, operations } = this.#settings;
		const { append, close } = await this.#open();
		try {
			const warm = Array.from({ length: warmUp }, (_, i) => operations + i);
			for (const operation of warm) await append(operation);
			await this.#tell({ kind: 'ready', warmUp: warm });
			await this.#started();
			const told = this.#settings.eager ? undefined : this.#tellNowAndThen();
			await Promise.all(Array.from({ length: inFlight }, () => this.#appendInTurn(append)));
			this.#stopped.abort();
			await told;
		} finally {
			await close();
		}
		await this.#tellAppends();
		const { user, system } = process.cpuUsage();
		const maxRssBytes = process.resourceUsage().maxRSS * 1024;
		await this.#tell({ kind: 'end', cpuMs: (user + system) / 1000, maxRssBytes });
		return !this.#failed;
	}

	async #open(): Promise<{ append(operation: number): Promise<unknown>; close(): Promise<void> }> {
		const { contender, location, writer, until } = this.#settings;
		if (contender === 'plain-files')
			return {
				append: (operation) => appendToPlainFile(location, taskRow(writer, operation)),
				close: async () => undefined,
			};
		const table = await loadTable<TaskRow>(location);
		return {
			append: (operation) => table.append([taskRow(writer, operation)], { until }),
			close: () => table.close(),
		};
	}

	/** Resolves when the writer is to start; from then on watches for its being told to stop. */
	async #started(): Promise<void> {
		const input = this.#pipes.input[Symbol.asyncIterator]();
		const first = await input.next();
		if (first.done === true) return this.#stopped.abort();
		void (async () => {
			while ((await input.next()).done !== true);
		})()
			.catch(() => undefined)
			.finally(() => this.#stopped.abort());
	}

	async #appendInTurn(append: (operation: number) => Promise<unknown>): Promise<void> {
		const { operations, eager, persistent, pauseMs = 0 } = this.#settings;
		while (!this.#stopped.signal.aborted && this.#next < operations) {
			const operation = this.#next++;
			const begunMs = systemClock.monotonicMs();
			try {
				await append(operation);
				this.#untold.push([operation, systemClock.nowMs(), rounded(systemClock.monotonicMs() - begunMs)]);
				if (eager) await this.#tellAppends();
				if (pauseMs > 0) await systemClock.sleep(pauseMs, this.#stopped.signal).catch(() => undefined);
			} catch (error) {
				this.#failed = true;
				const code = isIcebergError(error) ? error.code : 'UNEXPECTED';
				const message = error instanceof Error ? error.message : String(error);
				await this.#tell({ kind: 'failed', operation, code, message });
				if (!persistent) return this.#stopped.abort();
				await systemClock.sleep(WAIT_AFTER_FAILURE_MS);
			}
		}
	}

	async #tellNowAndThen(): Promise<void> {
		while (!this.#stopped.signal.aborted) {
			await systemClock.sleep(TELL_EVERY_MS, this.#stopped.signal).catch(() => undefined);
			await this.#tellAppends();
		}
	}

	async #tellAppends(): Promise<void> {
		const appends = this.#untold;
		this.#untold = [];
		if (appends.length > 0) await this.#tell({ kind: 'appended', appends });
	}

	#tell(message: WriterMessage): Promise<void> {
		return this.#pipes.write(`${JSON.stringify(message)}\n`);
	}
}

function rounded(ms: number): number {
	return Math.round(ms * MS_DIGITS) / MS_DIGITS;
}
