import {
	type FollowBatch,
	type FollowOptions,
	type FollowPosition,
	IcebergError,
	loadTable,
	type Table,
} from '../../index.ts';
import { csvLine } from '../cell-text.ts';
import { countOf, namesOf } from '../options.ts';
import type { CommandContext } from '../program.ts';
import type { TextOutput } from '../terminal.ts';
import { writeTable } from '../text-table.ts';

interface TailOptions {
	readonly follow?: boolean;
	readonly rows?: string;
	readonly from?: string;
	readonly where?: string;
	readonly select?: string;
	readonly format?: 'table' | 'json' | 'ndjson' | 'csv';
	readonly json?: boolean;
	readonly positions?: boolean;
	readonly skipChanges?: boolean;
}

const DEFAULT_ROWS = 10;

type Start = NonNullable<FollowOptions['from']>;
type Batches = AsyncIterable<FollowBatch>;

/** Prints the last rows, or those after a position; and with `--follow` those that come. An interrupt ends it then. */
export async function runTail(
	{ terminal, signal }: CommandContext,
	location: string,
	options: TailOptions,
): Promise<void> {
	const format = options.json === true ? 'json' : (options.format ?? (options.follow === true ? 'ndjson' : 'table'));
	const from = startOf(options);
	await using table = (await loadTable(location, { signal })) as Table;
	const names = options.select === undefined ? undefined : namesOf(options.select);
	// Lines of cells keep the columns that they begin with.
	const columns = names ?? table.schema.fields.map(({ name }) => name);
	const isCells = format === 'table' || format === 'csv';
	const select = isCells ? columns : names;
	const follow = table.follow({
		from,
		signal,
		...(options.follow === true ? {} : { until: 'now' }),
		...(options.where === undefined ? {} : { where: options.where }),
		...(select === undefined ? {} : { select }),
		...(options.skipChanges === true ? { onChange: 'skip' } : {}),
	} as FollowOptions);
	let rowCount = 0;
	const batches = async function* (): Batches {
		for await (const batch of untilInterrupted(follow.batches(), options.follow === true ? signal : undefined)) {
			yield batch;
			rowCount += batch.columns.length;
			await terminal.stdout.flush();
			if (options.positions === true) await terminal.stderr.write(`(position ${positionText(batch.position)})\n`);
		}
	};
	await write(terminal.stdout, format, columns, batches());
	await terminal.stdout.flush();
	const { position } = follow;
	const goOn = position === undefined ? '' : `; go on with --from ${positionText(position)}`;
	await terminal.stderr.write(`(${rowCount} row${rowCount === 1 ? '' : 's'}${goOn})\n`);
}

/** An interrupt is how a follow ends. */
async function* untilInterrupted(batches: Batches, signal: AbortSignal | undefined): Batches {
	try {
		yield* batches;
	} catch (error) {
		if (signal?.aborted !== true || !(error instanceof IcebergError) || error.code !== 'ABORTED') throw error;
	}
}

async function write(
	output: TextOutput,
	format: 'table' | 'json' | 'ndjson' | 'csv',
	columns: readonly string[],
	batches: Batches,
): Promise<void> {
	const cells = (batch: FollowBatch): unknown[][] =>
		batch.rows.map((row) => columns.map((name) => (row as Record<string, unknown>)[name]));
	switch (format) {
		case 'ndjson':
			for await (const batch of batches) await output.write(`${batch.jsonLines().join('\n')}\n`);
			return;
		case 'csv':
			await output.write(csvLine(columns));
			for await (const batch of batches) await output.write(cells(batch).map(csvLine).join(''));
			return;
		case 'json': {
			let separator = '[\n';
			for await (const batch of batches) {
				await output.write(`${separator}${batch.jsonLines().join(',\n')}`);
				separator = ',\n';
			}
			await output.write(separator === '[\n' ? '[]\n' : '\n]\n');
			return;
		}
		case 'table': {
			const rows = async function* (): AsyncGenerator<unknown[][]> {
				for await (const batch of batches) yield cells(batch);
			};
			await writeTable(output, columns, rows(), { isLive: true });
		}
	}
}

function startOf(options: TailOptions): Start {
	const rows = countOf('--rows', options.rows);
	const { from } = options;
	if (from === undefined) return { lastRows: rows ?? DEFAULT_ROWS };
	if (rows !== undefined) throw new IcebergError('INVALID_ARGUMENT', 'give --rows or --from, not both');
	if (from === 'start' || from === 'now') return from;
	if (/^\d{1,19}$/.test(from)) return { snapshotId: from };
	const [, sequenceNumber, totalRecords, snapshotId] =
		/^seq:(\d{1,19})(?::(\d{0,19}))?(?::(\d{1,19}))?$/.exec(from) ?? [];
	if (sequenceNumber === undefined) {
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`--from is 'start', 'now', a snapshot's id, or a position as the command tells it (seq:12:3400:…), not '${from}'`,
		);
	}
	return {
		sequenceNumber,
		...(totalRecords === undefined || totalRecords === '' ? {} : { totalRecords }),
		...(snapshotId === undefined ? {} : { snapshotId }),
	};
}

/** A position as `--from` takes it. */
function positionText({ sequenceNumber, totalRecords, snapshotId }: FollowPosition): string {
	const total = totalRecords ?? '';
	if (snapshotId !== undefined) return `seq:${sequenceNumber}:${total}:${snapshotId}`;
	return totalRecords === undefined ? `seq:${sequenceNumber}` : `seq:${sequenceNumber}:${total}`;
}
