/** A simulation: the real code of tables over a simulated machine, in an order that a seed decides. */
import { parsePartitionSpec } from '../../spec/partition-spec.ts';
import { createFolderTable, type OpenedTable, openFolderTable } from '../../catalog/folder-table.ts';
import { isIcebergError } from '../../errors/iceberg-error.ts';
import type { AppendHost } from '../../ingest/append-host.ts';
import { GroupAppender } from '../../ingest/group-appender.ts';
import { Journaling } from '../../ingest/journaling.ts';
import type { FileIO } from '../../io/file-io.ts';
import type { JournalStore } from '../../io/journal-store.ts';
import { LocalFileIO } from '../../io/local-file-io.ts';
import { LazyMaintenance } from '../../maintenance/lazy-maintenance.ts';
import { Schema } from '../../spec/schema.ts';
import { UNSORTED } from '../../spec/sort-order.ts';
import { type Appender, Table } from '../../table/table.ts';
import type { Committer } from '../../transaction/committer.ts';
import type { Processes } from '../../util/process-identity.ts';
import { ForeignEngine } from './foreign-engine.ts';
import { InvariantViolation } from './invariants.ts';
import { Ledger, PARTS } from './ledger.ts';
import { OutsideReader, ROW_FIELDS } from './outside-reader.ts';
import { type Activity, planOf, type SimulationPlan, WARM_UP_PLAN } from './plan.ts';
import { SimClient, type ClientWorld } from './sim-client.ts';
import { SimDisk } from './sim-disk.ts';
import { NO_STORAGE_FAULTS, SimFileIO } from './sim-file-io.ts';
import { NO_CALL_FAULTS, SimFsCalls } from './sim-fs-calls.ts';
import { SimJournalStore } from './sim-journal-store.ts';
import { SimNetwork } from './sim-network.ts';
import { SimProcessTable } from './sim-processes.ts';
import { SIMULATION_EPOCH_MS, SimProcess } from './sim-process.ts';
import { SimRandom } from './sim-random.ts';
import { settled, SimScheduler } from './sim-scheduler.ts';
import { TableChecker } from './table-checker.ts';

/** Where a test puts a bug between the layers, to see that it is found. Each is called once for each process. */
export interface SimulationHooks {
	calls?(calls: SimFsCalls): SimFsCalls;
	io?(io: FileIO, process: SimProcess): FileIO;
	committer?(committer: Committer, table: string): Committer;
	appender?(appender: Appender): Appender;
	journals?(journals: JournalStore, calls: SimFsCalls, table: string): JournalStore;
}

export interface SimulationOptions {
	readonly seed: number;
	/** events before faults end and everything comes to rest. Default {@link DEFAULT_STEPS} */
	readonly steps?: number;
	/** in place of the one that the seed makes */
	readonly plan?: SimulationPlan;
	readonly hooks?: SimulationHooks;
	/** look at what is durable whenever it is relied upon. Default true; false leaves it to power losses to show */
	readonly checkDurability?: boolean;
	/** called with each line of the trace */
	readonly onTrace?: (line: string) => void;
}

export interface SimulationResult {
	readonly seed: number;
	readonly steps: number;
	/** ms that have passed in the simulated world */
	readonly virtualMs: number;
	/** same for the same seed, code and options */
	readonly traceHash: string;
	readonly versions: number;
	readonly rows: number;
	readonly acknowledged: number;
	readonly kills: number;
	readonly powerLosses: number;
}

/** What goes wrong in a simulation, with what is needed to see it again. */
export class SimulationFailure extends Error {
	override readonly name = 'SimulationFailure';
	readonly seed: number;
	/** number of the invariant that does not hold; undefined for any other error */
	readonly invariant: number | undefined;
	/** the newest events before it, oldest first */
	readonly lastEvents: readonly string[];

