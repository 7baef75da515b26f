/** One client of a simulated process: it does one thing after another with the process's table, and notes what it is told. */
import { IcebergError, isIcebergError } from '../../errors/iceberg-error.ts';
import { compact, expireSnapshots, removeOrphans, rewriteManifests } from '../../maintenance/tasks.ts';
import type { Table } from '../../table/table.ts';
import type { TableTransaction } from '../../table/table-transaction.ts';
import { InvariantViolation } from './invariants.ts';
import { type Ledger, type Operation, PARTS, type SimRow } from './ledger.ts';
import type { Activity, SimulationPlan } from './plan.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRandom } from './sim-random.ts';
import type { TableChecker } from './table-checker.ts';

export interface ClientWorld {
	readonly plan: SimulationPlan;
	readonly ledger: Ledger;
	readonly checker: TableChecker;
	/** clients begin nothing new */
	readonly isClosing: boolean;
	/** resolves when the present quiet time, if it is one, ends */
	quiet(process: SimProcess): Promise<void>;
	/** virtual ms for which the disk has been full so far */
	readonly fullTotalMs: number;
	/** whether calls may fail just now for no reason of the engine's */
	readonly mayFail: boolean;
	/** ends the simulation */
	fail(error: unknown): void;
}

/** What an operation may be refused with while storage fails. */
const FAULTS = ['STORAGE', 'COMMIT_STATE_UNKNOWN', 'COMMIT_CONFLICT'] as const;
/** Most pieces of a scan, and mean virtual time between them. */
const SCAN_PAUSE_MS = 20;
const EXPIRE_AGE_MS = 5_000;
const REMOVE_ORPHANS_AGE_MS = 86_400_000;

export class SimClient {
	readonly #world: ClientWorld;
	readonly #process: SimProcess;
	readonly #table: Table;
	readonly #random: SimRandom;

	constructor(world: ClientWorld, process: SimProcess, table: Table) {
		this.#world = world;
		this.#process = process;
		this.#table = table;
		this.#random = process.random.fork('client');
	}

