/** Writers that run side by side, and what all of them were told. */
import { systemClock } from '../../util/system-ports.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { type SpawnOptions, type WriterEnd, WriterProcess } from './writer-process.ts';
import type { WriterMessage, WriterSettings } from './writer-protocol.ts';

/** How long writers that were told to stop are waited for before they are killed, ms. */
const STOP_PATIENCE_MS = 60_000;

export class WriterGroup {
	readonly acknowledgements = new Acknowledgements();
	readonly #settings: Omit<WriterSettings, 'writer'>;
	readonly #writers: WriterProcess[] = [];
	/** by the clock of the system, which all processes share, ms */
	#startMs: number | undefined;

	constructor(settings: Omit<WriterSettings, 'writer'>) {
		this.#settings = settings;
	}

	/** all that were ever added, in the order of their numbers */
	get writers(): readonly WriterProcess[] {
		return this.#writers;
	}

	get running(): readonly WriterProcess[] {
		return this.#writers.filter((writer) => writer.isRunning);
	}

	/** since {@link start}, ms */
	get elapsedMs(): number {
		return this.#startMs === undefined ? 0 : systemClock.nowMs() - this.#startMs;
	}

	/** Adds a writer; one that is added after the start starts as soon as it is ready. */
	add(options: SpawnOptions = {}, overrides: Partial<WriterSettings> = {}): WriterProcess {
		const settings = { ...this.#settings, ...overrides, writer: this.#writers.length };
		const writer = new WriterProcess(settings, (message) => this.#hear(settings.writer, message), options);
		this.#writers.push(writer);
		if (this.#startMs !== undefined) void writer.ready.then(() => writer.start());
		return writer;
	}

	/** Starts all writers at once, when all are ready. */
	async start(): Promise<void> {
		await Promise.all(this.#writers.map((writer) => writer.ready));
		this.#startMs = systemClock.nowMs();
		for (const writer of this.#writers) writer.start();
	}

	/** Lets each writer end what is under way, and waits for it; kills those that do not end. */
	async stop(patienceMs = STOP_PATIENCE_MS): Promise<readonly WriterEnd[]> {
		for (const writer of this.#writers) writer.stop();
		const ended = Promise.all(this.#writers.map((writer) => writer.ended));
		const patience = new AbortController();
		const killing = systemClock.sleep(patienceMs, patience.signal).then(
			() => this.kill(),
			() => undefined,
		);
		const ends = await ended;
		patience.abort();
		await killing;
		return ends;
	}

	/** Resolves when all writers have ended by themselves. */
	ended(): Promise<readonly WriterEnd[]> {
		return Promise.all(this.#writers.map((writer) => writer.ended));
	}

	/** Kills all, stopped ones too. */
	async kill(): Promise<void> {
		for (const writer of this.running) writer.signal('SIGKILL');
		await this.ended();
	}

	#hear(writer: number, message: WriterMessage): void {
		const { acknowledgements } = this;
		if (message.kind === 'failed')
			acknowledgements.fail({
				writer,
				operation: message.operation,
				code: message.code,
				message: message.message,
			});
		else if (message.kind === 'ready')
			for (const operation of message.warmUp) acknowledgements.acknowledge(writer, operation);
		else if (message.kind === 'appended') {
			for (const [operation, atMs, tookMs] of message.appends)
				acknowledgements.acknowledge(writer, operation, { endMs: atMs - (this.#startMs ?? 0), tookMs });
		}
	}
}
