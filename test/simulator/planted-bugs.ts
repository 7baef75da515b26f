/** Known mistakes, put between the layers of a simulation. Production code has no switch for any of them. */
import { constants } from 'node:fs';
import { encodeMetadataFile } from '../../src/catalog/metadata-file.ts';
import type { FileIO, PutOptions } from '../../src/io/file-io.ts';
import type { SimFsCalls } from '../../src/testing/simulator/sim-fs-calls.ts';
import { type SimulationPlan, WARM_UP_PLAN } from '../../src/testing/simulator/plan.ts';
import type { SimulationHooks } from '../../src/testing/simulator/simulation.ts';
import { JOURNALS_PROPERTY } from '../../src/ingest/journal-positions.ts';
import { addedSnapshots } from '../../src/transaction/commit-id.ts';
import type { Committer, LoadedMetadata, SwapOutcome, SwapRequest } from '../../src/transaction/committer.ts';

/** The same object, but for some members. */
function except<T extends object>(object: T, changes: Partial<T>): T {
	return new Proxy(object, {
		get(target, name) {
			if (Object.hasOwn(changes, name)) return changes[name as keyof T];
			const value: unknown = Reflect.get(target, name, target);
			return typeof value === 'function' ? value.bind(target) : value;
		},
	});
}

/** Whoever links the next name has committed: that the base may be long gone is not looked at. */
const noBaseCheck: SimulationHooks = {
	committer: (inner, table) =>
		except(inner, {
			async swap(request: SwapRequest): Promise<SwapOutcome> {
				const { base, next, newFiles = [] } = request;
				if (base === undefined) return inner.swap(request);
				const version = (base.token as { readonly version: number }).version + 1;
				const location = `${table}/metadata/v${version}.metadata.json`;
				const bytes = await encodeMetadataFile(next, 'none');
				try {
					const put = await inner.io.putIfAbsent(location, bytes, { after: newFiles });
					if (put === 'exists') return { outcome: 'conflict' };
				} catch (cause) {
					return { outcome: 'unknown', cause };
				}
				await inner.io.replace(`${table}/metadata/version-hint.text`, Buffer.from(String(version)));
				// As the real one does, or the table would not move on.
				const old = version - 22;
				if (old > 0) await inner.io.delete(`${table}/metadata/v${old}.metadata.json`).catch(() => false);
				const loaded: LoadedMetadata = { metadata: next, metadataLocation: location, token: { version } };
				return { outcome: 'committed', loaded };
			},
		}),
};

/** A commit of which it is not known whether it happened is taken for failed, and its files are removed. */
const cleanupOnUnknown: SimulationHooks = {
	committer: (inner) =>
		except(inner, {
			async swap(request: SwapRequest): Promise<SwapOutcome> {
				const outcome = await inner.swap(request);
				if (outcome.outcome !== 'unknown') return outcome;
				for (const { manifestList } of addedSnapshots(request.updates))
					if (manifestList !== undefined) await inner.io.delete(manifestList).catch(() => false);
				return outcome;
			},
		}),
};

/** What a new version refers to is written and not flushed: neither contents that were put off nor names. */
const noFlushBeforeLink: SimulationHooks = {
	io: (inner) =>
		except(inner, {
			persistNames: async () => undefined,
			putIfAbsent: (location: string, bytes: Uint8Array, _options?: PutOptions) => inner.putIfAbsent(location, bytes),
		}),
};

/** The folder is not flushed after the link. */
const noFlushAfterLink: SimulationHooks = {
	calls(inner: SimFsCalls) {
		/** descriptors of metadata folders, opened after a link that has not been flushed */
		const skipped = new Set<number>();
		let linked = false;
		return except(inner, {
			async link(existing: string, name: string) {
				await inner.link(existing, name);
				linked = true;
			},
			async open(path: string, flags: number) {
				const fd = await inner.open(path, flags);
				if (linked && (flags & constants.O_DIRECTORY) !== 0 && path.endsWith('/metadata')) {
					skipped.add(fd);
					linked = false;
				}
				return fd;
			},
			fsync: (fd: number) => (skipped.delete(fd) ? Promise.resolve() : inner.fsync(fd)),
		});
	},
};

/** Idempotency keys are dropped on the way. */
const noDedupe: SimulationHooks = {
	appender: (inner) =>
		except(inner, {
			append(schema, batches, request) {
				const { idempotencyKey: _, ...rest } = request;
				return inner.append(schema, batches, rest);
			},
		}),
};

/** A process that cannot flush says that it did. */
const flushFailuresIgnored: SimulationHooks = {
	calls: (inner: SimFsCalls) => except(inner, { fsync: (fd: number) => inner.fsync(fd).catch(() => undefined) }),
};

/** Two writers may replace one another's version: a rename where a link should be. */
const renameForLink: SimulationHooks = {
	calls: (inner: SimFsCalls) =>
		except(inner, {
			link: async (existing: string, name: string) => {
				if (inner.looks.stat(name) !== undefined) throw Object.assign(new Error('EEXIST'), { code: 'EEXIST' });
				await inner.rename(existing, name);
			},
		}),
};

