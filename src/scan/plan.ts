/** From a snapshot and a predicate to the files to read. Iceberg spec: Scan Planning. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { bindExpression } from '../expr/bind.ts';
import { BOUND_TRUE, referencedFieldIds } from '../expr/bound.ts';
import type { BoundExpression, Expression } from '../expr/expression.ts';
import type { FileIO } from '../io/file-io.ts';
import { mayHoldLiveFiles } from '../manifest/live-files.ts';
import type { DecodeManifestOptions } from '../manifest/entry-builder.ts';
import { decodeManifest } from '../manifest/manifest.ts';
import type { ManifestTable } from '../manifest/partition-type.ts';
import type { MetricsSelection } from '../manifest/select-metrics.ts';
import type { ManifestEntry, ManifestFile } from '../manifest/types.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { currentSchema } from '../spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { NestedField } from '../spec/types.ts';
import { mapBounded, throwIfAborted } from '../util/bounded-pool.ts';
import { DeleteIndex } from './delete-index.ts';
import type { FileScanTask } from './file-scan-task.ts';
import { newPlanCounters, type PlanCounters, type PlanReport } from './plan-report.ts';
import { DEFAULT_PLAN_CONCURRENCY, manifestBytes, snapshotManifests } from './snapshot-manifests.ts';
import { SpecPlanner } from './spec-planner.ts';

export interface PlanFilesOptions {
	readonly io: FileIO;
	readonly metadata: TableMetadata;
	/** `undefined` (a table without snapshots) plans nothing */
	readonly snapshot: Snapshot | undefined;
	/** The schema to bind the filter to and to type partition values by. Default: the current one. */
	readonly schema?: Schema;
	readonly filter?: Expression;
	/** Default true. */
	readonly caseSensitive?: boolean;
	/** Manifests read at once, and held in memory at once. Default {@link DEFAULT_PLAN_CONCURRENCY} */
	readonly concurrency?: number;
	/** Metrics that the tasks' files are to carry, besides those of the filter's columns. Default `none`. */
	readonly metricsFor?: ReadonlySet<number> | 'all' | 'none';
	/**
	 * Only files that came into the table after this sequence number, without deletes: what was added, not what is left of
	 * it. Manifests without such files are not read. Format v2 and later.
	 */
	readonly addedAfter?: bigint;
	readonly signal?: AbortSignal;
}

/** Tasks as they are planned, in the order of the manifests; and what was left out. Iterating again plans anew. */
export interface FilePlan extends AsyncIterable<FileScanTask> {
	/** the filter, bound */
	readonly filter: BoundExpression;
	/** of the iteration that began last; complete when it has ended */
	readonly report: PlanReport;
	/** The same tasks, those of a manifest at a time: quicker where there are thousands. */
	batches(): AsyncIterable<readonly FileScanTask[]>;
}

/**
 * Plans a scan: manifests are left out by their partition summaries, files by partition values and column metrics; each
 * task carries the residual predicate and all deletes that apply. Streams: no more than `concurrency` manifests are in
 * memory, besides the delete files of the snapshot.
 *
 * @throws at once `INVALID_FILTER`, `LIMIT_EXCEEDED` from binding; while iterating `CORRUPT`, `UNSUPPORTED`, `ABORTED`, and what
 *   the storage throws
 */
export function planFiles(options: PlanFilesOptions): FilePlan {
	const schema = options.schema ?? currentSchema(options.metadata);
	const filter =
		options.filter === undefined
			? BOUND_TRUE
			: bindExpression(options.filter, schema, { caseSensitive: options.caseSensitive ?? true });
	let counters = newPlanCounters();
	const batches = (): AsyncGenerator<readonly FileScanTask[], void, undefined> => {
		counters = newPlanCounters();
		return new FilePlanner(options, schema, filter, counters).batches();
	};
	return {
		filter,
		get report() {
			return counters;
		},
		batches,
		async *[Symbol.asyncIterator]() {
			for await (const tasks of batches()) for (const task of tasks) yield task;
		},
	};
}

class FilePlanner {
	readonly #options: PlanFilesOptions;
	readonly #schema: Schema;
	readonly #filter: BoundExpression;
	readonly #counters: PlanCounters;
	readonly #concurrency: number;
	readonly #table: ManifestTable;
	readonly #specs = new Map<number, SpecPlanner>();

	constructor(options: PlanFilesOptions, schema: Schema, filter: BoundExpression, counters: PlanCounters) {
		this.#options = options;
		this.#schema = schema;
		this.#filter = filter;
		this.#counters = counters;
		this.#concurrency = options.concurrency ?? DEFAULT_PLAN_CONCURRENCY;
		const { partitionSpecs, schemas } = options.metadata;
		// Partition values are typed by the schema that the filter is bound to, so that they compare with its literals.
		const others = schemas.filter((candidate) => candidate.schemaId !== schema.schemaId);
		this.#table = { partitionSpecs, schemas: [...others, schema], currentSchemaId: schema.schemaId };
	}

