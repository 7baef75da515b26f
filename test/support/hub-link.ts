/** Leaders' names within one thread, for several table objects that act as processes: they can be cut off and frozen. */
import { ConnectionEnd, type LeaderLink, type LinkConnection, type LinkServer } from '../../src/ingest/leader-link.ts';

interface Listener {
	readonly owner: HubLink;
	readonly onConnection: (connection: LinkConnection) => void;
}

/** What the links of one table share: the kernel's part. */
export class Hub {
	readonly listeners = new Map<number, Listener>();
	readonly links: HubLink[] = [];

	link(): HubLink {
		const link = new HubLink(this);
		this.links.push(link);
		return link;
	}
}

export class HubLink implements LeaderLink {
	readonly namespace = 'hub';
	readonly #hub: Hub;
	readonly ends = new Set<End>();
	#frozen: (() => void)[] | undefined;
	isDead = false;

	constructor(hub: Hub) {
		this.#hub = hub;
	}

	async connect(generation: number): Promise<LinkConnection | undefined> {
		const listener = this.#hub.listeners.get(generation);
		if (listener === undefined || this.isDead) return undefined;
		const ours = new End(this);
		const theirs = new End(listener.owner);
		ours.peer = theirs;
		theirs.peer = ours;
		listener.owner.deliver(() => listener.onConnection(theirs));
		return ours;
	}

	async listen(generation: number, onConnection: Listener['onConnection']): Promise<LinkServer | undefined> {
		if (this.#hub.listeners.has(generation) || this.isDead) return undefined;
		this.#hub.listeners.set(generation, { owner: this, onConnection });
		return {
			close: async () => {
				if (this.#hub.listeners.get(generation)?.owner === this) this.#hub.listeners.delete(generation);
			},
		};
	}

	/** Leads now. */
	get isListening(): boolean {
		return [...this.#hub.listeners.values()].some(({ owner }) => owner === this);
	}

	/** As SIGSTOP: the names stay taken, messages wait. */
	freeze(): void {
		this.#frozen ??= [];
	}

	thaw(): void {
		const waiting = this.#frozen ?? [];
		this.#frozen = undefined;
		for (const work of waiting) work();
	}

	/** As SIGKILL, for the others: names are free, connections closed. */
	kill(): void {
		this.isDead = true;
		for (const [generation, { owner }] of this.#hub.listeners)
			if (owner === this) this.#hub.listeners.delete(generation);
		for (const end of this.ends) end.peer?.ended();
	}

	deliver(work: () => void): void {
		if (this.isDead) return;
		if (this.#frozen === undefined) queueMicrotask(work);
		else this.#frozen.push(work);
	}
}

class End extends ConnectionEnd {
	readonly #owner: HubLink;
	peer: End | undefined;

	constructor(owner: HubLink) {
		super();
		this.#owner = owner;
		owner.ends.add(this);
	}

	override send(message: string): void {
		const { peer } = this;
		if (this.isClosed || this.#owner.isDead || peer === undefined) return;
		peer.#owner.deliver(() => peer.arrived(message));
	}

	override close(): void {
		const { peer } = this;
		if (this.ended() && peer !== undefined) peer.#owner.deliver(() => peer.ended());
	}

	override ended(): boolean {
		this.#owner.ends.delete(this);
		return super.ended();
	}
}