	/** Goes on until the simulation closes, or the process dies. */
	async run(): Promise<void> {
		const { plan } = this.#world;
		for (;;) {
			await this.#process.wait(plan.thinkMs, 'thinks');
			await this.#world.quiet(this.#process);
			if (this.#world.isClosing) return;
			await this.do(this.#choose());
		}
	}

	/** Does one thing. Failures that may be are taken; others end the simulation. */
	async do(activity: Activity): Promise<void> {
		try {
			await this.#perform(activity);
		} catch (error) {
			this.#judge(activity, error);
		}
	}

	/** Appends the rows of an operation, until it is acknowledged. */
	async finish(operation: Operation): Promise<void> {
		while (!operation.acknowledged) await this.#append(operation);
	}

	#choose(): Activity {
		const weights = Object.entries(this.#world.plan.weights) as [Activity, number][];
		let left = this.#random.float() * weights.reduce((sum, [, weight]) => sum + weight, 0);
		for (const [activity, weight] of weights) {
			left -= weight;
			if (left < 0) return activity;
		}
		return 'append';
	}

	async #perform(activity: Activity): Promise<void> {
		const table = this.#table;
		switch (activity) {
			case 'append':
				return this.#append(this.#world.ledger.begin('append', this.#parts()));
			case 'append-journaled':
				return this.#append(this.#world.ledger.begin('append-journaled', this.#parts()), 'journaled');
			case 'append-once': {
				const unfinished = [...this.#world.ledger.unfinished];
				const again = unfinished.length > 0 && this.#random.chance(0.7);
				return this.#append(
					again ? this.#random.pick(unfinished) : this.#world.ledger.begin('append-once', this.#parts(), 'job'),
				);
			}
			case 'transaction':
				return this.#transaction();
			case 'properties':
				return this.#timed(activity, async () => {
					await table.setProperties({ 'simulated.note': String(this.#random.between(0, 1000)) });
				});
			case 'scan':
				return this.#timed(activity, () => this.#scan());
			case 'time-travel':
				return this.#timed(activity, () => this.#timeTravel());
			case 'compact':
				return this.#timed(activity, async () => {
					await compact(table, { minInputFiles: 2, partialProgress: this.#random.chance(0.5) });
				});
			case 'rewrite-manifests':
				return this.#timed(activity, async () => {
					await rewriteManifests(table);
				});
			case 'expire':
				return this.#timed(activity, async () => {
					await expireSnapshots(table, { olderThanMs: EXPIRE_AGE_MS, retainLast: this.#random.between(1, 5) });
				});
			case 'remove-orphans':
				return this.#timed(activity, async () => {
					await removeOrphans(table, { olderThanMs: REMOVE_ORPHANS_AGE_MS });
				});
		}
	}

	/** Keeps an eye on how long something takes. */
	async #timed(label: string, work: () => Promise<unknown>, operation?: Operation): Promise<void> {
		const { ledger } = this.#world;
		const attempt = ledger.start(this.#process, label, this.#world.fullTotalMs, operation);
		try {
			const outcome = (await work()) === 'promised' ? 'promised' : 'acknowledged';
			ledger.end(attempt, outcome);
			if (operation !== undefined && outcome === 'acknowledged') this.#world.checker.acknowledged(operation);
		} catch (error) {
			ledger.end(attempt, isIcebergError(error, 'COMMIT_STATE_UNKNOWN') ? 'uncertain' : 'failed');
			this.#judge(label, error);
		}
	}

	async #append(operation: Operation, until: 'committed' | 'journaled' = 'committed'): Promise<void> {
		const { key, rows } = operation;
		await this.#timed(
			operation.kind,
			async () => {
				const result = await this.#table.append(
					rowsOf(rows),
					key === undefined ? { until } : { until, idempotencyKey: key },
				);
				if (until === 'journaled' && !result.committed) return 'promised';
				if (key === undefined && (!result.committed || result.rowCount !== rows.length))
					throw new InvariantViolation(3, `an append of ${rows.length} rows resolved with ${result.message}`);
				return 'acknowledged';
			},
			operation,
		);
	}

	async #transaction(): Promise<void> {
		const operation = this.#world.ledger.begin('transaction', [...this.#parts(), ...this.#parts()]);
		const half = Math.ceil(operation.rows.length / 2);
		await this.#timed(
			operation.kind,
			async () => {
				const transaction = this.#table.newTransaction();
				try {
					await transaction.appendData(rowsOf(operation.rows.slice(0, half)));
					await this.#process.wait(5, 'is in a transaction');
					await transaction.appendData(rowsOf(operation.rows.slice(half)));
					if (this.#random.chance(0.3)) transaction.setProperties({ 'simulated.transaction': String(operation.id) });
					await this.#commit(transaction);
				} catch (error) {
					await transaction.rollback();
					throw error;
				}
			},
			operation,
		);
	}

	/** What has failed for sure may be committed again. */
	async #commit(transaction: TableTransaction): Promise<void> {
		try {
			await transaction.commit();
		} catch (error) {
			if (!transaction.isOpen || !isIcebergError(error, 'STORAGE') || this.#random.chance(0.5)) throw error;
			await transaction.commit();
		}
	}

	async #scan(): Promise<void> {
		const { checker } = this.#world;
		const from = checker.newestVersion;
		const chunks = this.#table.scan({ select: ['id'] }).rowChunks();
		const rows: { id: number }[] = [];
		let to = from;
		let isFirst = true;
		for (;;) {
			const next = await chunks.next();
			if (isFirst) to = checker.newestVersion;
			isFirst = false;
			if (next.done === true) break;
			for (const { id } of next.value as { id: bigint }[]) rows.push({ id: Number(id) });
			if (this.#random.chance(0.2)) await this.#process.wait(SCAN_PAUSE_MS, 'reads slowly');
		}
		checker.checkScan(rows, from, to);
	}

	async #timeTravel(): Promise<void> {
		const snapshots = await this.#table.snapshots();
		if (snapshots.length === 0) return;
		const { snapshotId } = this.#random.pick(snapshots);
		await this.#process.wait(SCAN_PAUSE_MS, 'goes back in time');
		try {
			const rows = await this.#table.scan({ snapshotId, select: ['id'] }).toArray();
			this.#world.checker.checkTimeTravel(
				String(snapshotId),
				rows.map(({ id }) => ({ id: Number(id) })),
			);
		} catch (error) {
			// It may have been expired meanwhile.
			if (!(isIcebergError(error, 'NOT_FOUND') && error.context['snapshotId'] !== undefined)) throw error;
		}
	}

	#parts(): string[] {
		return Array.from({ length: this.#random.pick([1, 1, 1, 2, 5]) }, () => this.#random.pick(PARTS));
	}

	#judge(label: string, error: unknown): void {
		const world = this.#world;
		const process = this.#process;
		process.scheduler.note(
			`${process.name} ${label} failed: ${error instanceof Error ? error.message : String(error)}`,
		);
		if (error instanceof InvariantViolation || !(error instanceof IcebergError)) return world.fail(error);
		if (error.code === 'NOT_FOUND' || error.code === 'CORRUPT')
			return world.fail(
				new InvariantViolation(label === 'scan' ? 4 : 6, `${label} of ${process.name}: ${error.message}`),
			);
		if (FAULTS.some((code) => error.code === code) && world.mayFail) return;
		// Others may change what a compaction rewrites, again and again.
		if (error.code === 'VALIDATION_FAILED' && label === 'compact') return;
		world.fail(error);
	}
}

function rowsOf(rows: readonly SimRow[]): { id: number; op: number; text: string; part: string }[] {
	return rows.map(({ id, op, text, part }) => ({ id, op, text, part }));
}
