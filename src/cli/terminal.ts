/** Where a command reads from and writes to. */
/** Text that is gathered before it is handed to the system. */
const BUFFER_CHARACTERS = 64 * 1024;

/** Thrown by writes when the reader of the output has gone away (`| head`): no failure, just the end. */
export class OutputClosed extends Error {
	override readonly name = 'OutputClosed';
}

/** An output with back-pressure. */
export interface TextOutput {
	readonly isTerminal: boolean;
	/** characters of a line of the terminal */
	readonly width: number;
	/** @throws {@link OutputClosed} */
	write(text: string): Promise<void>;
	/** Resolves when all is handed over. @throws {@link OutputClosed} */
	flush(): Promise<void>;
}

export interface Terminal {
	readonly stdin: AsyncIterable<unknown>;
	readonly stdinIsTerminal: boolean;
	readonly stdout: TextOutput;
	/** messages and progress; never fails */
	readonly stderr: TextOutput;
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Calls back when the user interrupts. @returns a function that stops listening */
	onInterrupt(callback: () => void): () => void;
}

class StreamOutput implements TextOutput {
	readonly isTerminal: boolean;
	readonly #stream: NodeJS.WriteStream;
	#buffer = '';
	#closed = false;

	constructor(stream: NodeJS.WriteStream) {
		this.#stream = stream;
		this.isTerminal = stream.isTTY === true;
		// without a listener a closed pipe would be an uncaught error
		stream.on('error', () => {
			this.#closed = true;
		});
	}

	get width(): number {
		return this.#stream.columns ?? 80;
	}

	async write(text: string): Promise<void> {
		this.#buffer += text;
		if (this.#buffer.length >= BUFFER_CHARACTERS || this.isTerminal) await this.flush();
	}

	async flush(): Promise<void> {
		if (this.#closed) throw new OutputClosed();
		const text = this.#buffer;
		this.#buffer = '';
		if (text === '') return;
		await new Promise<void>((resolve, reject) => {
			this.#stream.write(text, (error) => {
				if (error === null || error === undefined) resolve();
				else {
					this.#closed = true;
					reject(new OutputClosed());
				}
			});
		});
	}
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
	const stderr = new StreamOutput(process.stderr);
	const quietly = async (work: Promise<void>): Promise<void> => work.catch(() => undefined);
	return {
		stdin: process.stdin,
		stdinIsTerminal: process.stdin.isTTY === true,
		stdout: new StreamOutput(process.stdout),
		stderr: {
			isTerminal: stderr.isTerminal,
			get width() {
				return stderr.width;
			},
			write: (text) => quietly(stderr.write(text).then(() => stderr.flush())),
			flush: () => quietly(stderr.flush()),
		},
		env: process.env,
		onInterrupt(callback) {
			const signals = ['SIGINT', 'SIGTERM'] as const;
			for (const signal of signals) process.on(signal, callback);
			return () => {
				for (const signal of signals) process.off(signal, callback);
			};
		},
	};
}
