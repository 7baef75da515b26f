/** The command line: its commands and their options. What they do is loaded when they run. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { EXIT, EXIT_CODES_HELP, errorText, exitCodeOf } from './exit-code.ts';
import { addMaintenanceCommands } from './maintenance-commands.ts';
import { addStressCommands } from './stress-commands.ts';
import { OutputClosed, type Terminal } from './terminal.ts';

/** What a command gets beside its arguments and options. */
export interface CommandContext {
	readonly terminal: Terminal;
	/** aborted when the user interrupts */
	readonly signal: AbortSignal;
}

/** A command. @returns its exit code; default 0 */
// oxlint-disable-next-line typescript/no-explicit-any -- each command names its own options
type Run = (context: CommandContext, ...args: any[]) => Promise<number | void>;

/** Runs one command line, without the name of the program. Never throws. @returns the exit code */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
	const interrupted = new AbortController();
	let interrupts = 0;
	const stopListening = terminal.onInterrupt(() => {
		// a second time: at once. Nothing is half committed even then
		if (++interrupts > 1) process.exit(EXIT.interrupted);
		interrupted.abort(new Error('interrupted'));
	});
	let code: number = EXIT.ok;
	try {
		let written = Promise.resolve();
		const program = buildProgram({
			write: (text) => {
				written = written.then(() => terminal.stdout.write(text));
			},
			writeError: (text) => {
				written = written.then(() => terminal.stderr.write(text));
			},
			run: async (load, rest) => {
				const run = await load();
				code = (await run({ terminal, signal: interrupted.signal }, ...rest)) ?? EXIT.ok;
			},
		});
		try {
			await program.parseAsync([...args], { from: 'user' });
		} catch (error) {
			if (!(error instanceof CommanderError)) throw error;
			code = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
		}
		await written;
		await terminal.stdout.flush();
	} catch (error) {
		if (error instanceof OutputClosed) return code;
		await terminal.stdout.flush().catch(() => undefined);
		await terminal.stderr.write(errorText(error, terminal.env));
		code = interrupted.signal.aborted ? EXIT.interrupted : exitCodeOf(error);
	} finally {
		stopListening();
	}
	return code;
}

interface ProgramPorts {
	write(text: string): void;
	writeError(text: string): void;
	run(load: () => Promise<Run>, rest: unknown[]): Promise<void>;
}

