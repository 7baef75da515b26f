/** Runs command lines in this process, with streams in memory. */
import { runCommandLine } from '../../src/cli/program.ts';
import { OutputClosed, type Terminal, type TextOutput } from '../../src/cli/terminal.ts';

export interface CliResult {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

export interface CliOptions {
	readonly stdin?: string | AsyncIterable<unknown>;
	/** stdout and stderr are terminals of this width */
	readonly terminalWidth?: number;
	/** characters after which the reader of stdout goes away */
	readonly closeAfter?: number;
	readonly env?: Record<string, string>;
	/** called after each write to stdout with all that was written */
	readonly onStdout?: (text: string) => void;
	/** called with a function that interrupts */
	readonly onStart?: (interrupt: () => void) => void;
}

class TextSink implements TextOutput {
	readonly isTerminal: boolean;
	readonly width: number;
	readonly #closeAfter: number;
	readonly #onWrite: ((text: string) => void) | undefined;
	text = '';

	constructor(
		width: number | undefined,
		closeAfter = Number.POSITIVE_INFINITY,
		onWrite: ((text: string) => void) | undefined = undefined,
	) {
		this.#onWrite = onWrite;
		this.isTerminal = width !== undefined;
		this.width = width ?? 80;
		this.#closeAfter = closeAfter;
	}

	async write(text: string): Promise<void> {
		if (this.text.length >= this.#closeAfter) throw new OutputClosed();
		this.text += text;
		this.#onWrite?.(this.text);
	}

	async flush(): Promise<void> {}
}

/** Runs `datashard` with the arguments. */
export async function cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
	const stdout = new TextSink(options.terminalWidth, options.closeAfter, options.onStdout);
	const stderr = new TextSink(options.terminalWidth);
	const { stdin = '' } = options;
	const terminal: Terminal = {
		stdin: typeof stdin === 'string' ? oneChunk(stdin) : stdin,
		stdinIsTerminal: false,
		stdout,
		stderr,
		env: options.env ?? {},
		onInterrupt: (callback) => {
			options.onStart?.(callback);
			return () => undefined;
		},
	};
	const code = await runCommandLine(args, terminal);
	return { code, stdout: stdout.text, stderr: stderr.text };
}

async function* oneChunk(text: string): AsyncGenerator<Uint8Array> {
	if (text !== '') yield new TextEncoder().encode(text);
}
