/** Another engine as a child process: a script of this folder that answers requests, a line of JSON each. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Loose } from '../support/corpus.ts';
import { projectDir } from '../support/project.ts';
import { type EnvironmentVariable, fromEnvironment } from './environment.ts';

const SCRIPTS: Readonly<Record<PeerName, readonly [python: EnvironmentVariable, script: string]>> = {
	pyiceberg: ['DATASHARD_PY', 'pyiceberg_peer.py'],
	duckdb: ['DATASHARD_PY_DUCKDB', 'duckdb_peer.py'],
	spark: ['DATASHARD_PY_SPARK', 'spark_peer.py'],
};
const LOG_LIMIT_CHARS = 20_000;

export type PeerName = 'pyiceberg' | 'duckdb' | 'spark';

interface Waiter {
	resolve(value: Loose): void;
	reject(error: Error): void;
}

export class Peer {
	readonly #name: PeerName;
	readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
	readonly #waiters: Waiter[] = [];
	#log = '';

	/** @param args given to the script */
	constructor(name: PeerName, args: readonly string[] = []) {
		this.#name = name;
		const [python, script] = SCRIPTS[name];
		const env: NodeJS.ProcessEnv = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', TZ: 'UTC' };
		if (name === 'spark') env.DATASHARD_SPARK_JAR = fromEnvironment('DATASHARD_SPARK_JAR');
		this.#process = spawn(fromEnvironment(python), [join(projectDir, 'test/interop', script), ...args], {
			stdio: ['pipe', 'pipe', 'pipe'],
			env,
		});
		createInterface({ input: this.#process.stdout }).on('line', (line) => this.#answer(line));
		this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
			this.#log = (this.#log + text).slice(-LOG_LIMIT_CHARS);
		});
		this.#process.on('error', (error) => this.#fail(error.message));
		this.#process.on('close', (code, signal) => this.#fail(`it ended (${signal ?? `exit code ${code}`})`));
		this.#process.stdin.on('error', () => {});
	}

	/** What the script's function `operation` gives for the arguments. Requests are answered one after the other. */
	call(operation: string, args: Readonly<Record<string, unknown>> = {}): Promise<Loose> {
		if (this.#process.exitCode !== null || this.#process.signalCode !== null) {
			return Promise.reject(new Error(`${this.#name} has ended:\n${this.#log}`));
		}
		return new Promise<Loose>((resolve, reject) => {
			this.#waiters.push({ resolve, reject });
			this.#process.stdin.write(`${JSON.stringify({ operation, args })}\n`);
		});
	}

	/** Ends the process. */
	async close(): Promise<void> {
		if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
		const closed = once(this.#process, 'close');
		this.#process.stdin.end();
		await closed;
	}

	#answer(line: string): void {
		const waiter = this.#waiters.shift();
		const { value, error } = JSON.parse(line) as { value?: unknown; error?: string };
		if (error === undefined) waiter?.resolve(value);
		else waiter?.reject(new Error(`${this.#name}: ${error}`));
	}

	#fail(why: string): void {
		for (const { reject } of this.#waiters.splice(0)) reject(new Error(`${this.#name}: ${why}\n${this.#log}`));
	}
}
