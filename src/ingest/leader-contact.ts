/**
 * A member's connection to whoever leads: finds the leader, takes the lead when nobody has it, passes by one that is silent,
 * and hands on what it says.
 */
import type { IcebergError } from '../errors/iceberg-error.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { type Deferred, deferred } from '../util/deferred.ts';
import type { Clock } from '../util/ports.ts';
import { parseIdentity, type ProcessIdentity, type Processes } from '../util/process-identity.ts';
import { inTime } from '../util/waits.ts';
import { foldStateOf } from './journal-positions.ts';
import type { LeaderHost } from './leader-host.ts';
import type { LinkConnection } from './leader-link.ts';
import { errorFromText } from './link-messages.ts';

/** A leader that says nothing for so long is passed by when its process is stopped or cannot be looked at, ms. */
export const SILENCE_MS = 250;
/** A leader whose process runs may be short of processor time: it is passed by after this, ms. */
const BUSY_SILENCE_MS = 2000;
/** How often a connection is tried while records wait, ms. */
export const WATCH_MS = 50;
/** How long a leader's welcome, and a turn, are waited for, ms. */
const WELCOME_MS = 1500;
/** Generations beyond the known one that are tried for a leader that answers. */
const MAX_GENERATIONS = 16;
/** How long the removal of a journal is waited for, ms, and how many leaders are asked for it. */
const FAREWELL_MS = 1000;
const MAX_FAREWELLS = 3;

export interface LeaderContactOptions {
	readonly location: string;
	readonly clock: Clock;
	readonly processes: Processes;
	readonly host: Pick<LeaderHost, 'link' | 'lead' | 'leadPrivately'>;
	/** told when a leader has been found */
	readonly onFollow?: (() => void) | undefined;
}

/** Whoever wants to be led, as its contact sees it. */
export interface Led {
	/** the journal that is written to now */
	readonly journalId: string | undefined;
	/** whether records wait to be folded */
	readonly isWaiting: boolean;
	/** the newest metadata */
	newest(): Promise<TableMetadata>;
	/** folded up to a record, in the snapshot of the text */
	folded(upTo: number, snapshotText: string): void;
	/** an earlier append with the record's key had appended the rows */
	repeated(record: number, snapshotId: bigint): void;
	refused(record: number, error: IcebergError): void;
	/** what keeps the leader from folding, or us from finding one; true when that is for good */
	troubled(error: unknown): boolean;
	/** the journal is not there any more */
	journalGone(error: IcebergError): void;
}

export class LeaderContact {
	readonly #options: LeaderContactOptions;
	readonly #led: Led;
	#connection: LinkConnection | undefined;
	/** the process that leads, where it is known */
	#leader: ProcessIdentity | undefined;
	/** the journal that the leader was told of, and the number of the telling, which its answers repeat */
	#toldJournal: string | undefined;
	#tellings = 0;
	#connecting: Promise<void> | undefined;
	#reconnecting: Promise<void> | undefined;
	/** a leader has been asked to fold soon, and has not answered yet */
	#soonAsked = false;
	#heardMs = 0;
	/** generations below are not asked any more */
	#leastGeneration = 0;
	#turn: Deferred<boolean> | undefined;
	/** the leader has removed the journal that was given up */
	#farewell: Deferred<boolean> | undefined;
	#closed = false;

	constructor(options: LeaderContactOptions, led: Led) {
		this.#options = options;
		this.#led = led;
	}

	/** From now on the leader's silence counts. */
	listen(nowMs: number): void {
		this.#heardMs = nowMs;
	}

	/** Tells of new records. @param urgent somebody waits until they are folded */
	wake(urgent: boolean): void {
		if (this.#connection === undefined) this.reconnect();
		else if (this.#led.journalId !== undefined && this.#toldJournal !== this.#led.journalId)
			this.#introduce(this.#connection);
		else if (urgent) this.#connection.send('w');
		else this.askSoon();
	}

	/** Looks for a leader in the background, until there is one or nothing waits any more. */
	reconnect(): void {
		this.#reconnecting ??= this.#connectAtLast().finally(() => {
			this.#reconnecting = undefined;
		});
	}

