/**
 * Leaders' names as abstract Unix sockets of Linux: the kernel gives each to one process, and takes it back when the process
 * ends. They have no file and no permissions, and are seen within one network namespace.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { ConnectionEnd, type LeaderLink, type LinkConnection, type LinkServer } from './leader-link.ts';

/** Longest line that is taken from a peer, in UTF-16 code units. */
const MAX_LINE = 1024 * 1024;

/** `undefined` where the system has no abstract sockets. */
export function abstractSocketLink(tableFolder: string, tableUuid: string): LeaderLink | undefined {
	if (process.platform !== 'linux') return undefined;
	const namespace = namespaceOf(tableFolder, tableUuid);
	return namespace === undefined ? undefined : new AbstractSocketLink(namespace);
}

/** Processes that see the same folder, by the same path, from the same network namespace. */
function namespaceOf(tableFolder: string, tableUuid: string): string | undefined {
	try {
		const parts = [
			readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
			readlinkSync('/proc/self/ns/net'),
			realpathSync(tableFolder),
			tableUuid,
		];
		return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 24);
	} catch {
		return undefined;
	}
}

class AbstractSocketLink implements LeaderLink {
	readonly namespace: string;

	constructor(namespace: string) {
		this.namespace = namespace;
	}

	connect(generation: number): Promise<LinkConnection | undefined> {
		return new Promise((resolve) => {
			const socket = connect({ path: this.#name(generation) });
			socket.once('error', () => resolve(undefined));
			socket.once('connect', () => {
				socket.removeAllListeners('error');
				resolve(new SocketConnection(socket));
			});
		});
	}

	listen(generation: number, onConnection: (connection: LinkConnection) => void): Promise<LinkServer | undefined> {
		return new Promise((resolve) => {
			const server = createServer((socket) => onConnection(new SocketConnection(socket)));
			server.once('error', () => resolve(undefined));
			server.listen({ path: this.#name(generation) }, () => {
				server.removeAllListeners('error');
				server.on('error', () => undefined);
				server.unref();
				resolve({ close: () => new Promise((closed) => void server.close(() => closed())) });
			});
		});
	}

	#name(generation: number): string {
		return `\0datashard-${this.namespace}-${generation}`;
	}
}

class SocketConnection extends ConnectionEnd {
	readonly #socket: Socket;
	#rest = '';

	constructor(socket: Socket) {
		super();
		this.#socket = socket;
		socket.setEncoding('utf8');
		socket.unref();
		socket.on('data', (text: string) => this.#take(text));
		for (const event of ['error', 'close', 'end']) socket.on(event, () => this.#end(() => socket.destroy()));
	}

	override send(message: string): void {
		if (!this.isClosed) this.#socket.write(`${message}\n`);
	}

	override close(): void {
		// What was sent before still goes out.
		this.#end(() => this.#socket.destroySoon());
	}

	#take(text: string): void {
		const lines = (this.#rest + text).split('\n');
		this.#rest = lines.pop() as string;
		if (this.#rest.length > MAX_LINE) this.#socket.destroy();
		else for (const line of lines) this.arrived(line);
	}

	#end(release: () => void): void {
		if (this.isClosed) return;
		this.#socket.unref();
		release();
		this.ended();
	}
}
