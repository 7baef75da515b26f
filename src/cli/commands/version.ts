import { readFileSync } from 'node:fs';
import { EXIT } from '../exit-code.ts';
import type { CommandContext } from '../program.ts';

/** `--version`, and the program without a command. */
export async function runVersion(
	{ terminal }: CommandContext,
	options: { readonly version?: boolean },
): Promise<number> {
	if (options.version !== true) {
		await terminal.stderr.write('datashard: which command? See datashard --help\n');
		return EXIT.usage;
	}
	const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
	await terminal.stdout.write(`${(JSON.parse(text) as { version: string }).version}\n`);
	return EXIT.ok;
}
