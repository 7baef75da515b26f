/** What all changes have in common that add a snapshot. */
import type { FileIO } from '../io/file-io.ts';
import type { ManifestWriteContext } from '../manifest/manifest-writer.ts';
import { manifestProperties, type ManifestProperties } from '../metadata/table-properties.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { Action, ActionContext, ActionResult } from './action.ts';
import type { PendingWrites } from './pending-writes.ts';
import { rememberManifest } from './recent-manifests.ts';
import { MANIFEST_CODECS, type SnapshotContent, SnapshotProducer } from './snapshot-producer.ts';

/** One application of the change to one base. */
export interface SnapshotAttempt {
	readonly base: TableMetadata;
	readonly context: ActionContext;
	readonly properties: ManifestProperties;
	/** the branch's snapshot; `undefined` for a table without any */
	readonly parent: Snapshot | undefined;
	/** for all manifests of the attempt: everything but spec and content */
	readonly write: Omit<ManifestWriteContext, 'specId' | 'content'>;
	/** Puts a new manifest somewhere and says where; it is written when {@link produce} resolves. */
	readonly store: (bytes: Uint8Array) => Promise<string>;
	/** Adds the snapshot with its manifest list. Nothing is changed where it is not called. */
	readonly produce: (content: SnapshotContent) => Promise<ActionResult>;
}

/**
 * Manifests that an attempt wrote are used again by the next ones: the snapshot keeps its id. When it cannot, or the table
 * was upgraded, they are forgotten.
 */
export abstract class SnapshotAction implements Action {
	abstract readonly name: string;
	readonly #producer: SnapshotProducer;
	#formatVersion: number | undefined;

	/** @param branch to which the snapshot is committed */
	constructor(branch: string) {
		this.#producer = new SnapshotProducer(branch);
	}

	async apply(base: TableMetadata, context: ActionContext): Promise<ActionResult> {
		if (this.isEmpty()) return NOTHING_TO_CHANGE;
		const producer = this.#producer;
		SnapshotProducer.checkWritable(base);
		const properties = manifestProperties(base.properties);
		const parent = producer.parentIn(base);
		const { id: snapshotId, renewed } = producer.snapshotIdIn(base, context);
		if (renewed || this.#formatVersion !== base.formatVersion) this.forget();
		this.#formatVersion = base.formatVersion;
		const writes: PendingWrites = producer.startWrites(context.io);
		const write = {
			formatVersion: base.formatVersion,
			table: base,
			snapshotId,
			codec: MANIFEST_CODECS[properties.codec],
			plainWhenSmall: properties.plainWhenSmall,
			...(properties.codecLevel === undefined ? {} : { codecLevel: properties.codecLevel }),
		};
		const store = async (bytes: Uint8Array): Promise<string> => {
			const location = producer.newManifestLocation(context);
			await writes.add(location, bytes);
			rememberManifest(context.io, location, bytes);
			return location;
		};
		const produce = (content: SnapshotContent): Promise<ActionResult> =>
			producer.produce(base, parent, content, properties, writes, context);
		try {
			return await this.attempt({ base, context, properties, parent, write, store, produce });
		} catch (error) {
			// No write may still be under way when the files are cleaned up.
			await writes.ended();
			throw error;
		}
	}

	async committed(metadata: TableMetadata, io: FileIO): Promise<void> {
		await this.#producer.committed(metadata, io);
	}

	async abandoned(io: FileIO): Promise<void> {
		await this.#producer.abandoned(io);
		this.forget();
	}

	/** True when there is nothing to change, whatever the base. */
	protected isEmpty(): boolean {
		return false;
	}

	/** Applies the change. */
	protected abstract attempt(attempt: SnapshotAttempt): Promise<ActionResult>;

	/** Forgets the manifests of earlier attempts. */
	protected abstract forget(): void;
}

/** A change that has nothing to do on a base. */
export const NOTHING_TO_CHANGE: ActionResult = { updates: [], requirements: [], newFiles: [] };
