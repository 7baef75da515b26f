import { loadTable, type Table, type TableScan } from '../../index.ts';
import { csvLine, programJson } from '../cell-text.ts';
import { countOf, namesOf, selectorOf, type StateOptions } from '../options.ts';
import type { CommandContext } from '../program.ts';
import type { TextOutput } from '../terminal.ts';
import { writeTable } from '../text-table.ts';

interface ScanCommandOptions extends StateOptions {
	readonly where?: string;
	readonly select?: string;
	readonly limit?: string;
	readonly format: 'table' | 'json' | 'ndjson' | 'csv';
	readonly json?: boolean;
}

/** Rows that a table on a terminal shows when no limit is given. */
const TERMINAL_ROW_LIMIT = 200;

export async function runScan(
	{ terminal, signal }: CommandContext,
	location: string,
	options: ScanCommandOptions,
): Promise<void> {
	const format = options.json === true ? 'json' : options.format;
	const given = countOf('--limit', options.limit);
	const isCut = format === 'table' && terminal.stdout.isTerminal && given === undefined;
	const limit = isCut ? TERMINAL_ROW_LIMIT + 1 : given;
	await using table = await loadTable(location, { signal });
	const scan = table.scan({
		...selectorOf(options),
		...(options.where === undefined ? {} : { where: options.where }),
		...(options.select === undefined ? {} : { select: namesOf(options.select) }),
		...(limit === undefined ? {} : { limit }),
		signal,
	}) as TableScan;
	const output = terminal.stdout;
	if (format === 'ndjson') await writeNdjson(output, scan);
	else if (format === 'json') await writeJson(output, scan);
	else if (format === 'csv') await writeCsv(output, scan);
	else {
		const names = await columnNames(scan);
		const count = await writeTable(output, names, valueRows(scan, names, isCut ? TERMINAL_ROW_LIMIT : Infinity));
		// the note stands behind the table also where both go to one place
		await output.flush();
		const more = isCut && count >= TERMINAL_ROW_LIMIT ? `the first ${count} rows; --limit asks for more` : '';
		await terminal.stderr.write(more !== '' ? `(${more})\n` : `(${count} row${count === 1 ? '' : 's'})\n`);
	}
}

async function columnNames(scan: TableScan): Promise<string[]> {
	return (await scan.fields()).map((field) => field.name);
}

async function* valueRows(
	scan: TableScan,
	names: readonly string[],
	limit: number,
): AsyncGenerator<(readonly unknown[])[]> {
	let left = limit;
	for await (const chunk of scan.rowChunks()) {
		const rows = chunk.slice(0, left);
		left -= rows.length;
		yield rows.map((row) => names.map((name) => (row as Record<string, unknown>)[name]));
		if (left <= 0) return;
	}
}

async function writeNdjson(output: TextOutput, scan: TableScan): Promise<void> {
	for await (const lines of scan.jsonLines()) if (lines.length > 0) await output.write(`${lines.join('\n')}\n`);
}

async function writeJson(output: TextOutput, scan: TableScan): Promise<void> {
	let isFirst = true;
	for await (const lines of scan.jsonLines()) {
		if (lines.length === 0) continue;
		await output.write(`${isFirst ? '[\n' : ',\n'}${lines.join(',\n')}`);
		isFirst = false;
	}
	await output.write(isFirst ? '[]\n' : '\n]\n');
}

async function writeCsv(output: TextOutput, scan: TableScan): Promise<void> {
	const names = await columnNames(scan);
	await output.write(csvLine(names));
	for await (const rows of valueRows(scan, names, Infinity)) await output.write(rows.map(csvLine).join(''));
}

export async function runCount(
	{ terminal, signal }: CommandContext,
	location: string,
	options: StateOptions & { readonly where?: string; readonly json?: boolean },
): Promise<void> {
	await using table: Table = await loadTable(location, { signal });
	const rowCount = await table
		.scan({ ...selectorOf(options), ...(options.where === undefined ? {} : { where: options.where }), signal })
		.count();
	await terminal.stdout.write(options.json === true ? programJson({ rowCount }) : `${rowCount}\n`);
}