	constructor(seed: number, cause: unknown, lastEvents: readonly string[]) {
		super(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
		this.seed = seed;
		this.invariant = cause instanceof InvariantViolation ? cause.invariant : undefined;
		this.lastEvents = lastEvents;
	}
}

export const DEFAULT_STEPS = 6000;
/** Longest that anything may take while its process runs and the disk has room, virtual ms. */
const WAIT_BOUND_MS = 60_000;
/** Events between two looks at how long operations have waited. */
const WAIT_CHECK_STEPS = 500;
/** Most events until everything has come to rest. */
const REST_STEPS = 400_000;
const RESTART_MS = 20;
/** Turns of the real event loop within which a module has been loaded: in the first run, and in later ones. */
const FIRST_LOADING_TURNS = 100_000_000;
const LOADING_TURNS = 10_000;
const WARM_UP_ROUNDS = 3;
const TABLE = '/sim/table';
const SCHEMA = new Schema({
	fields: [...ROW_FIELDS, { id: 4, name: 'part', required: false, type: { kind: 'string' } }],
});
/** Appends whose calls are counted, early and late. */
const PROBE_APPENDS = 7;
/** Appends before the late ones: deletions of old metadata that faults had put off are made up for. */
const SETTLING_APPENDS = 12;

let warm: Promise<unknown> | undefined;

/** Runs one simulation to its end. @throws {@link SimulationFailure} */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
	// What is loaded on demand comes when the real disk has it: a first run loads it all, so that no other waits for it.
	warm ??= new Simulation({ seed: 0, steps: 0, plan: WARM_UP_PLAN }).warmUp();
	await warm;
	return new Simulation(options).run();
}

interface ProcessParts {
	readonly process: SimProcess;
	readonly processes: Processes;
	readonly calls: SimFsCalls;
	readonly storage: SimFileIO;
	readonly io: FileIO;
}

class Simulation implements ClientWorld {
	readonly plan: SimulationPlan;
	readonly ledger = new Ledger();
	readonly checker: TableChecker;
	isClosing = false;
	readonly #options: SimulationOptions;
	readonly #random: SimRandom;
	readonly #chaos: SimRandom;
	readonly #scheduler: SimScheduler;
	readonly #disk: SimDisk;
	readonly #reader: OutsideReader;
	readonly #processTable = new SimProcessTable();
	readonly #network: SimNetwork;
	/** by slot */
	readonly #running = new Map<number, { readonly process: SimProcess; readonly setFaults: (on: boolean) => void }>();
	/** nobody begins anything before this, virtual ms */
	#quietUntilMs = 0;
	/** ends the wait of those who are quiet */
	readonly #quiet = new Set<() => void>();
	#nextPid = 100;
	#error: { readonly error: unknown } | undefined;
	#fullSinceMs: number | undefined;
	#fullMs = 0;
	#clientCount = 0;
	#kills = 0;
	#powerLosses = 0;
	#powerIsLost = false;
	/** virtual time passes while modules are loaded: how much says nothing */
	#isWarmUp = false;
	#foreignProcess: SimProcess | undefined;

	constructor(options: SimulationOptions) {
		this.#options = options;
		this.plan = options.plan ?? planOf(options.seed);
		this.#random = new SimRandom(`run ${options.seed}`);
		this.#chaos = this.#random.fork('chaos');
		this.#scheduler = new SimScheduler(this.#random.fork('scheduler'));
		this.#scheduler.onTrace = options.onTrace;
		this.#disk = new SimDisk(() => SIMULATION_EPOCH_MS + this.#scheduler.nowMs);
		this.#reader = new OutsideReader(this.#disk);
		this.#network = new SimNetwork(this.#random.fork('network'));
		this.#network.breaks = this.plan.linkBreaks;
		this.checker = new TableChecker({
			disk: this.#disk,
			reader: this.#reader,
			ledger: this.ledger,
			table: TABLE,
			checkDurability: options.checkDurability ?? true,
		});
		this.#disk.onName = (path, before, after) => this.checker.nameChanged(path, before, after);
	}

	get fullTotalMs(): number {
		return this.#fullMs + (this.#fullSinceMs === undefined ? 0 : this.#scheduler.nowMs - this.#fullSinceMs);
	}

