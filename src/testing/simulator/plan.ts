/** What kind of a simulation a seed makes: how many processes, which faults, how often. */
import type { FormatVersion } from '../../spec/table-metadata.ts';
import { type CallFaults, NO_CALL_FAULTS } from './sim-fs-calls.ts';
import { NO_STORAGE_FAULTS, type StorageFaults } from './sim-file-io.ts';
import { SimRandom } from './sim-random.ts';

/** What a client may do next, and how likely it is beside the others. */
export type Activity =
	| 'append'
	| 'append-once'
	| 'append-journaled'
	| 'transaction'
	| 'properties'
	| 'scan'
	| 'time-travel'
	| 'compact'
	| 'rewrite-manifests'
	| 'expire'
	| 'remove-orphans';

export interface SimulationPlan {
	readonly processCount: number;
	readonly clientsPerProcess: number;
	/** mean virtual time between what a client does, ms */
	readonly thinkMs: number;
	readonly formatVersion: FormatVersion;
	readonly isPartitioned: boolean;
	readonly properties: Readonly<Record<string, string>>;
	readonly callFaults: CallFaults;
	readonly storageFaults: StorageFaults;
	/** mean virtual ms between two of them; 0: never */
	readonly killEveryMs: number;
	readonly powerLossEveryMs: number;
	readonly stopEveryMs: number;
	/** mean length of a stop, virtual ms */
	readonly stopMs: number;
	readonly clockJumpEveryMs: number;
	readonly fullEveryMs: number;
	readonly foreignEveryMs: number;
	/** times in which nobody begins anything, long enough for grace periods to pass */
	readonly quietEveryMs: number;
	readonly quietMs: number;
	/** appends of processes that meet go by way of journals and a leader */
	readonly journals: boolean;
	/** probability that a connection breaks at a message */
	readonly linkBreaks: number;
	/** tables look after themselves in the background */
	readonly selfMaintenance: boolean;
	readonly weights: Readonly<Record<Activity, number>>;
}

const HOUR_MS = 3_600_000;

/** Each kind of fault is in some plans and not in others, so that one does not hide what another would show. */
export function planOf(seed: number): SimulationPlan {
	const random = new SimRandom(`plan ${seed}`);
	const some = (probability: number, value: () => number): number => (random.chance(probability) ? value() : 0);
	const thinkMs = random.pick([2, 10, 40, 150]);
	const formatVersion = random.pick<FormatVersion>([1, 2, 2, 2, 3]);
	const isCalm = random.chance(0.1);
	const journals = random.chance(0.6);
	const often = (probability: number, ms: number): number =>
		isCalm ? 0 : some(probability, () => ms * random.pick([1, 2, 4]));
	const faulty = (probability: number): boolean => !isCalm && random.chance(probability);
	const previousVersions = random.pick([1, 5, 30, 'unset']);
	return {
		processCount: random.between(2, 5),
		clientsPerProcess: random.between(1, 3),
		thinkMs,
		formatVersion,
		isPartitioned: random.chance(0.4),
		properties: {
			'write.parquet.compression-codec': random.pick(['uncompressed', 'gzip']),
			'write.metadata.compression-codec': random.pick(['none', 'none', 'gzip']),
			...(previousVersions === 'unset' ? {} : { 'write.metadata.previous-versions-max': String(previousVersions) }),
			'commit.manifest.min-count-to-merge': String(random.pick([3, 8, 100])),
		},
		callFaults: faulty(0.4)
			? {
					fail: some(0.6, () => random.pick([0.002, 0.01])),
					lostReply: some(0.7, () => random.pick([0.01, 0.05])),
					flush: some(0.6, () => random.pick([0.005, 0.02])),
					epermForEexist: some(0.5, () => 0.7),
				}
			: NO_CALL_FAULTS,
		storageFaults: faulty(0.4)
			? { lostReply: some(0.8, () => random.pick([0.01, 0.05])), fail: some(0.6, () => random.pick([0.005, 0.02])) }
			: NO_STORAGE_FAULTS,
		killEveryMs: often(0.5, 20 * thinkMs + 60),
		powerLossEveryMs: often(0.35, 40 * thinkMs + 200),
		stopEveryMs: often(0.5, 10 * thinkMs + 40),
		stopMs: random.pick([20, 200, 3000]),
		clockJumpEveryMs: often(0.3, 10 * thinkMs + 50),
		fullEveryMs: often(0.2, 40 * thinkMs + 200),
		foreignEveryMs: often(0.5, 10 * thinkMs + 50),
		quietEveryMs: random.chance(0.5) ? 40 * thinkMs + 300 : 0,
		quietMs: random.pick([2 * HOUR_MS, 30 * HOUR_MS]),
		journals,
		linkBreaks: faulty(0.3) ? 0.02 : 0,
		selfMaintenance: random.chance(0.4),
		weights: {
			append: 10,
			'append-journaled': journals ? random.pick([0, 3, 10]) : 0,
			'append-once': random.pick([0, 3, 10]),
			transaction: random.pick([0, 2, 5]),
			properties: random.pick([0, 1]),
			scan: random.pick([1, 3]),
			'time-travel': random.pick([0, 1]),
			compact: random.pick([0, 0.5, 2]),
			'rewrite-manifests': random.pick([0, 0.5]),
			expire: random.pick([0, 0.5, 2]),
			'remove-orphans': random.pick([0, 0.3]),
		},
	};
}

/** One of each activity and no faults: what loads all that any simulation loads. */
export const WARM_UP_PLAN: SimulationPlan = {
	processCount: 1,
	clientsPerProcess: 1,
	thinkMs: 1,
	formatVersion: 2,
	isPartitioned: true,
	properties: {
		'write.parquet.compression-codec': 'gzip',
		'write.metadata.compression-codec': 'gzip',
		'commit.manifest.min-count-to-merge': '3',
	},
	callFaults: NO_CALL_FAULTS,
	storageFaults: NO_STORAGE_FAULTS,
	killEveryMs: 0,
	powerLossEveryMs: 0,
	stopEveryMs: 0,
	stopMs: 0,
	clockJumpEveryMs: 0,
	fullEveryMs: 0,
	foreignEveryMs: 0,
	quietEveryMs: 0,
	quietMs: 0,
	journals: true,
	linkBreaks: 0,
	selfMaintenance: true,
	weights: {
		append: 1,
		'append-journaled': 1,
		'append-once': 1,
		transaction: 1,
		properties: 1,
		scan: 1,
		'time-travel': 1,
		compact: 1,
		'rewrite-manifests': 1,
		expire: 1,
		'remove-orphans': 1,
	},
};
