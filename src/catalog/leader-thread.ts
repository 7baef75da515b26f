/** The program of the thread that leads: it folds journals into a table, away from the thread that makes the rows. */
import { parentPort, workerData } from 'node:worker_threads';
import { commitIntervalOf, companionsOf } from '../ingest/journaling.ts';
import { Leader } from '../ingest/leader.ts';
import { abstractSocketLink } from '../ingest/socket-link.ts';
import { LocalJournalStore } from '../io/local-journal-store.ts';
import { localPathOf } from '../io/location.ts';
import { LazyMaintenance } from '../maintenance/lazy-maintenance.ts';
import { CommitMutex } from '../util/commit-mutex.ts';
import { systemProcesses } from '../util/system-processes.ts';
import { systemClock, systemRandom } from '../util/system-ports.ts';
import { openFolderTable } from './folder-table.ts';

export interface LeaderThreadData {
	/** of the table */
	readonly folder: string;
	readonly tableUuid: string;
	readonly generation: number;
}

/** Leads until nobody follows any more; then the thread ends. */
export async function leadOnThread({ folder, tableUuid, generation }: LeaderThreadData): Promise<void> {
	const port = parentPort;
	const link = abstractSocketLink(localPathOf(folder), tableUuid);
	if (port === null || link === undefined) return;
	const { committer, loaded, io } = await openFolderTable(folder);
	let newest = loaded;
	const ports = { clock: systemClock, random: systemRandom, processes: systemProcesses };
	const maintenance = new LazyMaintenance({ committer, location: folder, ...ports });
	const mutex = CommitMutex.of(committer);
	const leader = new Leader({
		committer,
		...ports,
		journals: new LocalJournalStore(folder),
		tableUuid,
		mark: { namespace: link.namespace, generation },
		adopts: true,
		commitIntervalMs: () => commitIntervalOf(newest.metadata),
		companions: ({ metadata }) => companionsOf(metadata.properties),
		exclusively: (work) => mutex.run(work),
		onFold: (folded, added, rows) => {
			newest = folded;
			maintenance.noteCommit(folded, { added, ...(rows === undefined ? {} : { rows }) });
		},
	});
	const server = await link.listen(generation, (connection) => leader.accept(connection));
	if (server === undefined) return;
	port.on('message', () => leader.stop());
	port.postMessage('listening');
	try {
		await leader.run();
	} finally {
		await server.close();
		await maintenance.close();
		await io.close();
		port.close();
	}
}

if (parentPort !== null) void leadOnThread(workerData as LeaderThreadData);