function buildProgram(ports: ProgramPorts): Command {
	const program = new Command('datashard');
	const action = (load: () => Promise<Run>) => {
		return async (...all: unknown[]): Promise<void> => {
			// commander passes the arguments, the options and the command
			await ports.run(load, all.slice(0, -1));
		};
	};
	program
		.description('ACID tables on plain files: each table is a folder that any Apache Iceberg engine reads and writes.')
		.helpCommand('help [command]', 'show help')
		.showHelpAfterError('(add --help for the options)')
		.configureOutput({ writeOut: ports.write, writeErr: ports.writeError })
		.exitOverride()
		.version(packageVersion(), '-V, --version')
		.addHelpText('after', `${PROGRAM_EXAMPLES}\n\n${EXIT_CODES_HELP}`);

	program
		.command('create <table>')
		.description('make an empty table in a folder')
		.requiredOption('-s, --schema <schema>', 'columns as text, or a file with text or Iceberg JSON')
		.option('-p, --partition-by <fields>', "such as 'day(started_at), bucket(16, id), region'")
		.option('--sort-by <fields>', "order of rows in files, such as 'started_at desc'")
		.option('--property <key=value>', 'a table property; may be given several times', gather)
		.option('--format-version <number>', '2 (default) or 3')
		.option('--json', 'print the result as JSON')
		.addHelpText('after', CREATE_EXAMPLES)
		.action(action(async () => (await import('./commands/create.ts')).runCreate));

	fileOptions(
		program
			.command('import <file> <table>')
			.description('put the rows of a file into a table, which is made when it is not there')
			.option('-s, --schema <schema>', 'columns of a new table; default: inferred from the data')
			.option('-p, --partition-by <fields>', "of a new table, such as 'month(date), carrier'")
			.option('--sort-by <fields>', "of a new table, such as 'date'")
			.option('--required <columns>', 'columns of a new table in which nulls are refused')
			.option('--property <key=value>', 'of a new table; may be given several times', gather)
			.option('--format-version <number>', 'of a new table: 2 (default) or 3')
			.option('--dry-run', 'only show the schema that would be used'),
	)
		.addHelpText('after', IMPORT_EXAMPLES)
		.action(action(async () => (await import('./commands/import.ts')).runImport));

	fileOptions(
		program.command('append <table> [file]').description('append the rows of a file, or of stdin (NDJSON), to a table'),
	)
		.addHelpText('after', APPEND_EXAMPLES)
		.action(action(async () => (await import('./commands/import.ts')).runAppend));

	stateOptions(program.command('scan <table>').description('print rows; <table> may also be a metadata file'))
		.option('-w, --where <predicate>', 'such as "status = \'failed\' and duration_ms > 1000"')
		.option('-c, --select <columns>', 'columns, apart by commas; default: all')
		.option('-n, --limit <rows>', 'most rows')
		.addOption(
			new Option('-f, --format <format>', 'output').choices(['table', 'json', 'ndjson', 'csv']).default('table'),
		)
		.option('--json', 'the same as --format json')
		.addHelpText('after', SCAN_EXAMPLES)
		.action(action(async () => (await import('./commands/scan.ts')).runScan));

	stateOptions(program.command('count <table>').description('count rows'))
		.option('-w, --where <predicate>', 'count only rows that match')
		.option('--json', 'print JSON')
		.action(action(async () => (await import('./commands/scan.ts')).runCount));

	program
		.command('tail <table>')
		.description('print the last rows, and with --follow those that come')
		.option('-f, --follow', 'go on with rows as they are appended, until interrupted')
		.option('-n, --rows <rows>', 'rows to begin with; default: 10')
		.option('--from <start>', "instead: 'start', 'now', a snapshot's id, or a position (seq:…)")
		.option('-w, --where <predicate>', 'only rows that match')
		.option('-c, --select <columns>', 'columns, apart by commas; default: all')
		.addOption(
			new Option('--format <format>', 'output; default: table, with --follow ndjson').choices([
				'table',
				'json',
				'ndjson',
				'csv',
			]),
		)
		.option('--json', 'the same as --format json')
		.option('--positions', 'tell the position after each batch of rows, on stderr')
		.option('--skip-changes', 'go past snapshots that changed or removed rows; default: end there')
		.addHelpText('after', TAIL_EXAMPLES)
		.action(action(async () => (await import('./commands/tail.ts')).runTail));

	program
		.command('schema <table>')
		.description('show columns, partitioning and sort order')
		.option('--json', "print Iceberg's JSON of the schema")
		.action(action(async () => (await import('./commands/inspect.ts')).runSchema));

	program
		.command('snapshots <table>')
		.description('list the states that can be read')
		.option('--json', 'print JSON')
		.action(action(async () => (await import('./commands/inspect.ts')).runSnapshots));

	stateOptions(program.command('files <table>').description('list the data files of a state'))
		.option('--json', 'print JSON')
		.action(action(async () => (await import('./commands/inspect.ts')).runFiles));

	program
		.command('info <table>')
		.description('show what a table is: place, rows, size, properties')
		.option('--json', 'print JSON')
		.action(action(async () => (await import('./commands/inspect.ts')).runInfo));

	stateOptions(
		program
			.command('verify <table>')
			.description('open every file of a state: existence, lengths, counts, checksums; exit code 1 for damage'),
	)
		.option('--deep', 'read every row too, and hold it against the statistics that readers trust')
		.option('--json', 'print JSON')
		.action(action(async () => (await import('./commands/verify.ts')).runVerify));

	program
		.command('drop <table>')
		.description("delete a table's files; other files in its folder stay")
		.option('--yes', 'really do it')
		.option('--json', 'print JSON')
		.action(action(async () => (await import('./commands/create.ts')).runDrop));

	addMaintenanceCommands(program, action);
	addStressCommands(program, action);

	for (const command of program.commands) command.exitOverride().showHelpAfterError('(add --help for the options)');
	return program;
}

