/** A writer as its stress test sees it: a child process, and what it tells. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { IcebergError } from '../../errors/iceberg-error.ts';
import { deferred } from '../../util/deferred.ts';
import type { WriterMessage, WriterSettings } from './writer-protocol.ts';

/** Characters of a writer's error output that are kept. */
const ERROR_LIMIT_CHARACTERS = 10_000;

export interface SpawnOptions {
	/** options of node, such as `--cpu-prof` */
	readonly execArgv?: readonly string[];
	/** user and group that the process runs as; only root may choose */
	readonly uid?: number;
	readonly gid?: number;
}

export interface WriterEnd {
	/** null when it was killed */
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
	/** what it wrote to its error output */
	readonly errors: string;
	/** undefined when it did not come to its end */
	readonly cpuMs: number | undefined;
	readonly maxRssBytes: number | undefined;
}

export class WriterProcess {
	readonly settings: WriterSettings;
	/** resolves when it is ready to start, or has ended */
	readonly ready: Promise<void>;
	/** resolves when it has ended and all that it told has been heard */
	readonly ended: Promise<WriterEnd>;
	readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;

	/** @param onMessage hears all that the writer tells */
	constructor(settings: WriterSettings, onMessage: (message: WriterMessage) => void, options: SpawnOptions = {}) {
		this.settings = settings;
		const { execArgv = [], uid, gid } = options;
		this.#child = spawn(process.execPath, [...execArgv, commandPath(), 'stress-writer', JSON.stringify(settings)], {
			stdio: ['pipe', 'pipe', 'pipe'],
			...(uid === undefined ? {} : { uid }),
			...(gid === undefined ? {} : { gid }),
		});
		const ready = deferred<void>();
		const ended = deferred<WriterEnd>();
		this.ready = ready.promise;
		this.ended = ended.promise;
		let last: { cpuMs?: number; maxRssBytes?: number } = {};
		createInterface({ input: this.#child.stdout }).on('line', (line) => {
			const message = messageOf(line);
			if (message === undefined) return;
			if (message.kind === 'ready') ready.resolve();
			if (message.kind === 'end') last = message;
			onMessage(message);
		});
		let errors = '';
		this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
			errors = (errors + text).slice(-ERROR_LIMIT_CHARACTERS);
		});
		// a writer that has been killed does not read
		this.#child.stdin.on('error', () => undefined);
		this.#child.on('error', (error) => {
			errors += error.message;
			ready.resolve();
			ended.resolve({ code: null, signal: null, errors, cpuMs: undefined, maxRssBytes: undefined });
		});
		this.#child.on('close', (code, signal) => {
			ready.resolve();
			ended.resolve({ code, signal, errors: errors.trim(), cpuMs: last.cpuMs, maxRssBytes: last.maxRssBytes });
		});
	}

	get pid(): number | undefined {
		return this.#child.pid;
	}

	get isRunning(): boolean {
		return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined;
	}

	start(): void {
		this.#child.stdin.write('start\n');
	}

	/** Lets it end what is under way, and no more. */
	stop(): void {
		this.#child.stdin.end();
	}

	signal(signal: NodeJS.Signals): void {
		this.#child.kill(signal);
	}
}

/** A killed writer's last line may be cut: what it tells was not told. */
function messageOf(line: string): WriterMessage | undefined {
	try {
		return JSON.parse(line) as WriterMessage;
	} catch {
		return undefined;
	}
}

/** The built command of this package. @throws `NOT_FOUND` where the package was not built */
function commandPath(): string {
	for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
		if (existsSync(join(folder, 'package.json'))) {
			const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: { datashard: string } };
			const path = join(folder, bin.datashard);
			if (existsSync(path)) return path;
			throw new IcebergError('NOT_FOUND', `${path} is not there: build the package first`);
		}
		if (folder === dirname(folder))
			throw new IcebergError('NOT_FOUND', 'the package of this module has no package.json');
	}
}
