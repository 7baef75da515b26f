/** The commands that maintain a table, and their options. */
import type { Command } from 'commander';

type Task = 'runCompact' | 'runExpire' | 'runRewriteManifests' | 'runRemoveOrphans' | 'runVacuum';
// oxlint-disable-next-line typescript/no-explicit-any -- each command names its own context and options
type Run = (...args: any[]) => Promise<number | void>;

/** @param action makes a command's action of what loads it */
export function addMaintenanceCommands(
	program: Command,
	action: (load: () => Promise<Run>) => (...all: unknown[]) => Promise<void>,
): void {
	const run = (task: Task) => action(async () => (await import('./commands/maintain.ts'))[task]);

	compactOptions(program.command('compact <table>').description('put the small files of each partition together'))
		.option('--branch <name>', 'default: main')
		.option('--dry-run', 'only tell what would be done')
		.option('--json', 'print JSON')
		.addHelpText('after', COMPACT_EXAMPLES)
		.action(run('runCompact'));

	expireOptions(
		program.command('expire <table>').description('remove old snapshots, and the files that only they have'),
	)
		.option('--snapshot <id>', 'remove this snapshot; may be given several times', (id: string, all: string[] = []) => [
			...all,
			id,
		])
		.option('--metadata-only', 'delete no file')
		.option('--grace <duration>', GRACE)
		.option('--dry-run', 'only tell what would be done')
		.option('--json', 'print JSON')
		.addHelpText('after', EXPIRE_EXAMPLES)
		.action(run('runExpire'));

	program
		.command('rewrite-manifests <table>')
		.description('put manifests together, their entries in order of partition')
		.option(
			'--target-size <size>',
			"of a manifest, such as 8MB; default: the table's commit.manifest.target-size-bytes",
		)
		.option('--force', 'also where it would not help')
		.option('--json', 'print JSON')
		.action(run('runRewriteManifests'));

	program
		.command('remove-orphans <table>')
		.description("delete files in the table's folders that nothing refers to")
		.option('--older-than <duration>', 'age of the files; default: 3d, at least 1d')
		.option('--force', 'take a lesser age: nothing else may write to the table then')
		.option('--grace <duration>', GRACE)
		.option('--dry-run', 'only tell what would be deleted, and why')
		.option('--json', 'print JSON')
		.action(run('runRemoveOrphans'));

	expireOptions(
		compactOptions(
			program.command('vacuum <table>').description('compact, rewrite-manifests, expire and remove-orphans in one'),
		),
	)
		.option('--grace <duration>', GRACE)
		.option('--dry-run', 'only tell what would be done')
		.option('--json', 'print JSON')
		.action(run('runVacuum'));
}

function compactOptions(command: Command): Command {
	return command
		.option('-w, --where <predicate>', 'only files that may hold such rows')
		.option('--target-size <size>', "such as 128MB; default: the table's write.target-file-size-bytes, else 512 MB")
		.option('--min-files <number>', 'files of a partition from which on they are put together; default: 5');
}

function expireOptions(command: Command): Command {
	return command
		.option('--older-than <duration>', "age of the snapshots, such as 12h; default: the table's, else 5d")
		.option('--retain-last <number>', "newest snapshots of each branch that stay; default: the table's, else 1");
}

const GRACE = 'how long files stay after the table let go of them; default: 1h. 0: readers that run now may fail';

const COMPACT_EXAMPLES = `
Examples:
  $ datashard compact ./flights
  $ datashard compact ./flights --where "origin = 'LAX'" --target-size 128MB --dry-run

Rows stay as they are. The old files stay too, until the snapshots that have them are expired.`;

const EXPIRE_EXAMPLES = `
Examples:
  $ datashard expire ./flights --older-than 7d --retain-last 10
  $ datashard expire ./flights --snapshot 3051729675574597004 --dry-run

Durations are numbers with ms, s, m, h or d. Branches and tags keep what they need. Files are deleted by the first run after
their grace period.`;
