/** The small files of a table's newest state, kept up to date manifest by manifest. */
import type { FileIO } from '../io/file-io.ts';
import { mayHoldLiveFiles } from '../manifest/live-files.ts';
import type { ManifestFile } from '../manifest/types.ts';
import { BOUND_TRUE } from '../expr/bound.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import { partitionKey } from '../scan/partition-key.ts';
import { planFiles } from '../scan/plan.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { defaultSpec } from '../spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { entriesOf } from '../transaction/live-entries.ts';
import { manifestsOf } from '../transaction/manifest-lists.ts';
import { isSmall, whyNot } from './plan-compaction.ts';
import type { TierFile } from './tiers.ts';

/** Small files that are held in memory, at most; what is beyond waits until those have been put together. */
export const SMALL_FILES_LIMIT = 100_000;

export interface SmallFile extends TierFile {
	readonly task: FileScanTask;
	readonly partition: string;
}

export interface SmallFilesContext {
	readonly io: FileIO;
	readonly metadata: TableMetadata;
	readonly targetFileSizeBytes: number;
	readonly signal: AbortSignal | undefined;
	/** awaited after each manifest that was read */
	readonly breathe: () => Promise<void>;
}

export class SmallFiles {
	/** by manifest, and what else its entries' meaning depends on */
	#byManifest = new Map<string, readonly SmallFile[]>();

	/**
	 * Files that can be put together, by partition, oldest manifests first. Only manifests that were not there the last time are
	 * read; in tables with delete files all are.
	 */
	async byPartition(snapshot: Snapshot, context: SmallFilesContext): Promise<Map<string, SmallFile[]>> {
		const { io, metadata, signal } = context;
		const manifests = (await manifestsOf(io, snapshot, metadata, signal)).filter(mayHoldLiveFiles);
		const partitions = new Map<string, SmallFile[]>();
		const add = (file: SmallFile): void => {
			const group = partitions.get(file.partition);
			if (group === undefined) partitions.set(file.partition, [file]);
			else group.push(file);
		};
		if (manifests.some(({ content }) => content === 'deletes')) {
			this.#byManifest.clear();
			for (const file of await filesBesideDeletes(snapshot, context)) add(file);
			return partitions;
		}
		const known = new Map<string, readonly SmallFile[]>();
		let count = 0;
		for (const manifest of manifests.toReversed()) {
			if (count >= SMALL_FILES_LIMIT) break;
			const key = `${manifest.location} ${manifest.firstRowId ?? ''} ${context.targetFileSizeBytes}`;
			let files = this.#byManifest.get(key);
			if (files === undefined) {
				files = await filesIn(manifest, context);
				await context.breathe();
			}
			known.set(key, files);
			count += files.length;
			files.forEach(add);
		}
		this.#byManifest = known;
		return partitions;
	}

	clear(): void {
		this.#byManifest.clear();
	}
}

async function filesIn(manifest: ManifestFile, context: SmallFilesContext): Promise<readonly SmallFile[]> {
	const { io, metadata, signal } = context;
	const spec = defaultSpec(metadata);
	if (manifest.specId !== spec.specId) return [];
	const files: SmallFile[] = [];
	for (const { file, sequenceNumber, fileSequenceNumber, snapshotId } of await entriesOf(
		io,
		manifest,
		metadata,
		'none',
		signal,
	)) {
		const task: FileScanTask = {
			file,
			sequenceNumber: sequenceNumber ?? 0n,
			fileSequenceNumber,
			snapshotId,
			spec,
			residual: BOUND_TRUE,
			deletes: [],
		};
		if (files.length < SMALL_FILES_LIMIT && isSmall(file, metadata, context) && whyNot(task) === undefined)
			files.push(described(task));
	}
	return files;
}

async function filesBesideDeletes(snapshot: Snapshot, context: SmallFilesContext): Promise<readonly SmallFile[]> {
	const { io, metadata, signal } = context;
	const files: SmallFile[] = [];
	let seen = 0;
	for await (const task of planFiles({ io, metadata, snapshot, ...(signal === undefined ? {} : { signal }) })) {
		if (++seen % 1000 === 0) await context.breathe();
		if (task.file.specId !== metadata.defaultSpecId || whyNot(task) !== undefined) continue;
		if (isSmall(task.file, metadata, context)) files.push(described({ ...task, residual: BOUND_TRUE }));
		if (files.length >= SMALL_FILES_LIMIT) break;
	}
	return files;
}

function described(task: FileScanTask): SmallFile {
	const { specId, partition, recordCount, fileSizeInBytes } = task.file;
	return { task, partition: partitionKey(specId, partition), rowCount: recordCount, sizeBytes: fileSizeInBytes };
}
