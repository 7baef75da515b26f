/** Adding a snapshot: its manifest list, its summary, the updates. Iceberg spec: Snapshots. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { joinLocation } from '../io/location.ts';
import type { AvroCodec } from '../codec/avro/container-reader.ts';
import { encodeManifestList } from '../manifest/manifest-list.ts';
import type { ManifestFile } from '../manifest/types.ts';
import { type ManifestProperties, TABLE_PROPERTY, textProperty } from '../metadata/table-properties.ts';
import type { Snapshot, SnapshotOperation } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { refByName, snapshotById } from '../spec/table-metadata-lookup.ts';
import { writerSuffix } from '../util/process-identity.ts';
import { randomPositiveLong, randomUuid } from '../util/uuid.ts';
import { type ActionContext, type ActionResult, deleteQuietly } from './action.ts';
import { COMMIT_ID_KEY } from './commit-id.ts';
import { rememberManifestList } from './manifest-lists.ts';
import { PendingWrites } from './pending-writes.ts';
import { ENGINE_SUMMARY, type Summary, totals } from './snapshot-summary.ts';

export const MANIFEST_CODECS: Readonly<Record<ManifestProperties['codec'], AvroCodec>> = {
	uncompressed: 'null',
	gzip: 'deflate',
	zstd: 'zstandard',
	snappy: 'snappy',
};

/** What an operation makes of its parent's manifests. */
export interface SnapshotContent {
	readonly operation: SnapshotOperation;
	/** of the new snapshot, in the order of the list: new ones first */
	readonly manifests: readonly ManifestFile[];
	/** manifests of the parent that are not there any more, others standing for them */
	readonly replacedManifestCount: number;
	/** counts of what changed, and what the caller adds */
	readonly summary: Summary;
}

/**
 * What all operations that add a snapshot share: the snapshot's id, which stays through all attempts so that manifests
 * can be used again; the files that attempts wrote; and their removal.
 */
export class SnapshotProducer {
	readonly branch: string;
	#snapshotId: bigint | undefined;
	#fileId: string | undefined;
	#manifestCount = 0;
	#listCount = 0;
	/** everything written by any attempt */
	readonly #written = new Set<string>();
	/** manifests that each attempt's list names, by the list's location */
	readonly #manifestsByList = new Map<string, ReadonlySet<string>>();

	constructor(branch: string) {
		this.branch = branch;
	}

	/** @throws `UNSUPPORTED` for a table that is encrypted */
	static checkWritable(base: TableMetadata): void {
		if (textProperty(base.properties, TABLE_PROPERTY.encryptionKeyId) !== undefined)
			throw new IcebergError('UNSUPPORTED', `the table ${base.location} is encrypted; writing to it is not supported`, {
				context: { location: base.location },
			});
	}

	/**
	 * The snapshot that the branch points at, `undefined` for a table without snapshots.
	 * @throws `NOT_FOUND` without such a branch; `INVALID_ARGUMENT` for a tag; `CORRUPT` when its snapshot is gone
	 */
	parentIn(base: TableMetadata): Snapshot | undefined {
		const ref = refByName(base, this.branch);
		if (ref === undefined) {
			if (this.branch === 'main') return undefined;
			throw new IcebergError('NOT_FOUND', `the table has no branch '${this.branch}'`, {
				context: { branch: this.branch },
			});
		}
		if (ref.type === 'tag')
			throw new IcebergError('INVALID_ARGUMENT', `'${this.branch}' is a tag; nothing can be committed to it`, {
				context: { branch: this.branch },
			});
		const parent = snapshotById(base, ref.snapshotId);
		if (parent === undefined)
			throw new IcebergError(
				'CORRUPT',
				`the branch '${this.branch}' points at snapshot ${ref.snapshotId}, which is gone`,
			);
		return parent;
	}

	/** The new snapshot's id: random, of no other snapshot of the table. `renewed` says that it changed. */
	snapshotIdIn(base: TableMetadata, context: ActionContext): { readonly id: bigint; readonly renewed: boolean } {
		let id = this.#snapshotId;
		while (id === undefined || snapshotById(base, id) !== undefined) id = randomPositiveLong(context.random);
		const renewed = this.#snapshotId !== undefined && id !== this.#snapshotId;
		this.#snapshotId = id;
		return { id, renewed };
	}

