/** What the operating system tells of processes. */
import { readFileSync, readlinkSync } from 'node:fs';
import { nodeOs } from './lazy-builtin.ts';
import { murmur3Bytes } from './murmur3.ts';
import { type ProcessIdentity, type Processes, sameProcess } from './process-identity.ts';

/** What stands for the start time where it is not known. */
const UNKNOWN_START = '0';

interface Stat {
	readonly pid: number;
	readonly state: string;
	/** clock ticks since the system's start, base 36 */
	readonly startedAt: string;
}

/** Where the system's files are and how a pid is probed; others are for tests. */
export interface ProcessSources {
	/** text of a file, or what a link points at. @throws as `node:fs` */
	readonly text: (path: string) => string;
	readonly link: (path: string) => string;
	/** @throws an error with the code `ESRCH` for a pid that there is not */
	readonly probe: (pid: number) => void;
	readonly pid: number;
	readonly hostname: () => string;
}

const SYSTEM: ProcessSources = {
	text: (path) => readFileSync(path, 'latin1'),
	link: (path) => readlinkSync(path),
	probe: (pid) => void process.kill(pid, 0),
	pid: process.pid,
	hostname: () => nodeOs().hostname(),
};

/**
 * Processes by `/proc`. Those of one boot, one pid namespace and one time namespace (on which start times depend) make a
 * host. Without a `/proc` of our own namespace only a pid that is not in use tells anything.
 */
export class SystemProcesses implements Processes {
	readonly #sources: ProcessSources;
	#self: ProcessIdentity | undefined;
	#hasProc = false;

	constructor(sources: ProcessSources = SYSTEM) {
		this.#sources = sources;
	}

	get self(): ProcessIdentity {
		return (this.#self ??= this.#readSelf());
	}

	isGone(identity: ProcessIdentity): boolean | undefined {
		const { self } = this;
		if (identity.host !== self.host) return undefined;
		if (sameProcess(identity, self)) return false;
		if (!this.#hasProc || identity.startedAt === UNKNOWN_START) return this.#isFree(identity.pid) ? true : undefined;
		const stat = this.#statOf(String(identity.pid));
		// Where processes of other users are hidden, not being listed is not being gone.
		if (stat === undefined) return this.#isFree(identity.pid) ? true : undefined;
		return stat.startedAt !== identity.startedAt || stat.state === 'Z' || stat.state === 'X' || stat.state === 'x';
	}

	isRunning(identity: ProcessIdentity): boolean | undefined {
		const isGone = this.isGone(identity);
		if (isGone !== false || !this.#hasProc) return isGone === true ? false : undefined;
		const state = this.#statOf(String(identity.pid))?.state;
		return state === undefined ? undefined : state !== 'T' && state !== 't';
	}

	#readSelf(): ProcessIdentity {
		const { text, link, pid } = this.#sources;
		const stat = this.#statOf('self');
		// Another namespace's /proc numbers processes otherwise.
		if (stat?.pid === pid) {
			try {
				const boot = text('/proc/sys/kernel/random/boot_id').trim();
				const host = hashOf([boot, link('/proc/self/ns/pid'), this.#timeNamespace()]);
				this.#hasProc = true;
				return { host, pid, startedAt: stat.startedAt };
			} catch {
				// As where there is no /proc.
			}
		}
		return { host: hashOf([this.#sources.hostname()]), pid, startedAt: UNKNOWN_START };
	}

	/** Kernels before 5.6 have none. */
	#timeNamespace(): string {
		try {
			return this.#sources.link('/proc/self/ns/time');
		} catch {
			return '';
		}
	}

	#statOf(process: string): Stat | undefined {
		try {
			return parseStat(this.#sources.text(`/proc/${process}/stat`));
		} catch {
			return undefined;
		}
	}

	#isFree(pid: number): boolean {
		try {
			this.#sources.probe(pid);
			return false;
		} catch (error) {
			return (error as NodeJS.ErrnoException).code === 'ESRCH';
		}
	}
}

/** Processes of this system. Nothing is read before it is asked for. */
export const systemProcesses: Processes = new SystemProcesses();

/** `pid (name) state …`: the name may hold anything, parentheses too; the start time is the 22nd field of all. */
function parseStat(text: string): Stat | undefined {
	const pid = Number.parseInt(text, 10);
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	const state = fields[0];
	const start = fields[19];
	if (Number.isNaN(pid) || state === undefined || start === undefined || !/^\d{1,19}$/.test(start)) return undefined;
	return { pid, state, startedAt: BigInt(start).toString(36) };
}

function hashOf(parts: readonly string[]): string {
	const bytes = new TextEncoder().encode(parts.join('\n'));
	return (murmur3Bytes(bytes) >>> 0).toString(16).padStart(8, '0');
}
