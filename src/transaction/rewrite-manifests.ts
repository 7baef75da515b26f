/** Putting the entries of many manifests, ordered by partition, into few. Iceberg spec: Snapshots, operation `replace`. */
import { mayHoldLiveFiles } from '../manifest/live-files.ts';
import { encodeManifests } from '../manifest/encode-manifest.ts';
import type { ManifestEntry, ManifestFile } from '../manifest/types.ts';
import { compareValues } from '../spec/compare.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { MAIN_BRANCH, partitionTypeIn, specById } from '../spec/table-metadata-lookup.ts';
import type { StructValue, Value } from '../spec/types.ts';
import type { ActionContext, ActionResult } from './action.ts';
import { entriesOf } from './live-entries.ts';
import { manifestsOf } from './manifest-lists.ts';
import { NOTHING_TO_CHANGE, SnapshotAction, type SnapshotAttempt } from './snapshot-action.ts';
import type { Summary } from './snapshot-summary.ts';

/** Entries that are held in memory, and put in order, at once. */
export const ENTRIES_PER_RUN = 100_000;

export interface RewriteManifestsOptions {
	/** size of new manifests, bytes. Default: the table's `commit.manifest.target-size-bytes` */
	readonly targetSizeBytes?: number;
	/** only manifests of this partition spec. Default: each spec's, on its own */
	readonly specId?: number;
	/** Rewrite also where it brings nothing: the manifests are as few and as well ordered as they can be. */
	readonly force?: boolean;
	/** Default `main`. */
	readonly branch?: string;
	/** added to the snapshot's summary */
	readonly summary?: Summary;
}

interface Rewritten {
	readonly inputs: readonly ManifestFile[];
	readonly outputs: readonly ManifestFile[];
	readonly entryCount: number;
}

/**
 * Rewrites the data manifests of a branch. Files stay as they are: each keeps its snapshot id, sequence numbers and row ids.
 * Delete manifests are left alone. What others commit meanwhile stays beside it; where they replaced manifests that were
 * read, the work is done again.
 */
export class RewriteManifestsAction extends SnapshotAction {
	readonly name = 'rewrite manifests';
	readonly #options: RewriteManifestsOptions;
	#rewritten: readonly Rewritten[] | undefined;

	constructor(options: RewriteManifestsOptions = {}) {
		super(options.branch ?? MAIN_BRANCH);
		this.#options = options;
	}

	/** manifests before, manifests after and entries of the last attempt */
	get counts(): { readonly rewritten: number; readonly added: number; readonly entries: number } {
		const parts = this.#rewritten ?? [];
		const sum = (count: (part: Rewritten) => number): number => parts.reduce((total, part) => total + count(part), 0);
		return {
			rewritten: sum((part) => part.inputs.length),
			added: sum((part) => part.outputs.length),
			entries: sum((part) => part.entryCount),
		};
	}

