/** The program of the thread that leads: it folds journals into a table, away from the thread that makes the rows. */
import { parentPort, workerData } from 'node:worker_threads';
import { commitIntervalOf, companionsOf } from '../ingest/journaling.ts';
import { errorToText } from '../ingest/link-messages.ts';
import { SelfMaintenance } from '../maintenance/self-maintenance.ts';
import { CommitMutex } from '../util/commit-mutex.ts';
import { Leader } from '../ingest/leader.ts';
import { abstractSocketLink } from '../ingest/socket-link.ts';
import { LocalJournalStore } from '../io/local-journal-store.ts';
import { baseName, localPathOf } from '../io/location.ts';
import { systemProcesses } from '../util/system-processes.ts';
import { systemClock, systemRandom } from '../util/system-ports.ts';
import { openFolderTable } from './folder-table.ts';
import { ForeignCommits } from './foreign-commits.ts';
import { versionOf } from './metadata-file.ts';

export interface LeaderThreadData {
	/** of the table */
	readonly folder: string;
	readonly tableUuid: string;
	readonly generation: number;
	/** whether it looks after the table as well */
	readonly maintains: boolean;
}

/** Leads until nobody follows any more; then the thread ends. */
export async function leadOnThread({ folder, tableUuid, generation, maintains }: LeaderThreadData): Promise<void> {
	const port = parentPort;
	const link = abstractSocketLink(localPathOf(folder), tableUuid);
	if (port === null || link === undefined) return;
	const { committer, loaded, io } = await openFolderTable(folder, { local: { makesFilesAhead: true } });
	let newest = loaded;
	const onTrouble = (error: unknown): void => port.postMessage({ trouble: errorToText(error) });
	const ports = { committer, clock: systemClock, random: systemRandom, processes: systemProcesses };
	const maintenance = maintains ? new SelfMaintenance({ ...ports, location: folder, onError: onTrouble }) : undefined;
	const foreign = new ForeignCommits(io, folder, systemClock, () => versionOf(baseName(newest.metadataLocation)) ?? 0);
	const leader = new Leader({
		...ports,
		journals: new LocalJournalStore(folder),
		tableUuid,
		mark: { namespace: link.namespace, generation },
		adopts: true,
		commitIntervalMs: () => commitIntervalOf(newest.metadata),
		companions: companionsOf,
		exclusively: (work) => CommitMutex.of(committer).run(work),
		onFold: (folded, added, rows) => {
			newest = folded;
			maintenance?.noteCommit(folded, { added, ...(rows === undefined ? {} : { rows }) });
		},
		// What waits for its grace to end would have to be found anew.
		isBusy: () => (maintenance?.garbageBytes ?? 0) > 0,
		gapMs: () => foreign.waitMs(),
		onTrouble,
	});
	const server = await link.listen(generation, (connection) => leader.accept(connection));
	if (server === undefined) return;
	port.on('message', () => leader.stop());
	port.postMessage('listening');
	maintenance?.noteCommit(loaded, { lookNow: true });
	maintenance?.start();
	foreign.start();
	try {
		await leader.run();
	} finally {
		foreign.stop();
		await maintenance?.stop();
		await Promise.all([maintenance?.close(), committer.tidy?.()]);
		void server.close();
		await io.close();
		// Connections that nobody has closed would keep the thread alive.
		process.exit();
	}
}

if (parentPort !== null) void leadOnThread(workerData as LeaderThreadData);
