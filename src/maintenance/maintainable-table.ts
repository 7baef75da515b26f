/** What maintenance needs of a table, and the conditions under which it may delete files. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { withoutTrailingSlash } from '../io/location.ts';
import { samePlace } from '../io/same-place.ts';
import { booleanProperty, TABLE_PROPERTY } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { CommitOptions } from '../transaction/commit-actions.ts';
import type { Committer } from '../transaction/committer.ts';
import type { Clock, Random } from '../util/ports.ts';
import type { Processes } from '../util/process-identity.ts';

/** `Table` fits it. */
export interface MaintainableTable {
	/** the folder by which it was opened */
	readonly location: string;
	readonly io: FileIO;
	readonly metadata: TableMetadata;
	/** the file that `metadata` was read from */
	readonly metadataLocation: string;
	refresh(signal?: AbortSignal): Promise<unknown>;
	commitPorts(): {
		readonly committer: Committer;
		readonly clock: Clock;
		readonly random: Random;
		/** Default: this system's processes. */
		readonly processes?: Processes | undefined;
		readonly onConflict?: CommitOptions['onConflict'];
	};
}

/**
 * How long a file stays after the last metadata that reaches it was replaced, ms: readers and commits that began before
 * may still need it.
 */
export const DEFAULT_GRACE_MS = 3_600_000;

/**
 * Refuses to delete files of a table that may share them.
 * @throws `VALIDATION_FAILED` when `gc.enabled` is false, and for a table that was copied or moved: its metadata names
 *   the files of the place where it was
 */
export function assertOwnsFiles(table: MaintainableTable): void {
	const { metadata, location } = table;
	if (!booleanProperty(metadata.properties, TABLE_PROPERTY.gcEnabled, true)) {
		throw new IcebergError(
			'VALIDATION_FAILED',
			`no file of ${location} is deleted: its property '${TABLE_PROPERTY.gcEnabled}' is 'false', which says that its ` +
				'files may belong to other tables, too',
			{ context: { location } },
		);
	}
	if (samePlace(withoutTrailingSlash(metadata.location), withoutTrailingSlash(location))) return;
	throw new IcebergError(
		'VALIDATION_FAILED',
		`no file of ${location} is deleted: its metadata says that it is at ${metadata.location}. It was copied or moved`,
		{ context: { location, metadataLocation: metadata.location } },
	);
}

/** @throws `INVALID_ARGUMENT` for what is no duration */
export function durationMs(name: string, value: number | undefined, fallback: number): number {
	const ms = value ?? fallback;
	if (typeof ms === 'number' && ms >= 0) return ms;
	throw new IcebergError('INVALID_ARGUMENT', `${name} is a number of milliseconds from 0 up, not ${String(ms)}`, {
		context: { [name]: ms },
	});
}