	protected override async attempt(attempt: SnapshotAttempt): Promise<ActionResult> {
		const { base, context, parent } = attempt;
		if (parent === undefined) return NOTHING_TO_CHANGE;
		const before = (await manifestsOf(context.io, parent, base, context.signal)).filter(mayHoldLiveFiles);
		if (!this.#stillStands(before)) this.forget();
		this.#rewritten ??= await this.#rewriteAll(attempt, before);
		if (this.#rewritten.length === 0) return NOTHING_TO_CHANGE;
		const replaced = new Set(this.#rewritten.flatMap((part) => part.inputs.map((input) => input.location)));
		return attempt.produce({
			operation: 'replace',
			manifests: [
				...this.#rewritten.flatMap((part) => part.outputs),
				...before.filter((manifest) => !replaced.has(manifest.location)),
			],
			replacedManifestCount: replaced.size,
			summary: { ...this.#options.summary, 'entries-processed': String(this.counts.entries) },
		});
	}

	protected override forget(): void {
		this.#rewritten = undefined;
	}

	/** Row ids stand in the list: a manifest that was given some since is not the one that was read. */
	#stillStands(manifests: readonly ManifestFile[]): boolean {
		const firstRowIds = new Map(manifests.map((manifest) => [manifest.location, manifest.firstRowId ?? null]));
		return (this.#rewritten ?? []).every((part) =>
			part.inputs.every((input) => firstRowIds.get(input.location) === (input.firstRowId ?? null)),
		);
	}

	async #rewriteAll(attempt: SnapshotAttempt, before: readonly ManifestFile[]): Promise<readonly Rewritten[]> {
		const { base, context, properties } = attempt;
		const targetSizeBytes = this.#options.targetSizeBytes ?? properties.targetSizeBytes;
		const bySpec = new Map<number, ManifestFile[]>();
		for (const manifest of before) {
			if (manifest.content !== 'data' || (this.#options.specId ?? manifest.specId) !== manifest.specId) continue;
			const group = bySpec.get(manifest.specId);
			if (group === undefined) bySpec.set(manifest.specId, [manifest]);
			else group.push(manifest);
		}
		const parts: Rewritten[] = [];
		for (const [specId, manifests] of bySpec) {
			const spec = specById(base, specId);
			if (spec === undefined) continue;
			const compare = comparePartitions(base, spec);
			if (this.#options.force !== true && !(await isWorthwhile(base, manifests, targetSizeBytes, compare, context)))
				continue;
			parts.push(await this.#rewriteSpec(attempt, specId, manifests, compare, targetSizeBytes));
		}
		return parts;
	}

	async #rewriteSpec(
		{ base, context, write, store }: SnapshotAttempt,
		specId: number,
		manifests: readonly ManifestFile[],
		compare: PartitionComparator,
		targetSizeBytes: number,
	): Promise<Rewritten> {
		let entryCount = 0;
		async function* ordered(): AsyncGenerator<ManifestEntry> {
			let run: ManifestEntry[] = [];
			const sorted = (): ManifestEntry[] => {
				const entries = run.sort((a, b) => compare(a.file.partition, b.file.partition));
				run = [];
				return entries;
			};
			for (const manifest of manifests) {
				const entries = await entriesOf(context.io, manifest, base, 'all', context.signal);
				entryCount += entries.length;
				for (const entry of entries) run.push({ ...entry, status: 'existing' });
				if (run.length >= ENTRIES_PER_RUN) yield* sorted();
			}
			yield* sorted();
		}
		const outputs: ManifestFile[] = [];
		const encoded = encodeManifests(ordered(), { ...write, specId, content: 'data' }, targetSizeBytes);
		for await (const { bytes, manifest } of encoded) outputs.push({ ...manifest, location: await store(bytes) });
		return { inputs: manifests, outputs, entryCount };
	}
}

type PartitionComparator = (a: StructValue, b: StructValue) => number;

/** Nulls first. Values whose type the table does not tell are not told apart. */
function comparePartitions(base: TableMetadata, spec: PartitionSpec): PartitionComparator {
	const fields = spec.fields.some((field) => field.transform.kind === 'unknown')
		? []
		: partitionTypeIn(base, spec).fields.map((field) =>
				field.type.kind === 'unknown' ? undefined : compareValues(field.type),
			);
	return (a, b) => {
		for (const [i, compare] of fields.entries()) {
			const left: Value = a[i] ?? null;
			const right: Value = b[i] ?? null;
			if (left === null || right === null || compare === undefined) {
				if (left === null && right === null) continue;
				if (compare === undefined) continue;
				return left === null ? -1 : 1;
			}
			const difference = compare(left, right);
			if (difference !== 0) return difference;
		}
		return 0;
	};
}

/** Fewer manifests, or better ordered ones. */
async function isWorthwhile(
	base: TableMetadata,
	manifests: readonly ManifestFile[],
	targetSizeBytes: number,
	compare: PartitionComparator,
	context: ActionContext,
): Promise<boolean> {
	if (manifests.length < 2) return (manifests[0]?.length ?? 0) > 2 * targetSizeBytes;
	const sizeBytes = manifests.reduce((sum, manifest) => sum + manifest.length, 0);
	if (Math.ceil(sizeBytes / targetSizeBytes) * 2 <= manifests.length) return true;
	// Order is kept within a run only: more entries than that would be rewritten each time.
	const entryCount = manifests.reduce(
		(sum, each) => sum + (each.addedFilesCount ?? 0) + (each.existingFilesCount ?? 0),
		0,
	);
	if (entryCount > ENTRIES_PER_RUN) return false;
	let last: StructValue | undefined;
	for (const manifest of manifests) {
		for (const { file } of await entriesOf(context.io, manifest, base, 'none', context.signal)) {
			if (last !== undefined && compare(last, file.partition) > 0) return true;
			last = file.partition;
		}
	}
	return false;
}
