/** Journals and leaders of folder tables on this computer. Loaded when an append needs them first. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { AppendHost } from '../ingest/append-host.ts';
import { Journaling } from '../ingest/journaling.ts';
import { errorFromText } from '../ingest/link-messages.ts';
import type { LeaderThread } from '../ingest/leader-host.ts';
import { abstractSocketLink } from '../ingest/socket-link.ts';
import { LocalJournalStore } from '../io/local-journal-store.ts';
import { localPathOf } from '../io/location.ts';
import { systemClock, systemRandom } from '../util/system-ports.ts';
import { systemProcesses } from '../util/system-processes.ts';
import type { OpenedTable } from './folder-table.ts';
import type { LeaderThreadData } from './leader-thread.ts';

/** Warnings that are remembered, not to be repeated. */
const MAX_WARNINGS = 1000;

/** @param folder of the table, on a local file system */
export function openJournaling(host: AppendHost, folder: string): Journaling {
	const tableUuid = host.loaded().metadata.tableUuid ?? '';
	return new Journaling(host, {
		journals: new LocalJournalStore(folder),
		processes: systemProcesses,
		link: abstractSocketLink(localPathOf(folder), tableUuid),
		startThread: (generation) =>
			startThread({ folder, tableUuid, generation, maintains: host.maintenance !== undefined }),
		onTrouble: warn,
	});
}

/**
 * Appends the rows that processes have left in journals that are gone. What prevents it is told as a warning: the rows stay where
 * they are.
 * @returns the newest state
 */
export async function takeInLeftJournals(opened: OpenedTable, folder: string): Promise<OpenedTable> {
	let { loaded } = opened;
	const host: AppendHost = {
		committer: opened.committer,
		clock: systemClock,
		random: systemRandom,
		loaded: () => loaded,
		advance: (newer) => {
			loaded = newer;
		},
	};
	try {
		await openJournaling(host, folder).takeInLeft();
	} catch (error) {
		warn(error);
	}
	return { ...opened, loaded };
}

const warned = new Set<string>();

/** What nobody waits for is told as a warning of the process, once. */
function warn(error: unknown): void {
	const { message, code = 'STORAGE' } = error as { message: string; code?: string };
	if (warned.has(message)) return;
	if (warned.size < MAX_WARNINGS) warned.add(message);
	process.emitWarning(message, { type: 'DatashardWarning', code });
}

/** The thread's program stands beside the package's others, or one level above this one. */
function threadFile(): string | undefined {
	return ['./leader-thread.js', '../leader-thread.js']
		.map((path) => fileURLToPath(new URL(path, import.meta.url)))
		.find((path) => existsSync(path));
}

/** `undefined` where the sources run without having been built: the leader stays on the thread it began on. */
function startThread(data: LeaderThreadData): LeaderThread | undefined {
	const file = threadFile();
	if (file === undefined) return undefined;
	const worker = new Worker(file, { workerData: data, stdout: false, stderr: false });
	worker.unref();
	// A thread that fails leaves its followers to find another leader.
	worker.on('error', warn);
	const listening = new Promise<boolean>((resolve) => {
		worker.on('message', (message: 'listening' | { readonly trouble: string }) => {
			if (message === 'listening') resolve(true);
			else warn(errorFromText(message.trouble));
		});
		worker.once('exit', () => resolve(false));
		worker.once('error', () => resolve(false));
	});
	const ended = new Promise<void>((resolve) => void worker.once('exit', () => resolve()));
	const stop = (): Promise<void> => {
		worker.ref();
		worker.postMessage('stop');
		return ended;
	};
	return { listening, stop };
}
