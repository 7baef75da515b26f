/** Rows that were appended a moment ago, so that putting their files together need not read them back. */
import { flatten, take } from '../column/vector-ops.ts';
import type { ColumnBatch } from '../column/vector.ts';
import type { DataFile } from '../manifest/types.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { batchSizeBytes } from '../write/batch-size.ts';

/** What a batch takes besides its values, bytes. */
const OVERHEAD_BYTES = 512;
/** Larger batches are cheaper to read back, one file for many rows, than to copy, bytes. */
export const BATCH_LIMIT_BYTES = 1024 * 1024;

/** Bounded: the oldest rows go first. */
export class RowBuffer {
	readonly #byLocation = new Map<string, { readonly batch: ColumnBatch; readonly sizeBytes: number }>();
	#sizeBytes = 0;

	get sizeBytes(): number {
		return this.#sizeBytes;
	}

	/**
	 * Takes the rows of files that were just committed, where it is certain that they are those of one file in their order: not
	 * where they were sorted or split. They are copied: what the caller gave is the caller's again once it is appended.
	 */
	add(metadata: TableMetadata, files: readonly DataFile[], batch: ColumnBatch, maxBytes: number): void {
		const [file] = files;
		if (file === undefined || files.length > 1 || file.recordCount !== batch.length) return;
		if (metadata.defaultSortOrderId !== 0) return;
		const sizeBytes = batchSizeBytes(batch) + OVERHEAD_BYTES;
		if (sizeBytes > Math.min(maxBytes, BATCH_LIMIT_BYTES)) return;
		this.delete(file.location);
		this.#byLocation.set(file.location, { batch: copyOf(batch), sizeBytes });
		this.#sizeBytes += sizeBytes;
		for (const oldest of this.#byLocation.keys()) {
			if (this.#sizeBytes <= maxBytes) break;
			this.delete(oldest);
		}
	}

	get(location: string): ColumnBatch | undefined {
		return this.#byLocation.get(location)?.batch;
	}

	delete(location: string): void {
		const entry = this.#byLocation.get(location);
		if (entry === undefined) return;
		this.#byLocation.delete(location);
		this.#sizeBytes -= entry.sizeBytes;
	}

	clear(): void {
		this.#byLocation.clear();
		this.#sizeBytes = 0;
	}
}

function copyOf({ fields, length, columns }: ColumnBatch): ColumnBatch {
	const all = Uint32Array.from({ length }, (_, i) => i);
	return { fields, length, columns: columns.map((column) => take(flatten(column), all)) };
}