function packageVersion(): string {
	const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
	return (JSON.parse(text) as { version: string }).version;
}

function gather(value: string, before: readonly string[] | undefined): string[] {
	return [...(before ?? []), value];
}

function stateOptions(command: Command): Command {
	return command
		.option('--snapshot <id>', 'the state of a snapshot')
		.option('--as-of <time>', 'the state at a time: 2024-02-29, 2024-02-29T12:00:00Z or milliseconds since 1970')
		.option('--ref <name>', 'the state of a branch or tag');
}

function fileOptions(command: Command): Command {
	return command
		.addOption(
			new Option('-f, --format <format>', "of the file; default: by its name's ending").choices([
				'csv',
				'ndjson',
				'json',
				'parquet',
				'arrow',
			]),
		)
		.option('--delimiter <character>', 'CSV: between cells; default: as the first lines suggest')
		.option('--no-header', 'CSV: the first row is no header; columns are column_1, column_2, …')
		.option('--null-text <text>', 'CSV: a text that stands for null, such as NA; may be given several times', gather)
		.option('--json-member <name>', 'JSON: the member of the document that holds the rows')
		.option('--json', 'print the result as JSON');
}

const PROGRAM_EXAMPLES = `
Examples:
  $ datashard import flights.parquet ./flights --partition-by 'month(date)'
  $ datashard scan ./flights --where "origin = 'LAX' and delay > 60" --limit 5
  $ datashard snapshots ./flights
  $ datashard verify ./flights --deep`;

const CREATE_EXAMPLES = `
Examples:
  $ datashard create ./runs --schema 'run_id long required, status string, started_at timestamptz required' \\
      --partition-by 'day(started_at)'
  $ datashard create ./events --schema events.schema.json --sort-by 'at desc' --property write.parquet.compression-codec=zstd

Types: boolean, int, long, float, double, decimal(p, s), date, time, timestamp, timestamptz, string, uuid, fixed(n),
binary, struct<name: type, ...>, list<type>, map<type, type>; in format version 3 also timestamp_ns, timestamptz_ns,
variant, geometry, geography, unknown. A name with other characters stands in double quotes.`;

const IMPORT_EXAMPLES = `
Examples:
  $ datashard import birdstrikes.csv ./birdstrikes
  $ datashard import movies.json ./movies --dry-run
  $ datashard import flights.parquet ./flights --partition-by 'month(date)' --sort-by date
  $ zcat log.ndjson.gz | datashard import - ./log --format ndjson

Text is looked at whole to infer the schema (a stream: its first 8 MB). Nothing is rounded: a column that holds numbers
which no long or double keeps exactly becomes text. Files may be compressed by gzip.`;

const APPEND_EXAMPLES = `
Examples:
  $ echo '{"run_id": 1, "status": "ok", "started_at": "2024-02-29T12:00:00Z"}' | datashard append ./runs
  $ datashard append ./runs more-runs.csv

All rows become visible at once, or none: the first that does not fit refuses all.`;

const TAIL_EXAMPLES = `
Examples:
  $ datashard tail ./runs -n 20
  $ datashard tail ./runs --follow --where "status = 'failed'"
  $ datashard tail ./runs --from seq:1200:8000 --format csv >> runs.csv

Rows come in the order of their commits, each once. The position at the end, on stderr, is where --from goes on: also when
snapshots have been expired and files compacted since.`;

const SCAN_EXAMPLES = `
Examples:
  $ datashard scan ./runs --where "status = 'failed' and duration_ms > 1000" --select run_id,started_at
  $ datashard scan ./runs --as-of 2024-02-29T12:00:00Z --format ndjson
  $ datashard scan ./runs/metadata/v3.metadata.json --format csv > runs.csv

Predicates: = != < <= > >=, in (…), not in (…), is null, is not null, is nan, like 'abc%', between … and …, and, or, not,
parentheses; nested columns as a.b.`;