	get mayFail(): boolean {
		const { callFaults, storageFaults, fullEveryMs } = this.plan;
		return callFaults !== NO_CALL_FAULTS || storageFaults !== NO_STORAGE_FAULTS || fullEveryMs > 0;
	}

	async quiet(process: SimProcess): Promise<void> {
		const quietMs = this.#quietUntilMs - this.#scheduler.nowMs;
		if (quietMs <= 0 || this.isClosing) return;
		await new Promise<void>((resolve) => {
			this.#quiet.add(resolve);
			this.#scheduler.after(
				quietMs + process.random.waitMs(this.plan.thinkMs),
				process,
				'is not quiet any more',
				() => {
					this.#quiet.delete(resolve);
					resolve();
				},
			);
		});
	}

	fail(error: unknown): void {
		this.#error ??= { error };
	}

	async run(): Promise<SimulationResult> {
		const { seed, steps = DEFAULT_STEPS } = this.#options;
		try {
			await this.#setUp();
			const early = await this.#probe('early');
			for (let slot = 0; slot < this.plan.processCount; slot++) this.#startSlot(slot);
			this.#startFaults();
			const end = this.#scheduler.steps + steps;
			while (this.#scheduler.steps < end && (await this.#step()));
			await this.#comeToRest();
			await this.checker.checkAtRest();
			this.#compareCosts(early, await this.#probe('late'));
			await this.checker.checkAtRest();
		} catch (error) {
			throw new SimulationFailure(seed, error, [...this.#scheduler.lastEvents]);
		}
		return {
			seed,
			steps: this.#scheduler.steps,
			virtualMs: Math.round(this.#scheduler.nowMs),
			traceHash: this.#scheduler.traceHash(),
			versions: this.checker.newestVersion,
			rows: this.checker.rowCount,
			acknowledged: this.ledger.operations.filter(({ acknowledged }) => acknowledged).length,
			kills: this.#kills,
			powerLosses: this.#powerLosses,
		};
	}

	/** Does everything that clients do, for what it loads. */
	async warmUp(): Promise<void> {
		this.#isWarmUp = true;
		await this.#setUp();
		const { process, table } = await this.#helper('warm-up');
		const client = new SimClient(this, process, table);
		for (let round = 0; round < WARM_UP_ROUNDS; round++)
			for (const activity of Object.keys(this.plan.weights) as Activity[])
				await this.#finish(activity, client.do(activity));
		await this.checker.checkAtRest();
	}

	/** One event, and what must hold after it. False when nothing is left to happen. */
	async #step(): Promise<boolean> {
		const happened = await this.#scheduler.step();
		if (this.#powerIsLost) {
			this.#powerIsLost = false;
			await this.checker.powerLost();
		}
		await this.checker.check();
		if (this.#error !== undefined) throw this.#error.error;
		if (this.#scheduler.steps % WAIT_CHECK_STEPS === 0) this.#checkWaits();
		return happened;
	}

	async #until(done: () => boolean, what: string): Promise<void> {
		const limit = this.#scheduler.steps + REST_STEPS;
		while (!done()) {
			if (!(await this.#step()) && !(await this.#isLoading()))
				throw new InvariantViolation(8, `${what}: nothing is left that could happen`);
			if (this.#scheduler.steps > limit) throw new InvariantViolation(8, `${what}: not after ${REST_STEPS} events`);
		}
	}

	/** Whether, while no event is left, modules that are loaded on demand bring about new ones. */
	async #isLoading(): Promise<boolean> {
		for (let turn = 0; turn < (this.#isWarmUp ? FIRST_LOADING_TURNS : LOADING_TURNS); turn++) {
			await settled();
			if (this.#scheduler.hasEvents) return true;
		}
		return false;
	}

	/** Runs something of a process that has no faults, to its end. */
	async #finish<T>(what: string, work: Promise<T>): Promise<T> {
		let outcome: { readonly value: T } | undefined;
		work.then(
			(value) => {
				outcome = { value };
			},
			(error) => this.fail(error),
		);
		// It has begun, and what it waits for first is not among the events yet.
		await settled();
		await this.#until(() => outcome !== undefined, what);
		return (outcome as unknown as { readonly value: T }).value;
	}

	async #setUp(): Promise<void> {
		this.#disk.makeFolder('/sim');
		const { process, io } = this.#newProcess('setup');
		const spec = parsePartitionSpec(SCHEMA, this.plan.isPartitioned ? ['part'] : []);
		const { formatVersion, properties } = this.plan;
		const table = { schema: SCHEMA, partitionSpec: spec, sortOrder: UNSORTED, properties, formatVersion };
		const { clock, random } = process;
		await this.#finish('making the table', createFolderTable(TABLE, table, { io, clock, random }));
		// The folder above it is nobody's: whoever owns the disk has made it durable.
		for (const path of ['/', '/sim']) {
			const folder = this.#disk.get(path);
			if (folder.kind === 'folder') folder.flush();
		}
		process.kill();
	}

	#newProcess(name: string): ProcessParts {
		const { hooks } = this.#options;
		const process = new SimProcess(name, this.#nextPid++, this.#scheduler, this.#random);
		const plain = new SimFsCalls(this.#disk, process);
		const calls = hooks?.calls?.(plain) ?? plain;
		const { clock, random } = process;
		const processes = this.#processTable.add(process);
		const local = new LocalFileIO({
			roots: [TABLE],
			blockingLimitBytes: 0,
			calls: { blocking: calls, pooled: calls, looks: calls.looks },
			clock,
			random,
			processes,
		});
		const storage = new SimFileIO(local, process);
		return { process, processes, calls: plain, storage, io: hooks?.io?.(storage, process) ?? storage };
	}

	#tableOf({ process, processes, calls }: ProcessParts, opened: OpenedTable): Table {
		const { hooks } = this.#options;
		const { clock, random } = process;
		const committer = hooks?.committer?.(opened.committer, TABLE) ?? opened.committer;
		const trouble = (error: unknown): void => this.#noteTrouble(process, error);
		const maintenance = this.plan.selfMaintenance
			? new LazyMaintenance({ committer, location: TABLE, clock, random, processes, onError: trouble })
			: undefined;
		const journals = new SimJournalStore(calls, this.#disk, random, TABLE);
		const openJournaling = async (host: AppendHost): Promise<Journaling> =>
			new Journaling(host, {
				journals: hooks?.journals?.(journals, calls, TABLE) ?? journals,
				processes,
				link: this.#network.linkOf(process),
				onTrouble: trouble,
			});
		return new Table({
			location: TABLE,
			committer,
			loaded: opened.loaded,
			readOnly: false,
			clock,
			random,
			processes,
			createAppender: (host) => {
				const background = maintenance === undefined ? {} : { maintenance };
				const appender = new GroupAppender({ ...host, ...background }, this.plan.journals ? openJournaling : undefined);
				return hooks?.appender?.(appender) ?? appender;
			},
			background: {
				async close() {
					await maintenance?.close();
					await committer.tidy?.();
				},
			},
		});
	}

	#startSlot(slot: number): void {
		const name = `p${slot}.${this.#nextPid}`;
		const parts = this.#newProcess(name);
		const { process, calls, storage } = parts;
		const setFaults = (on: boolean): void => {
			calls.faults = on ? this.plan.callFaults : NO_CALL_FAULTS;
			storage.faults = on ? this.plan.storageFaults : NO_STORAGE_FAULTS;
		};
		setFaults(!this.isClosing);
		this.#running.set(slot, { process, setFaults });
		const body = async (): Promise<void> => {
			const table = await this.#open(parts);
			const clients = Array.from({ length: this.plan.clientsPerProcess }, () => new SimClient(this, process, table));
			this.#clientCount += clients.length;
			await Promise.all(clients.map((client) => client.run()));
			await table.close();
			this.#running.delete(slot);
		};
		body().catch((error) => this.fail(error));
	}

	async #open(parts: ProcessParts): Promise<Table> {
		for (;;) {
			try {
				return this.#tableOf(parts, await openFolderTable(TABLE, { io: parts.io }));
			} catch (error) {
				if (!isIcebergError(error, 'STORAGE') || !this.mayFail) throw error;
				await parts.process.wait(RESTART_MS, 'opens the table again');
			}
		}
	}

	#kill(slot: number): void {
		const running = this.#running.get(slot);
		if (running === undefined) return;
		this.#running.delete(slot);
		this.#kills++;
		running.process.kill();
		this.#scheduler.note(`${running.process.name} is killed`);
		this.ledger.processDied(running.process);
		this.#network.processDied(running.process);
		this.#scheduler.after(this.#chaos.waitMs(RESTART_MS), undefined, `slot ${slot} starts again`, () => {
			this.#startSlot(slot);
		});
	}

	#startFaults(): void {
		const { plan } = this;
		const chaos = this.#chaos;
		this.#every(plan.killEveryMs, 'kill', () => this.#withSlot((slot) => this.#kill(slot)));
		this.#every(plan.powerLossEveryMs, 'power loss', () => this.#losePower());
		this.#every(plan.stopEveryMs, 'stop', () =>
			this.#withSlot((slot) => this.#running.get(slot)?.process.stop(chaos.waitMs(plan.stopMs))),
		);
		this.#every(plan.clockJumpEveryMs, 'clock jump', () =>
			this.#withSlot((slot) => this.#running.get(slot)?.process.clock.jump(chaos.between(-300_000, 300_000))),
		);
		this.#every(plan.fullEveryMs, 'disk full', () => {
			this.#setFull(true);
			this.#scheduler.after(chaos.waitMs(50), undefined, 'disk has room', () => this.#setFull(false));
		});
		this.#every(plan.quietEveryMs, 'quiet', () => {
			this.#quietUntilMs = this.#scheduler.nowMs + plan.quietMs;
		});
		this.#startForeign();
	}

	#startForeign(): void {
		if (this.plan.foreignEveryMs === 0) return;
		const process = new SimProcess('foreign', this.#nextPid++, this.#scheduler, this.#random);
		this.#foreignProcess = process;
		const engine = new ForeignEngine(process, this.#disk, this.#reader, TABLE);
		this.#foreign(process, engine).catch((error) => this.fail(error));
	}

	async #foreign(process: SimProcess, engine: ForeignEngine): Promise<void> {
		for (;;) {
			await process.wait(this.plan.foreignEveryMs, 'another engine');
			if (this.isClosing) return;
			await this.quiet(process);
			if (this.isClosing) return;
			try {
				const fact = await engine.commit();
				if (fact !== undefined) this.checker.expectForeign(fact);
			} catch (error) {
				if ((error as { readonly code?: unknown }).code !== 'ENOSPC') throw error;
			}
		}
	}

	#every(meanMs: number, label: string, run: () => void): void {
		if (meanMs === 0) return;
		const next = (): void => {
			this.#scheduler.after(this.#chaos.waitMs(meanMs), undefined, label, () => {
				if (this.isClosing) return;
				// In quiet times nothing is under way that could be disturbed.
				if (this.#quietUntilMs <= this.#scheduler.nowMs) {
					run();
					next();
				} else this.#scheduler.after(this.#quietUntilMs - this.#scheduler.nowMs, undefined, 'quiet ends', next);
			});
		};
		next();
	}

	#withSlot(run: (slot: number) => void): void {
		const slots = [...this.#running.keys()];
		if (slots.length > 0) run(this.#chaos.pick(slots));
	}

	#setFull(isFull: boolean): void {
		const { nowMs } = this.#scheduler;
		if (this.#fullSinceMs !== undefined) this.#fullMs += nowMs - this.#fullSinceMs;
		this.#fullSinceMs = isFull ? nowMs : undefined;
		this.#disk.isFull = isFull;
	}

	#losePower(): void {
		this.#powerLosses++;
		for (const slot of this.#running.keys()) this.#kill(slot);
		this.#foreignProcess?.kill();
		this.#disk.losePower(this.#chaos);
		this.#startForeign();
		this.#powerIsLost = true;
	}

	/** Faults end; what is under way ends as well, and what clients still want done is done. */
	async #comeToRest(): Promise<void> {
		this.#scheduler.note('faults end');
		this.isClosing = true;
		this.#network.breaks = 0;
		for (const resolve of this.#quiet) resolve();
		this.#setFull(false);
		for (const { setFaults } of this.#running.values()) setFaults(false);
		await this.#until(() => this.#running.size === 0 && this.ledger.attempts.size === 0, 'coming to rest');
		const { process, table } = await this.#helper('helper');
		const client = new SimClient(this, process, table);
		for (const operation of this.ledger.unfinished) await this.#finish('a retry', client.finish(operation));
		await this.#seePromisesKept(client);
		process.kill();
		this.#network.processDied(process);
	}

	/** What journals hold of processes that are gone is appended by whoever leads next. */
	async #seePromisesKept(client: SimClient): Promise<void> {
		if (!this.ledger.operations.some((operation) => operation.promised)) return;
		await this.#finish('a journaled append', client.do('append-journaled'));
		const promised = this.ledger.operations.filter((operation) => operation.promised);
		const limitMs = this.#scheduler.nowMs + WAIT_BOUND_MS;
		const isKept = (): boolean => promised.every((operation) => this.checker.has(operation));
		while (!isKept() && this.#scheduler.nowMs < limitMs && (await this.#step()));
	}

	/** What goes wrong in the background is tried again there; what must not go wrong ends the simulation. */
	#noteTrouble(process: SimProcess, error: unknown): void {
		this.#scheduler.note(`${process.name} has trouble: ${error instanceof Error ? error.message : String(error)}`);
		if (!isIcebergError(error)) this.fail(error);
		// A journal's end may be torn, and a journal may be gone: that is told, and no more.
		if (isIcebergError(error, 'CORRUPT', 'NOT_FOUND') && error.context['journal'] === undefined)
			this.fail(new InvariantViolation(6, `${process.name}: ${error.message}`));
	}

	async #helper(name: string): Promise<{ readonly process: SimProcess; readonly table: Table }> {
		const parts = this.#newProcess(name);
		const opened = await this.#finish('opening the table', openFolderTable(TABLE, { io: parts.io }));
		return { process: parts.process, table: this.#tableOf(parts, opened) };
	}

	/** System calls of a single append, by a process that has the table to itself. The least of some: now and then one tidies up. */
	async #probe(name: string): Promise<{ readonly open: number; readonly append: number }> {
		const { process, table } = await this.#helper(name);
		const open = process.callCount;
		const client = new SimClient(this, process, table);
		for (let i = 0; name === 'late' && i < SETTLING_APPENDS; i++)
			await this.#finish('an append', client.finish(this.ledger.begin('append', [PARTS[0] as string])));
		const counts: number[] = [];
		for (let i = 0; i < PROBE_APPENDS; i++) {
			const before = process.callCount;
			await this.#finish('an append', client.finish(this.ledger.begin('append', [PARTS[0] as string])));
			counts.push(process.callCount - before);
		}
		process.kill();
		return { open, append: Math.min(...counts) };
	}

	#compareCosts(early: { open: number; append: number }, late: { open: number; append: number }): void {
		for (const what of ['open', 'append'] as const)
			if (late[what] > early[what] * 1.5 + 15)
				throw new InvariantViolation(
					9,
					`${what === 'open' ? 'opening the table' : 'an append'} took ${early[what]} system calls at first, ` +
						`and takes ${late[what]} after ${this.checker.newestVersion} versions`,
				);
	}

	#checkWaits(): void {
		if (this.#isWarmUp) return;
		const { nowMs } = this.#scheduler;
		for (const { label, process, startedMs, stoppedBeforeMs, fullBeforeMs } of this.ledger.attempts) {
			const stopped = process.stoppedTotalMs - stoppedBeforeMs + (this.fullTotalMs - fullBeforeMs);
			if (nowMs - startedMs - stopped > WAIT_BOUND_MS)
				throw new InvariantViolation(
					8,
					`${label} of ${process.name} has waited for ${Math.round(nowMs - startedMs)} ms`,
				);
		}
	}
}
