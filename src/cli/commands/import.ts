import { basename, resolve } from 'node:path';
import {
	createTable,
	dropTable,
	IcebergError,
	type ImportFormat,
	type ImportSource,
	type InferredSchema,
	isIcebergError,
	loadTable,
	LocalFileIO,
	openImport,
	Schema,
	schemaToJson,
	systemClock,
	type Table,
} from '../../index.ts';
import { programJson } from '../cell-text.ts';
import { formatVersionOf, namesOf, schemaOf } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { flatColumns } from '../flat-columns.ts';
import { counted, grouped, shortNumber, withProgress } from '../progress.ts';
import { writeSmallTable } from '../text-table.ts';
import { type NewTableOptions, tableOptions } from './create.ts';

export interface FileOptions {
	readonly format?: ImportFormat;
	readonly delimiter?: string;
	readonly header?: boolean;
	readonly nullText?: readonly string[];
	readonly jsonMember?: string;
	readonly json?: boolean;
}

export interface ImportOptions extends FileOptions, NewTableOptions {
	readonly required?: string;
	readonly dryRun?: boolean;
}

export async function runImport(
	context: CommandContext,
	file: string,
	location: string,
	options: ImportOptions,
): Promise<void> {
	await using source = await openFile(context, file, options, formatVersionOf(options.formatVersion));
	const existing = await existingTable(location, context.signal);
	if (existing !== undefined) {
		await using table = existing;
		refuseTableOptions(location, options);
		if (options.dryRun === true) await showSchema(context, source.rows, table.schema, undefined, options);
		else await appendSource(context, table, source.rows, options);
		return;
	}
	const inferred = options.schema === undefined ? await source.rows.inferSchema(context) : undefined;
	const schema = withRequired(inferred?.schema ?? schemaOf(options.schema ?? ''), namesOf(options.required));
	if (options.dryRun === true || options.json !== true)
		await showSchema(context, source.rows, schema, inferred, options);
	if (options.dryRun === true) return;
	const table = await createTable(location, schema, { ...tableOptions(options), signal: context.signal });
	let isFilled = false;
	try {
		await appendSource(context, table, source.rows, options);
		isFilled = true;
	} catch (error) {
		// the outcome of the append is not known: what may be there stays
		if (isIcebergError(error, 'COMMIT_STATE_UNKNOWN')) isFilled = true;
		throw error;
	} finally {
		await table.close();
		// nothing was there before, so nothing stays
		if (!isFilled) await dropTable(location);
	}
}

export async function runAppend(
	context: CommandContext,
	location: string,
	file: string | undefined,
	options: FileOptions,
): Promise<void> {
	const fromStdin = file === undefined || file === '-';
	const format = fromStdin ? { format: options.format ?? 'ndjson' } : {};
	await using source = await openFile(context, file ?? '-', { ...options, ...format }, undefined);
	await using table = await loadTable(location, { signal: context.signal });
	await appendSource(context, table, source.rows, options);
}

interface OpenedFile extends AsyncDisposable {
	readonly rows: ImportSource;
}

async function openFile(
	{ terminal }: CommandContext,
	file: string,
	options: FileOptions,
	formatVersion: 1 | 2 | 3 | undefined,
): Promise<OpenedFile> {
	const settings = {
		...(options.format === undefined ? {} : { format: options.format }),
		...(options.delimiter === undefined ? {} : { delimiter: options.delimiter === '\\t' ? '\t' : options.delimiter }),
		...(options.header === undefined ? {} : { header: options.header }),
		...(options.nullText === undefined ? {} : { nullTexts: options.nullText }),
		...(options.jsonMember === undefined ? {} : { jsonMember: options.jsonMember }),
		...(formatVersion === undefined ? {} : { formatVersion }),
	};
	if (file === '-') {
		if (options.format === undefined) {
			throw new IcebergError(
				'INVALID_ARGUMENT',
				'say the format of what comes from stdin: --format csv, ndjson, json, parquet or arrow',
			);
		}
		if (terminal.stdinIsTerminal) await terminal.stderr.write('reading rows from the keyboard; end with Ctrl-D\n');
		const rows = await openImport(terminal.stdin, { ...settings, name: 'stdin' });
		return { rows, [Symbol.asyncDispose]: async () => undefined };
	}
	const io = new LocalFileIO();
	const input = io.input(resolve(file));
	try {
		const rows = await openImport(input, { ...settings, name: basename(file) });
		return { rows, [Symbol.asyncDispose]: () => io.close() };
	} catch (error) {
		await io.close();
		throw error;
	}
}

