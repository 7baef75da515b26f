/** Names that processes listen on, and connections between them, as sockets of one machine are. */
import { ConnectionEnd, type LeaderLink, type LinkConnection, type LinkServer } from '../../ingest/leader-link.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRandom } from './sim-random.ts';

const NAMESPACE = 'simulated';
const CONNECT_MS = 0.1;
const MESSAGE_MS = 0.05;

interface Listening {
	readonly process: SimProcess;
	readonly onConnection: (connection: LinkConnection) => void;
}

export class SimNetwork {
	readonly #random: SimRandom;
	readonly #names = new Map<number, Listening>();
	readonly #ends = new Set<SimEnd>();
	/** probability that a connection breaks at a message, which is lost then */
	breaks = 0;

	constructor(random: SimRandom) {
		this.#random = random;
	}

	linkOf(process: SimProcess): LeaderLink {
		return {
			namespace: NAMESPACE,
			connect: async (generation) => {
				await process.wait(CONNECT_MS, `connects to leader ${generation}`);
				const listening = this.#listening(generation);
				if (listening === undefined) return undefined;
				const [own, other] = this.#pair(process, listening.process);
				// A stopped process is connected to all the same; it learns of it when it goes on.
				listening.process.scheduler.after(
					this.#random.waitMs(CONNECT_MS),
					listening.process,
					`is connected to by ${process.name}`,
					() => listening.onConnection(other),
				);
				return own;
			},
			listen: async (generation, onConnection) => {
				await process.wait(CONNECT_MS, `wants to be leader ${generation}`);
				if (this.#listening(generation) !== undefined) return undefined;
				const listening: Listening = { process, onConnection };
				this.#names.set(generation, listening);
				const server: LinkServer = {
					close: async () => {
						if (this.#names.get(generation) === listening) this.#names.delete(generation);
					},
				};
				return server;
			},
		};
	}

	/** The system closes what it had open. */
	processDied(process: SimProcess): void {
		for (const [generation, listening] of this.#names)
			if (listening.process === process) this.#names.delete(generation);
		for (const end of this.#ends) if (end.process === process) end.break();
	}

	#listening(generation: number): Listening | undefined {
		const listening = this.#names.get(generation);
		return listening?.process.isDead === true ? undefined : listening;
	}

	#pair(a: SimProcess, b: SimProcess): [SimEnd, SimEnd] {
		const ends: [SimEnd, SimEnd] = [new SimEnd(a, this.#random), new SimEnd(b, this.#random)];
		ends[0].peer = ends[1];
		ends[1].peer = ends[0];
		for (const end of ends) {
			end.loses = () => this.#random.chance(this.breaks);
			this.#ends.add(end);
			end.onGone = () => this.#ends.delete(end);
		}
		return ends;
	}
}

class SimEnd extends ConnectionEnd {
	readonly process: SimProcess;
	peer: SimEnd | undefined;
	loses: () => boolean = () => false;
	onGone: () => void = () => undefined;
	readonly #random: SimRandom;
	/** on their way here, in order; `undefined` is the end */
	readonly #coming: (string | undefined)[] = [];

	constructor(process: SimProcess, random: SimRandom) {
		super();
		this.process = process;
		this.#random = random;
	}

	override send(message: string): void {
		if (this.isClosed) return;
		if (this.loses()) this.break();
		else this.peer?.receive(message);
	}

	override close(): void {
		if (this.ended()) this.peer?.receive(undefined);
	}

	/** Both ends hear that it is closed. */
	break(): void {
		this.receive(undefined);
		this.peer?.receive(undefined);
	}

	receive(message: string | undefined): void {
		this.#coming.push(message);
		const label = message === undefined ? 'hears that a connection closed' : `hears '${message.slice(0, 24)}'`;
		this.process.scheduler.after(this.#random.waitMs(MESSAGE_MS), this.process, label, () => this.#deliver());
	}

	protected override ended(): boolean {
		this.onGone();
		return super.ended();
	}

	#deliver(): void {
		const message = this.#coming.shift();
		if (message === undefined) this.ended();
		else this.arrived(message);
	}
}