/** What was folded is read from an older state than the one that is committed on. */
const stalePositions: SimulationHooks = {
	committer(inner) {
		let last: string | undefined;
		return except(inner, {
			async load(signal?: AbortSignal) {
				const loaded = await inner.load(signal);
				const { metadata } = loaded;
				const before = last;
				last = metadata.properties[JOURNALS_PROPERTY];
				if (before === undefined) return loaded;
				const properties = { ...metadata.properties, [JOURNALS_PROPERTY]: before };
				return { ...loaded, metadata: { ...metadata, properties } };
			},
		});
	},
};

/** A journal is said to be durable, and is not. */
const journalNotFlushed: SimulationHooks = {
	journals: (inner) =>
		except(inner, {
			create: async (name: string) => except(await inner.create(name), { sync: async () => undefined }),
		}),
};

/** A journal's file may come back after its entry was dropped. */
const journalRemovalNotFlushed: SimulationHooks = {
	journals: (inner, calls, table) =>
		except(inner, {
			async remove(name: string) {
				await calls.unlink(`${table}/_journal/${name}`).catch(() => undefined);
				return true;
			},
		}),
};

export interface PlantedBug {
	readonly name: string;
	readonly hooks: SimulationHooks;
	/** a seed that finds it as the code stands: looked at first, before all others */
	readonly seed: number;
	/** invariants that may be the first that is seen not to hold */
	readonly invariants: readonly number[];
	/** in place of what the seed would make of it */
	readonly plan?: Partial<SimulationPlan>;
	/** leave it to power losses to show what is not durable */
	readonly checkDurability?: boolean;
}

const JOURNALS: Partial<SimulationPlan> = {
	journals: true,
	processCount: 3,
	clientsPerProcess: 2,
	thinkMs: 20,
	powerLossEveryMs: 150,
	killEveryMs: 100,
	quietEveryMs: 0,
	weights: { ...WARM_UP_PLAN.weights, append: 10, 'append-journaled': 20, 'remove-orphans': 0 },
};

const KEYS: Partial<SimulationPlan> = {
	thinkMs: 20,
	killEveryMs: 100,
	quietEveryMs: 0,
	storageFaults: { lostReply: 0.05, fail: 0.02 },
	weights: { ...WARM_UP_PLAN.weights, append: 10, 'append-once': 20, 'append-journaled': 0, 'remove-orphans': 0 },
};

const POWER: Partial<SimulationPlan> = { ...JOURNALS, powerLossEveryMs: 120, killEveryMs: 0 };

/** Many that commit at once, each by itself. */
const RACES: Partial<SimulationPlan> = {
	journals: false,
	processCount: 5,
	clientsPerProcess: 2,
	thinkMs: 2,
	quietEveryMs: 0,
	weights: { ...WARM_UP_PLAN.weights, append: 20, 'append-journaled': 0 },
};

export const PLANTED_BUGS: readonly PlantedBug[] = [
	{ name: 'no base check after the link', seed: 1, hooks: noBaseCheck, invariants: [1, 5, 7] },
	{ name: 'cleanup on an unknown outcome', seed: 4, hooks: cleanupOnUnknown, invariants: [6, 7] },
	{ name: 'no flush before the link', seed: 1, hooks: noFlushBeforeLink, invariants: [1, 6] },
	{
		name: 'no flush before the link, shown by a power loss',
		seed: 1,
		hooks: noFlushBeforeLink,
		invariants: [1, 6],
		checkDurability: false,
		plan: POWER,
	},
	{ name: 'no flush of the folder after the link', seed: 1, hooks: noFlushAfterLink, invariants: [1] },
	{
		name: 'no flush of the folder after the link, shown by a power loss',
		seed: 3,
		hooks: noFlushAfterLink,
		invariants: [1, 6],
		checkDurability: false,
		plan: POWER,
	},
	{ name: 'failures to flush are ignored', seed: 1, hooks: flushFailuresIgnored, invariants: [1, 6] },
	{ name: 'a rename in place of the link', seed: 8, hooks: renameForLink, invariants: [1, 5], plan: RACES },
	{
		name: 'positions of journals are read from an older state',
		seed: 17,
		hooks: stalePositions,
		invariants: [1, 2],
	},
	{ name: 'a journal is not flushed', seed: 1, hooks: journalNotFlushed, invariants: [1], plan: JOURNALS },
	{
		name: 'the removal of a journal is not flushed',
		seed: 2,
		hooks: journalRemovalNotFlushed,
		invariants: [2],
		plan: JOURNALS,
	},
	{ name: 'idempotency keys are not looked at', seed: 1, hooks: noDedupe, invariants: [2], plan: KEYS },
];

/** The engine under a committer that does nothing wrong: what hooks do by themselves breaks nothing. */
export const HARMLESS: SimulationHooks = {
	calls: (inner: SimFsCalls) => except(inner, {}),
	io: (inner: FileIO) => except(inner, {}),
	committer: (inner: Committer) => except(inner, {}),
};
