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

/** What all ends of connections have in common: messages wait until somebody listens, and nothing arrives after the end. */
export abstract class ConnectionEnd implements LinkConnection {
	#onMessage: ((message: string) => void) | undefined;
	#onClose: (() => void) | undefined;
	#isClosed = false;
	readonly #early: string[] = [];

	abstract send(message: string): void;
	abstract close(): void;

	get isClosed(): boolean {
		return this.#isClosed;
	}

	onMessage(handler: (message: string) => void): void {
		this.#onMessage = handler;
		for (const message of this.#early.splice(0)) handler(message);
	}

	onClose(handler: () => void): void {
		this.#onClose = handler;
		if (this.#isClosed) queueMicrotask(handler);
	}

	/** A message from the other end. */
	protected arrived(message: string): void {
		if (this.#isClosed) return;
		if (this.#onMessage === undefined) this.#early.push(message);
		else this.#onMessage(message);
	}

	/** @returns false when it had ended before */
	protected ended(): boolean {
		if (this.#isClosed) return false;
		this.#isClosed = true;
		this.#onClose?.();
		return true;
	}
}

class LocalEnd extends ConnectionEnd {
	peer: LocalEnd | undefined;

	override send(message: string): void {
		const { peer } = this;
		if (!this.isClosed && peer !== undefined) queueMicrotask(() => peer.arrived(message));
	}

	override close(): void {
		const { peer } = this;
		if (this.ended() && peer !== undefined) queueMicrotask(() => peer.ended());
	}
}