	/** Writes that are remembered, to be removed when nothing refers to them. */
	startWrites(io: FileIO): PendingWrites {
		return new PendingWrites(io, (location) => this.#written.add(location));
	}

	/** A location for a new manifest. */
	newManifestLocation(context: ActionContext): string {
		this.#fileId ??= writerSuffix(randomUuid(context.random), context.writer);
		return joinLocation(context.metadataFolder, `${this.#fileId}-m${this.#manifestCount++}.avro`);
	}

	/**
	 * Writes the manifest list and makes the updates that add the snapshot and move the branch to it.
	 * @param writes of the manifests; all have ended when this resolves
	 */
	async produce(
		base: TableMetadata,
		parent: Snapshot | undefined,
		content: SnapshotContent,
		properties: ManifestProperties,
		writes: PendingWrites,
		context: ActionContext,
	): Promise<ActionResult> {
		const { id: snapshotId } = this.snapshotIdIn(base, context);
		const sequenceNumber = base.formatVersion === 1 ? 0n : base.lastSequenceNumber + 1n;
		const firstRowId = base.formatVersion >= 3 ? (base.nextRowId ?? 0n) : undefined;
		const list = await encodeManifestList(content.manifests, {
			formatVersion: base.formatVersion,
			snapshotId,
			...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
			sequenceNumber,
			...(firstRowId === undefined ? {} : { firstRowId }),
			codec: MANIFEST_CODECS[properties.codec],
			plainWhenSmall: properties.plainWhenSmall,
		});
		const location = this.#newListLocation(snapshotId, context);
		this.#manifestsByList.set(location, new Set(list.manifests.map((manifest) => manifest.location)));
		await writes.add(location, list.bytes);
		await writes.done();
		rememberManifestList(context.io, location, list.manifests);

		const createdCount = list.manifests.filter((manifest) => manifest.addedSnapshotId === snapshotId).length;
		const snapshot: Snapshot = {
			snapshotId,
			...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
			sequenceNumber,
			// Neither the table's nor the parent's time is undercut when the clock stepped back.
			timestampMs: Math.max(context.nowMs, base.lastUpdatedMs, parent?.timestampMs ?? 0),
			manifestList: location,
			summary: {
				operation: content.operation,
				...content.summary,
				...totals(parent === undefined ? undefined : (parent.summary ?? {}), content.summary),
				'manifests-created': String(createdCount),
				'manifests-kept': String(list.manifests.length - createdCount),
				'manifests-replaced': String(content.replacedManifestCount),
				...ENGINE_SUMMARY,
				[COMMIT_ID_KEY]: context.commitId,
			},
			schemaId: base.currentSchemaId,
			...(firstRowId === undefined || list.nextRowId === undefined
				? {}
				: { firstRowId, addedRows: list.nextRowId - firstRowId }),
		};
		const ref = refByName(base, this.branch);
		return {
			updates: [
				{ action: 'add-snapshot', snapshot },
				{
					action: 'set-snapshot-ref',
					refName: this.branch,
					ref: { ...(ref ?? { type: 'branch' }), snapshotId },
				},
			],
			requirements: [{ type: 'assert-ref-snapshot-id', ref: this.branch, snapshotId: parent?.snapshotId ?? null }],
			newFiles: [
				location,
				...[...(this.#manifestsByList.get(location) ?? [])].filter((each) => this.#written.has(each)),
			],
		};
	}

	/** Deletes what attempts wrote that the committed snapshot does not refer to. */
	async committed(metadata: TableMetadata, io: FileIO): Promise<void> {
		const snapshot = this.#snapshotId === undefined ? undefined : snapshotById(metadata, this.#snapshotId);
		const used = this.#manifestsByList.get(snapshot?.manifestList ?? '');
		// Not found: somebody expired it already, and what it refers to is not known.
		if (snapshot?.manifestList === undefined || used === undefined) return;
		const list = snapshot.manifestList;
		await deleteQuietly(
			io,
			[...this.#written].filter((location) => location !== list && !used.has(location)),
		);
		this.#forget();
	}

	/** Deletes everything that attempts wrote. */
	async abandoned(io: FileIO): Promise<void> {
		await deleteQuietly(io, this.#written);
		this.#forget();
	}

	#newListLocation(snapshotId: bigint, context: ActionContext): string {
		this.#fileId ??= writerSuffix(randomUuid(context.random), context.writer);
		this.#listCount++;
		return joinLocation(context.metadataFolder, `snap-${snapshotId}-${this.#listCount}-${this.#fileId}.avro`);
	}

	#forget(): void {
		this.#written.clear();
		this.#manifestsByList.clear();
		this.#snapshotId = undefined;
		this.#fileId = undefined;
	}
}
