/** The stress test's commands: the one that people run, and the one that it runs itself. */
import { type Command, Option } from 'commander';

// oxlint-disable-next-line typescript/no-explicit-any -- each command names its own context and options
type Run = (...args: any[]) => Promise<number | void>;

/** @param action makes a command's action of what loads it */
export function addStressCommands(
	program: Command,
	action: (load: () => Promise<Run>) => (...all: unknown[]) => Promise<void>,
): void {
	program
		.command('stress')
		.description(
			'let many processes append one record at a time to a new table, then check every row; exit code 1 for loss',
		)
		.option('-p, --processes <number>', 'default: 12')
		.option('-n, --operations <number>', 'appends of one record by each process; default: 10000')
		.option('--duration <duration>', 'stop after this time, such as 30s; without --operations that is the only end')
		.option('--in-flight <number>', 'appends that each process has under way at once; default: 1')
		.addOption(
			new Option('--until <state>', 'what an append waits for: in a snapshot, or durable in the journal')
				.choices(['committed', 'journaled'])
				.default('committed'),
		)
		.option('--warm-up <number>', 'appends of each process that are checked, but not measured; default: 0')
		.option('--location <folder>', 'of the table, which must not be there yet; default: a temporary one')
		.option(
			'--property <key=value>',
			'a table property; may be given several times',
			(pair: string, all: string[] = []) => [...all, pair],
		)
		.option('--keep', 'leave the table; one that is not as it must be is always left')
		.addOption(
			new Option('--compare <with>', 'the same with JSON files that are read and rewritten, for 3 seconds')
				.choices(['plain-files', 'none'])
				.default('plain-files'),
		)
		.option('--cpu-prof <folder>', 'write profiles of the processor time of each process')
		.option('--json', 'print JSON')
		.addHelpText('after', STRESS_EXAMPLES)
		.action(action(async () => (await import('./commands/stress.ts')).runStressCommand));
	program
		.command('stress-writer <settings>', { hidden: true })
		.action(action(async () => (await import('./commands/stress-writer.ts')).runStressWriterCommand));
}

const STRESS_EXAMPLES = `
Examples:
  $ datashard stress
  $ datashard stress --processes 4 --operations 1000 --location /mnt/share/stress
  $ datashard stress --until journaled --duration 30s --json

The rows are those of a task log. Each acknowledged one is looked for in the end, in all its columns.`;