async function existingTable(location: string, signal: AbortSignal): Promise<Table | undefined> {
	try {
		return await loadTable(location, { signal });
	} catch (error) {
		if (isIcebergError(error, 'NOT_FOUND', 'NOT_A_TABLE')) return undefined;
		throw error;
	}
}

function refuseTableOptions(location: string, options: ImportOptions): void {
	const given = (['schema', 'partitionBy', 'sortBy', 'required', 'property', 'formatVersion'] as const).filter(
		(option) => options[option] !== undefined,
	);
	if (given.length === 0) return;
	const names = given.map((name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
	throw new IcebergError(
		'ALREADY_EXISTS',
		`${location} is a table already: ${names.join(', ')} can be given only for a new one`,
	);
}

function withRequired(schema: Schema, names: readonly string[]): Schema {
	for (const name of names) {
		if (!schema.fields.some((field) => field.name === name))
			throw new IcebergError('INVALID_ARGUMENT', `--required: there is no column '${name}'`);
	}
	const fields = schema.fields.map((field) => (names.includes(field.name) ? { ...field, required: true } : field));
	return new Schema({ fields });
}

async function appendSource(
	{ terminal, signal }: CommandContext,
	table: Table,
	source: ImportSource,
	options: { readonly json?: boolean },
): Promise<void> {
	const startedMs = systemClock.monotonicMs();
	const result = await withProgress(terminal, source, () => table.append(source, { signal }));
	const elapsedMs = systemClock.monotonicMs() - startedMs;
	if (options.json === true) {
		await terminal.stdout.write(
			programJson({
				location: table.location,
				committed: result.committed,
				rowCount: result.rowCount,
				snapshotId: result.snapshot?.snapshotId ?? null,
				elapsedMs: Math.round(elapsedMs),
			}),
		);
	} else if (!result.committed) await terminal.stdout.write(`${source.name} holds no rows: nothing to do\n`);
	else {
		const rate = shortNumber((result.rowCount * 1000) / Math.max(1, elapsedMs));
		const rows = counted(result.rowCount, 'row');
		await terminal.stdout.write(
			`${rows} from ${source.name} into ${table.location} in ${(elapsedMs / 1000).toFixed(1)} s (${rate} rows/s), snapshot ${result.snapshot?.snapshotId}\n`,
		);
	}
}

/** What the columns are, and from how many rows that is known. */
async function showSchema(
	{ terminal }: CommandContext,
	source: ImportSource,
	schema: Schema,
	inferred: InferredSchema | undefined,
	options: ImportOptions,
): Promise<void> {
	if (options.json === true) {
		await terminal.stdout.write(
			programJson({
				format: source.format,
				rowCount: inferred?.rowCount ?? null,
				complete: inferred?.complete ?? null,
				schema: schemaToJson(schema),
			}),
		);
		return;
	}
	const output = options.dryRun === true ? terminal.stdout : terminal.stderr;
	const looked =
		inferred?.rowCount === undefined
			? ''
			: ` inferred from ${inferred.complete ? '' : 'the first '}${counted(inferred.rowCount, 'row')}`;
	await output.write(`${counted(schema.fields.length, 'column')} of ${source.name} (${source.format})${looked}:\n`);
	const nulls = new Map(inferred?.columns.map(({ name, nullCount }) => [name, nullsText(nullCount)]));
	const rows = flatColumns(schema.fields).map(({ name, type, required }) => [
		name,
		type,
		required,
		nulls.get(name) ?? '',
	]);
	await writeSmallTable(output, ['column', 'type', 'null?', 'nulls seen'], rows);
	await output.write('\n');
}

function nullsText(count: number | undefined): string {
	if (count === undefined) return '';
	return count === 0 ? 'none' : grouped(count);
}
