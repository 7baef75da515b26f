/** Table properties as typed values. Iceberg: Configuration, Table properties. Names are those of other engines. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { isWellFormed } from '../util/well-formed.ts';

export type Properties = Readonly<Record<string, string>>;

/** The names that this engine obeys outside of the writing of data files. */
export const TABLE_PROPERTY = {
	commitNumRetries: 'commit.retry.num-retries',
	commitMinRetryWaitMs: 'commit.retry.min-wait-ms',
	commitMaxRetryWaitMs: 'commit.retry.max-wait-ms',
	commitTotalRetryTimeMs: 'commit.retry.total-timeout-ms',
	manifestTargetSizeBytes: 'commit.manifest.target-size-bytes',
	manifestMinMergeCount: 'commit.manifest.min-count-to-merge',
	manifestMergeEnabled: 'commit.manifest-merge.enabled',
	manifestCompression: 'write.manifest.compression-codec',
	manifestCompressionLevel: 'write.manifest.compression-level',
	partitionSummaryLimit: 'write.summary.partition-limit',
	dataPath: 'write.data.path',
	metadataPath: 'write.metadata.path',
	metadataCompression: 'write.metadata.compression-codec',
	metadataPreviousVersionsMax: 'write.metadata.previous-versions-max',
	metadataDeleteAfterCommit: 'write.metadata.delete-after-commit.enabled',
	gcEnabled: 'gc.enabled',
	encryptionKeyId: 'encryption.key-id',
	/** rows that were appended until `journaled` are in a snapshot after so many ms, and the time of a commit */
	commitIntervalMs: 'datashard.commit-interval-ms',
} as const;

/** Names by which other engines show parts of the metadata; they cannot be set. */
export const RESERVED_PROPERTIES: ReadonlySet<string> = new Set([
	'format-version',
	'uuid',
	'snapshot-count',
	'current-snapshot-summary',
	'current-snapshot-id',
	'current-snapshot-timestamp-ms',
	'current-schema',
	'default-partition-spec',
	'default-sort-order',
]);