	async *batches(): AsyncGenerator<readonly FileScanTask[], void, undefined> {
		const { io, snapshot, signal } = this.#options;
		throwIfAborted(signal);
		if (snapshot === undefined || this.#filter.op === 'false') return;
		const manifests = await snapshotManifests(io, snapshot, {
			concurrency: this.#concurrency,
			...(signal === undefined ? {} : { signal }),
		});
		const deletes = await this.#indexDeletes(manifests);
		const data = this.#kept(manifests, 'data', this.#counters.dataManifests);
		const metricsFor = this.#metricsFor(deletes.equalityIds);
		yield* mapBounded(data, this.#concurrency, (manifest) => this.#tasksOf(manifest, metricsFor, deletes), signal);
	}

	async #indexDeletes(manifests: readonly ManifestFile[]): Promise<DeleteIndex> {
		const { metadata, signal } = this.#options;
		const index = new DeleteIndex({
			spec: (specId) => this.#spec(specId, 'a delete file').spec,
			field: (fieldId) => this.#fieldById(fieldId),
			topLevelIds: new Set(metadata.schemas.flatMap((schema) => schema.fields.map((field) => field.id))),
		});
		if (this.#options.addedAfter !== undefined) return index;
		const kept = this.#kept(manifests, 'deletes', this.#counters.deleteManifests);
		const batches = mapBounded(kept, this.#concurrency, (manifest) => this.#deleteEntries(manifest), signal);
		for await (const entries of batches) {
			for (const entry of entries) index.add(entry);
			this.#counters.deleteFiles.indexed = index.size;
		}
		return index;
	}

	#kept(
		manifests: readonly ManifestFile[],
		content: ManifestFile['content'],
		counts: PlanCounters['dataManifests'],
	): ManifestFile[] {
		const { addedAfter = -1n } = this.#options;
		return manifests.filter((manifest) => {
			if (manifest.content !== content || manifest.sequenceNumber <= addedAfter) return false;
			counts.total++;
			if (!mayHoldLiveFiles(manifest)) {
				counts.skippedEmpty++;
				return false;
			}
			if (this.#spec(manifest.specId, manifest.location).mayMatchManifest(manifest)) return true;
			counts.skippedByPartition++;
			return false;
		});
	}

	async #deleteEntries(manifest: ManifestFile): Promise<readonly ManifestEntry[]> {
		const { partitionFilter } = this.#spec(manifest.specId, manifest.location);
		const counts = this.#counters.deleteFiles;
		return this.#entries(manifest, {
			metricsFor: 'all',
			partitionFilter: (partition) => {
				counts.read++;
				return partitionFilter === undefined || partitionFilter(partition);
			},
		});
	}

	async #entries(manifest: ManifestFile, options: DecodeManifestOptions): Promise<readonly ManifestEntry[]> {
		const { io, signal } = this.#options;
		const bytes = await manifestBytes(io, manifest, signal);
		throwIfAborted(signal);
		return decodeManifest(bytes, manifest, this.#table, { ...options, liveOnly: true });
	}

	async #tasksOf(
		manifest: ManifestFile,
		metricsFor: MetricsSelection,
		deletes: DeleteIndex,
	): Promise<readonly FileScanTask[]> {
		const planner = this.#spec(manifest.specId, manifest.location);
		const { partitionFilter, spec } = planner;
		const { addedAfter = -1n } = this.#options;
		const counts = this.#counters.dataFiles;
		/** of the entries that are kept, in order */
		const residuals: BoundExpression[] = [];
		const entries = await this.#entries(manifest, {
			metricsFor,
			...(partitionFilter === undefined
				? {}
				: {
						partitionFilter: (partition) => {
							if (partitionFilter(partition)) return true;
							counts.read++;
							counts.skippedByPartition++;
							return false;
						},
					}),
			entryFilter: ({ file, sequenceNumber, fileSequenceNumber }) => {
				counts.read++;
				if ((fileSequenceNumber ?? sequenceNumber ?? 0n) <= addedAfter) return false;
				const residual = planner.residualOf(file.partition);
				if (residual.op === 'false') {
					counts.skippedByPartition++;
					return false;
				}
				if (!planner.mayMatchFile(file, residual)) {
					counts.skippedByMetrics++;
					return false;
				}
				residuals.push(residual);
				return true;
			},
		});
		counts.planned += entries.length;
		return entries.map(({ file, sequenceNumber, fileSequenceNumber, snapshotId }, i) => ({
			file,
			sequenceNumber: sequenceNumber ?? 0n,
			fileSequenceNumber,
			snapshotId,
			spec,
			residual: residuals[i] as BoundExpression,
			deletes: deletes.forDataFile(file, sequenceNumber ?? 0n),
		}));
	}

	#metricsFor(equalityIds: ReadonlySet<number>): MetricsSelection {
		const asked = this.#options.metricsFor ?? 'none';
		if (asked === 'all') return asked;
		const ids = new Set([...referencedFieldIds(this.#filter), ...equalityIds, ...(asked === 'none' ? [] : asked)]);
		return ids.size === 0 ? 'none' : ids;
	}

	#spec(specId: number, user: string): SpecPlanner {
		let planner = this.#specs.get(specId);
		if (planner === undefined) {
			const spec = this.#table.partitionSpecs.find((candidate) => candidate.specId === specId);
			if (spec === undefined)
				throw new IcebergError('CORRUPT', `${user} is of partition spec ${specId}, which the table does not have`, {
					context: { location: user, specId },
				});
			planner = new SpecPlanner(spec, this.#filter, this.#schema);
			this.#specs.set(specId, planner);
		}
		return planner;
	}

	#fieldById(fieldId: number): NestedField | undefined {
		const own = this.#schema.findField(fieldId);
		if (own !== undefined) return own;
		for (const schema of this.#table.schemas) {
			const field = schema.findField(fieldId);
			if (field !== undefined) return field;
		}
		return undefined;
	}
}
