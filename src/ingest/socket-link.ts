/**
 * Leaders' names as abstract Unix sockets of Linux: the kernel gives each to one process, and takes it back when the process
 * ends. They have no file and no permissions, and are seen within one network namespace.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { LeaderLink, LinkConnection, LinkServer } from './leader-link.ts';

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

class SocketConnection implements LinkConnection {
	readonly #socket: Socket;
	readonly #lines: string[] = [];
	#rest = '';
	#onMessage: ((message: string) => void) | undefined;
	#onClose: (() => void) | undefined;
	#closed = false;

	constructor(socket: Socket) {
		this.#socket = socket;
		socket.setEncoding('utf8');
		socket.unref();
		socket.on('data', (text: string) => this.#take(text));
		socket.on('error', () => this.#end());
		socket.on('close', () => this.#end());
		socket.on('end', () => this.#end());
	}

	send(message: string): void {
		if (!this.#closed) this.#socket.write(`${message}\n`);
	}

	onMessage(handler: (message: string) => void): void {
		this.#onMessage = handler;
		for (const line of this.#lines.splice(0)) handler(line);
	}

	onClose(handler: () => void): void {
		this.#onClose = handler;
		if (this.#closed) queueMicrotask(handler);
	}

	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#socket.unref();
		// What was sent before still goes out.
		this.#socket.destroySoon();
		this.#onClose?.();
	}

	#take(text: string): void {
		const parts = (this.#rest + text).split('\n');
		this.#rest = parts.pop() as string;
		if (this.#rest.length > MAX_LINE) {
			this.#socket.destroy();
			return;
		}
		for (const line of parts) {
			if (this.#closed) return;
			if (this.#onMessage === undefined) this.#lines.push(line);
			else this.#onMessage(line);
		}
	}

	#end(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#socket.unref();
		this.#socket.destroy();
		this.#onClose?.();
	}
}