/** The text of a property; `undefined` when it is not set. */
export function textProperty(properties: Properties, name: string): string | undefined {
	return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

export interface IntegerRange {
	/** Default 0. */
	readonly min?: number;
	/** Default 2^53 - 1. */
	readonly max?: number;
}

/** @throws `INVALID_ARGUMENT`, naming property and value, for what is no whole number in the range */
export function integerProperty(
	properties: Properties,
	name: string,
	fallback: number,
	range: IntegerRange = {},
): number {
	const text = textProperty(properties, name);
	if (text === undefined) return fallback;
	const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
	const value = /^[+-]?\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN;
	if (!(value >= min && value <= max))
		throw nonsense(
			name,
			text,
			max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`,
		);
	return value;
}

/** @throws `INVALID_ARGUMENT`, naming property and value, for what is neither true nor false */
export function booleanProperty(properties: Properties, name: string, fallback: boolean): boolean {
	const text = textProperty(properties, name);
	if (text === undefined) return fallback;
	const value = text.trim().toLowerCase();
	if (value !== 'true' && value !== 'false') throw nonsense(name, text, "'true' or 'false'");
	return value === 'true';
}

/**
 * One of several words; case does not matter.
 * @throws `INVALID_ARGUMENT`, naming property and value, for any other
 */
export function choiceProperty<T extends string>(
	properties: Properties,
	name: string,
	choices: readonly T[],
	fallback: T,
): T {
	const text = textProperty(properties, name);
	if (text === undefined) return fallback;
	const value = text.trim().toLowerCase();
	const choice = choices.find((each) => each === value);
	if (choice === undefined) throw nonsense(name, text, `one of ${choices.map((each) => `'${each}'`).join(', ')}`);
	return choice;
}

/** How commits are retried; parts that are not set are absent. */
export interface CommitRetryProperties {
	readonly maxRetries?: number;
	/** ms */
	readonly minWaitMs?: number;
	/** ms */
	readonly maxWaitMs?: number;
	/** ms */
	readonly totalTimeoutMs?: number;
}

/** Longest wait that is taken, ms: what a 32-bit `int` of other engines holds. */
const MAX_WAIT_MS = 2_147_483_647;

/** `commit.retry.*`. @throws `INVALID_ARGUMENT` */
export function commitRetryProperties(properties: Properties): CommitRetryProperties {
	const entry = (name: string): number | undefined =>
		textProperty(properties, name) === undefined
			? undefined
			: integerProperty(properties, name, 0, { max: MAX_WAIT_MS });
	const maxRetries = entry(TABLE_PROPERTY.commitNumRetries);
	const minWaitMs = entry(TABLE_PROPERTY.commitMinRetryWaitMs);
	const maxWaitMs = entry(TABLE_PROPERTY.commitMaxRetryWaitMs);
	const totalTimeoutMs = entry(TABLE_PROPERTY.commitTotalRetryTimeMs);
	return {
		...(maxRetries === undefined ? {} : { maxRetries }),
		...(minWaitMs === undefined ? {} : { minWaitMs }),
		...(maxWaitMs === undefined ? {} : { maxWaitMs }),
		...(totalTimeoutMs === undefined ? {} : { totalTimeoutMs }),
	};
}

export interface ManifestProperties {
	readonly mergeEnabled: boolean;
	/** bytes */
	readonly targetSizeBytes: number;
	readonly minCountToMerge: number;
	readonly codec: 'uncompressed' | 'gzip' | 'zstd' | 'snappy';
	readonly codecLevel: number | undefined;
	/** the table asks for no codec: what is mostly header may stay uncompressed */
	readonly plainWhenSmall: boolean;
	/** most changed partitions for which a snapshot's summary tells each one's changes; 0: never */
	readonly partitionSummaryLimit: number;
}

const DEFAULT_MANIFEST_TARGET_SIZE_BYTES = 8 * 1024 * 1024;
const DEFAULT_MANIFEST_MIN_MERGE_COUNT = 100;
const MAX_CODEC_LEVEL = 22;

/** `commit.manifest.*` and its neighbours, with the defaults of other engines. @throws `INVALID_ARGUMENT` */
export function manifestProperties(properties: Properties): ManifestProperties {
	const level = TABLE_PROPERTY.manifestCompressionLevel;
	return {
		mergeEnabled: booleanProperty(properties, TABLE_PROPERTY.manifestMergeEnabled, true),
		targetSizeBytes: integerProperty(
			properties,
			TABLE_PROPERTY.manifestTargetSizeBytes,
			DEFAULT_MANIFEST_TARGET_SIZE_BYTES,
			{ min: 1 },
		),
		minCountToMerge: integerProperty(
			properties,
			TABLE_PROPERTY.manifestMinMergeCount,
			DEFAULT_MANIFEST_MIN_MERGE_COUNT,
			{ min: 1 },
		),
		codec: choiceProperty(
			properties,
			TABLE_PROPERTY.manifestCompression,
			['uncompressed', 'gzip', 'zstd', 'snappy'],
			'gzip',
		),
		codecLevel:
			textProperty(properties, level) === undefined
				? undefined
				: integerProperty(properties, level, 0, { min: -1, max: MAX_CODEC_LEVEL }),
		plainWhenSmall: textProperty(properties, TABLE_PROPERTY.manifestCompression) === undefined,
		partitionSummaryLimit: integerProperty(properties, TABLE_PROPERTY.partitionSummaryLimit, 0),
	};
}

/** How metadata files are written and how many are kept. */
export interface MetadataFileProperties {
	readonly codec: 'none' | 'gzip';
	/** whether a commit deletes the files that have left the log */
	readonly deleteAfterCommit: boolean;
	/** files before the current one that are kept */
	readonly previousVersionsMax: number;
}

/** How many previous metadata files the log names when the table does not say. */
export const DEFAULT_PREVIOUS_VERSIONS_MAX = 100;

/** `write.metadata.*`. @throws `INVALID_ARGUMENT` */
export function metadataFileProperties(properties: Properties): MetadataFileProperties {
	return {
		codec: choiceProperty(properties, TABLE_PROPERTY.metadataCompression, ['none', 'gzip'], 'none'),
		deleteAfterCommit: booleanProperty(properties, TABLE_PROPERTY.metadataDeleteAfterCommit, false),
		previousVersionsMax: integerProperty(
			properties,
			TABLE_PROPERTY.metadataPreviousVersionsMax,
			DEFAULT_PREVIOUS_VERSIONS_MAX,
			{ min: 1 },
		),
	};
}

export const DEFAULT_COMMIT_INTERVAL_MS = 100;
const MAX_COMMIT_INTERVAL_MS = 60_000;

/** `datashard.commit-interval-ms`. @throws `INVALID_ARGUMENT` */
export function commitIntervalMs(properties: Properties): number {
	return integerProperty(properties, TABLE_PROPERTY.commitIntervalMs, DEFAULT_COMMIT_INTERVAL_MS, {
		min: 1,
		max: MAX_COMMIT_INTERVAL_MS,
	});
}

/**
 * Checks properties that are about to be set: none is reserved, all are text, and those above make sense.
 * @throws `INVALID_ARGUMENT`, naming property and value
 */
export function checkProperties(properties: Properties): void {
	for (const [name, value] of Object.entries(properties)) {
		if (name === '') throw new IcebergError('INVALID_ARGUMENT', 'a property has an empty name');
		if (typeof value !== 'string')
			throw new IcebergError('INVALID_ARGUMENT', `the property '${name}' must be text, not ${String(value)}`, {
				context: { property: name },
			});
		if (!isWellFormed(value) || !isWellFormed(name))
			throw new IcebergError('INVALID_ARGUMENT', `the property '${name}' contains a lone surrogate`, {
				context: { property: name },
			});
		if (RESERVED_PROPERTIES.has(name))
			throw new IcebergError(
				'INVALID_ARGUMENT',
				name === 'format-version'
					? "'format-version' is no property: create the table with, or upgrade it to, a format version"
					: `'${name}' is reserved: it cannot be set as a property`,
				{ context: { property: name } },
			);
	}
	commitRetryProperties(properties);
	manifestProperties(properties);
	metadataFileProperties(properties);
	commitIntervalMs(properties);
	booleanProperty(properties, TABLE_PROPERTY.gcEnabled, true);
}

function nonsense(name: string, value: string, expected: string): IcebergError {
	return new IcebergError('INVALID_ARGUMENT', `the table property '${name}' is '${value}'; it must be ${expected}`, {
		context: { property: name, value },
	});
}
