/**
 * Callers' idempotency keys. A key stands in the same metadata file as the snapshot that holds its rows, so that the swap
 * makes rows and key one atom: an append that is repeated with its key, by whomever, is found to have been made.
 */
import { IcebergError } from '../errors/iceberg-error.ts';
import { integerProperty, type Properties, textProperty } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { Action, ActionResult } from '../transaction/action.ts';
import { nodeCrypto } from '../util/lazy-builtin.ts';
import { isWellFormed } from '../util/well-formed.ts';

/** Table property that holds the keys: hashes with the ids of their snapshots, oldest first. */
export const APPEND_KEYS_PROPERTY = 'datashard.append-keys';
/** Table property that says how many of the newest keys are remembered. */
export const APPEND_KEYS_LIMIT_PROPERTY = 'datashard.append-keys.limit';
export const DEFAULT_APPEND_KEYS_LIMIT = 1000;
/** Most keys that can be asked for: each takes about 45 bytes of every metadata file. */
export const MAX_APPEND_KEYS_LIMIT = 100_000;
/** Longest key, in UTF-16 code units. */
export const APPEND_KEY_LIMIT_LENGTH = 1024;

const HASH_LENGTH = 22;

/** A key as it is remembered: 128 bits of its SHA-256. @throws `INVALID_ARGUMENT` for what is no key */
export function appendKeyHash(key: unknown): string {
	if (typeof key !== 'string' || key === '' || key.length > APPEND_KEY_LIMIT_LENGTH || !isWellFormed(key)) {
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`idempotencyKey is a text of 1 to ${APPEND_KEY_LIMIT_LENGTH} characters, not ${typeof key === 'string' ? `one of ${key.length}` : typeof key}`,
			{ context: { idempotencyKey: key } },
		);
	}
	return nodeCrypto().createHash('sha256').update(key, 'utf8').digest('base64url').slice(0, HASH_LENGTH);
}

/**
 * The remembered keys of a table: hash to snapshot id, oldest first.
 * @throws `CORRUPT` when something else than this library has written the property: what was appended cannot be told then
 */
export function rememberedKeys(properties: Properties, location: string): Map<string, bigint> {
	const text = textProperty(properties, APPEND_KEYS_PROPERTY);
	const keys = new Map<string, bigint>();
	for (const entry of text === undefined || text === '' ? [] : text.split(' ')) {
		const [, hash, snapshotId] = /^([\w-]{22}):(\d{1,19})$/.exec(entry) ?? [];
		if (hash === undefined || snapshotId === undefined) {
			throw new IcebergError(
				'CORRUPT',
				`the property '${APPEND_KEYS_PROPERTY}' of ${location} holds '${entry.slice(0, 60)}', which is no key`,
				{
					context: { location, property: APPEND_KEYS_PROPERTY },
				},
			);
		}
		keys.set(hash, BigInt(snapshotId));
	}
	return keys;
}

/** Thrown out of a commit when another process committed one of its keys first. */
export class KeyTakenError extends IcebergError {
	constructor(location: string) {
		super('VALIDATION_FAILED', `${location}: another process has appended with the same idempotencyKey meanwhile`);
	}
}

/** Remembers keys with the snapshot that the actions before it have made. */
export class RememberKeysAction implements Action {
	readonly name = 'remember append keys';
	readonly #hashes: readonly string[];

	constructor(hashes: readonly string[]) {
		this.#hashes = hashes;
	}

	/** @throws {@link KeyTakenError} when the table remembers one of them already */
	async apply(base: TableMetadata): Promise<ActionResult> {
		const keys = rememberedKeys(base.properties, base.location);
		if (this.#hashes.some((hash) => keys.has(hash))) throw new KeyTakenError(base.location);
		if (base.currentSnapshotId === undefined) throw new Error('keys are remembered with a snapshot');
		for (const hash of this.#hashes) keys.set(hash, base.currentSnapshotId);
		const limit = integerProperty(base.properties, APPEND_KEYS_LIMIT_PROPERTY, DEFAULT_APPEND_KEYS_LIMIT, {
			max: MAX_APPEND_KEYS_LIMIT,
		});
		const newest = [...keys].slice(Math.max(0, keys.size - limit));
		const text = newest.map(([hash, snapshotId]) => `${hash}:${snapshotId}`).join(' ');
		return {
			updates: [{ action: 'set-properties', updates: { [APPEND_KEYS_PROPERTY]: text } }],
			requirements: [],
			newFiles: [],
		};
	}

	async committed(): Promise<void> {
		// It writes no files.
	}

	async abandoned(): Promise<void> {
		// It writes no files.
	}
}