	/** Passes by a leader that says nothing. */
	passByIfSilent(nowMs: number): void {
		const silentMs = nowMs - this.#heardMs;
		if (this.#connection === undefined) this.reconnect();
		else if (silentMs >= SILENCE_MS && silentMs >= this.#patienceMs()) {
			this.#leastGeneration += 1;
			this.#connection.close();
		}
	}

	/** Lets a commit of our own be made while the leader waits; undefined when it does not. The result ends the turn. */
	async takeTurn(): Promise<(() => void) | undefined> {
		if (this.#connection === undefined) await this.#connect();
		const connection = this.#connection;
		if (connection === undefined || this.#turn !== undefined) return undefined;
		const turn = deferred<boolean>();
		this.#turn = turn;
		connection.send('turn');
		const isOurs = await inTime(this.#options.clock, WELCOME_MS, turn.promise);
		this.#turn = undefined;
		return isOurs === true ? () => connection.send('done') : undefined;
	}

	/** Gives the journal, to which nothing more is written, to whoever leads; it removes it, now or when this process is gone. */
	async farewell(): Promise<void> {
		for (let attempt = 0; attempt < MAX_FAREWELLS; attempt++) {
			// Where no leader can be found, a later one sees that this process is gone.
			if (this.#connection === undefined) await this.#connect().catch(() => undefined);
			if (this.#connection === undefined) break;
			const farewell = deferred<boolean>();
			this.#farewell = farewell;
			this.#connection.send('bye');
			const removed = await inTime(this.#options.clock, FAREWELL_MS, farewell.promise);
			if (removed !== false) break;
		}
		this.#farewell = undefined;
	}

	/** Looks for no leader any more. To be called before {@link farewell} of the last journal, and {@link close} after it. */
	end(): void {
		this.#closed = true;
	}

	async close(): Promise<void> {
		// A search for a leader that is under way must not end with our leading, or following, after this.
		await this.#reconnecting;
		await this.#connecting?.catch(() => undefined);
		this.#connection?.close();
		this.#connection = undefined;
	}

	/** Asks for what nobody waits for to be folded within the interval, unless that was asked already. */
	askSoon(): void {
		if (this.#soonAsked) return;
		this.#soonAsked = true;
		this.#connection?.send('j');
	}

	#patienceMs(): number {
		const { processes } = this.#options;
		const isRunning = this.#leader === undefined ? undefined : processes.isRunning?.(this.#leader);
		return isRunning === true ? BUSY_SILENCE_MS : SILENCE_MS;
	}

	async #connect(): Promise<void> {
		this.#connecting ??= this.#findLeader().finally(() => {
			this.#connecting = undefined;
		});
		return this.#connecting;
	}

	/** The leader of the newest generation that answers; ourselves when nobody does. */
	async #findLeader(): Promise<void> {
		const { host } = this.#options;
		const { link } = host;
		if (link === undefined) return this.#leadPrivately();
		const known = await this.#knownGeneration(link.namespace);
		const first = Math.max(known, this.#leastGeneration);
		for (let generation = first; generation < first + MAX_GENERATIONS; generation++) {
			let connection = await link.connect(generation);
			if (connection === undefined && generation > known) {
				await host.lead(generation);
				connection = await link.connect(generation);
			}
			if (connection === undefined) continue;
			if (await this.#greet(connection)) return this.#use(connection, generation);
			connection.close();
		}
		return this.#leadPrivately();
	}

	async #leadPrivately(): Promise<void> {
		const connection = await this.#options.host.leadPrivately();
		if (await this.#greet(connection)) this.#use(connection, 0);
	}

	async #knownGeneration(namespace: string): Promise<number> {
		const { location } = this.#options;
		const metadata = await this.#led.newest();
		try {
			const leader = foldStateOf(metadata.properties, location)?.leader;
			return leader?.namespace === namespace ? leader.generation : 0;
		} catch {
			// It is the leader's to say what is wrong with the property.
			return 0;
		}
	}

	async #greet(connection: LinkConnection): Promise<boolean> {
		const answer = deferred<boolean>();
		connection.onMessage((message) => {
			if (message.startsWith('welcome ')) {
				this.#leader = parseIdentity(message.slice('welcome '.length));
				answer.resolve(true);
			} else this.#take(connection, message);
		});
		connection.onClose(() => answer.resolve(false));
		this.#introduce(connection);
		return (await inTime(this.#options.clock, WELCOME_MS, answer.promise)) === true;
	}

	#introduce(connection: LinkConnection): void {
		this.#toldJournal = this.#led.journalId;
		this.#tellings += 1;
		connection.send(this.#toldJournal === undefined ? 'hello' : `hello ${this.#tellings} ${this.#toldJournal}`);
	}

	#use(connection: LinkConnection, generation: number): void {
		this.#connection = connection;
		this.#options.onFollow?.();
		this.#soonAsked = false;
		this.#leastGeneration = Math.max(this.#leastGeneration, generation);
		this.#heardMs = this.#options.clock.monotonicMs();
		const { journalId } = this.#led;
		if (journalId !== undefined && this.#toldJournal !== journalId) this.#introduce(connection);
		connection.onClose(() => {
			if (this.#connection !== connection) return;
			this.#connection = undefined;
			this.#turn?.resolve(false);
			this.#farewell?.resolve(false);
			if (this.#led.isWaiting && !this.#closed) this.reconnect();
		});
	}

	async #connectAtLast(): Promise<void> {
		for (;;) {
			try {
				await this.#connect();
			} catch (error) {
				if (this.#led.troubled(error)) return;
			}
			if (!this.#led.isWaiting || this.#connection !== undefined || this.#closed) return;
			await this.#options.clock.sleep(WATCH_MS);
		}
	}

	#take(connection: LinkConnection, message: string): void {
		this.#heardMs = this.#options.clock.monotonicMs();
		const space = message.indexOf(' ');
		const verb = space < 0 ? message : message.slice(0, space);
		const rest = space < 0 ? '' : message.slice(space + 1);
		switch (verb) {
			case 'f':
			case 'r':
			case 'x':
				this.#told(verb, rest);
				break;
			case 'trouble':
				this.#led.troubled(errorFromText(rest));
				break;
			case 'moved':
				this.#leastGeneration = Math.max(this.#leastGeneration, Number(rest));
				connection.close();
				break;
			case 'no': {
				const [telling = ''] = rest.split(' ', 1);
				if (Number(telling) !== this.#tellings) break;
				const error = errorFromText(rest.slice(telling.length + 1));
				if (this.#connection === connection) this.#connection = undefined;
				connection.close();
				if (error.code === 'NOT_FOUND') this.#led.journalGone(error);
				// It cannot read our journal: we fold it ourselves.
				else void this.#leadPrivately();
				break;
			}
			case 'farewell':
				if (Number(rest) === this.#tellings) this.#farewell?.resolve(true);
				break;
			case 'go':
				this.#turn?.resolve(true);
				break;
			default:
			// 'p' says only that the leader lives.
		}
	}

	/** What became of records: folded up to one, one whose key was known, one that was refused. */
	#told(verb: 'f' | 'r' | 'x', message: string): void {
		const [telling = '', seq = ''] = message.split(' ', 2);
		// It speaks of a journal that was given up since.
		if (Number(telling) !== this.#tellings) return;
		const rest = message.slice(telling.length + seq.length + 2);
		if (verb === 'r') this.#led.repeated(Number(seq), BigInt(rest));
		else if (verb === 'x') this.#led.refused(Number(seq), errorFromText(rest));
		else {
			this.#soonAsked = false;
			this.#led.folded(Number(seq), rest);
		}
	}
}
