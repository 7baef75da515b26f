import { runStressWriter } from '../../testing.ts';
import { EXIT } from '../exit-code.ts';
import type { CommandContext } from '../program.ts';

/** A writer of `stress`. It ends when its input does; an interrupt of the terminal is for the process that started it. */
export async function runStressWriterCommand({ terminal }: CommandContext, settings: string): Promise<number> {
	const { stdin, stdout } = terminal;
	const isFine = await runStressWriter(settings, {
		input: stdin,
		async write(text) {
			await stdout.write(text);
			await stdout.flush();
		},
	});
	return isFine ? EXIT.ok : EXIT.failure;
}
