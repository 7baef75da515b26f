/**
 * Workflow execution logging: workers append what they did, all or nothing; a report reads while they write. Start it as
 * often as you like, also at the same time: every process appends to the same table.
 */
import { createTable, IcebergError, loadTable, long, map, schema, string, type Table, timestamptz } from 'datashard';

const runs = schema({
	run_id: string().required(),
	workflow: string().required(),
	status: string().required(),
	started_at: timestamptz().required(),
	duration_ms: long(),
	error: string(),
	labels: map(string(), string()),
});

/** Opens the log, or makes it: whoever comes first. */
async function openLog(location: string): Promise<Table> {
	try {
		const made = await createTable(location, runs, { partitionBy: ['day(started_at)', 'workflow'] });
		await made.close();
	} catch (error) {
		if (!(error instanceof IcebergError && error.code === 'ALREADY_EXISTS')) throw error;
	}
	return loadTable(location);
}

const log = await openLog('./workflow-log');

/** Runs a piece of work and logs how it went. Resolves when the entry is durable and visible to every reader. */
async function logged(workflow: string, work: () => Promise<void>): Promise<void> {
	const startedAt = new Date();
	const error = await work().then(
		() => null,
		(reason: unknown) => String(reason),
	);
	await log.append([
		{
			run_id: crypto.randomUUID(),
			workflow,
			status: error === null ? 'ok' : 'failed',
			started_at: startedAt,
			duration_ms: BigInt(Date.now() - startedAt.getTime()),
			error,
			labels: new Map([['process', String(process.pid)]]),
		},
	]);
}

await logged('nightly-export', async () => {});
await logged('nightly-export', async () => {
	throw new Error('the target is full');
});

for await (const run of log.scan({ where: "status = 'failed'", select: ['workflow', 'started_at', 'error'] }))
	console.log(run);

await log.close();
