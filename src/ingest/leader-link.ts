/** How processes that append to one table talk to the one that leads. Short messages of one line each, in order. */

/** One end of a connection; it does not keep the process alive. After `close`, by either end, `onClose` is called once and nothing more arrives. */
export interface LinkConnection {
	/** Nothing is sent once the connection has closed. */
	send(message: string): void;
	onMessage(handler: (message: string) => void): void;
	onClose(handler: () => void): void;
	close(): void;
}

export interface LinkServer {
	/** Takes no further connections; those that are there stay. */
	close(): Promise<void>;
}

/**
 * A name for each generation of leaders, which the system gives to one process at a time and takes back when that
 * ends. It serves to wake and to notify: what is safe does not depend on it.
 */
export interface LeaderLink {
	/** processes with the same one reach each other */
	readonly namespace: string;
	/** `undefined` when nobody listens */
	connect(generation: number): Promise<LinkConnection | undefined>;
	/** `undefined` when the name is taken */
	listen(generation: number, onConnection: (connection: LinkConnection) => void): Promise<LinkServer | undefined>;
}

/** Two ends within one thread. */
export function connectionPair(): [LinkConnection, LinkConnection] {
	const a = new LocalEnd();
	const b = new LocalEnd();
	a.peer = b;
	b.peer = a;
	return [a, b];
}

class LocalEnd implements LinkConnection {
	peer: LocalEnd | undefined;
	#onMessage: ((message: string) => void) | undefined;
	#onClose: (() => void) | undefined;
	#closed = false;
	readonly #early: string[] = [];

	send(message: string): void {
		const peer = this.peer;
		if (this.#closed || peer === undefined) return;
		queueMicrotask(() => peer.#deliver(message));
	}

	onMessage(handler: (message: string) => void): void {
		this.#onMessage = handler;
		for (const message of this.#early.splice(0)) handler(message);
	}

	onClose(handler: () => void): void {
		this.#onClose = handler;
	}

	close(): void {
		if (this.#closed) return;
		this.#end();
		const { peer } = this;
		if (peer !== undefined) queueMicrotask(() => peer.#end());
	}

	#deliver(message: string): void {
		if (this.#closed) return;
		if (this.#onMessage === undefined) this.#early.push(message);
		else this.#onMessage(message);
	}

	#end(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#onClose?.();
	}
}
