import type { ColumnBatch } from '../column/vector.ts';
import { concatBatches, takeBatch } from '../column/vector-ops.ts';
import { batchSizeBytes } from './batch-size.ts';
import { groupRows } from './partitioner.ts';

/** Rows that are gathered until there are enough of them, each with the number of its partition. */
export class RowRun {
	#batches: ColumnBatch[] = [];
	#numbers: Int32Array[] = [];
	/** bytes of the rows, about */
	sizeBytes = 0;

	add(batch: ColumnBatch, numbers: Int32Array): void {
		this.#batches.push(batch);
		this.#numbers.push(numbers);
		this.sizeBytes += batchSizeBytes(batch) + 4 * batch.length;
	}

	/** The rows by partition, each partition's in the order in which they came. The run is empty afterwards. */
	*take(): Generator<{ readonly partition: number; readonly batch: ColumnBatch }> {
		if (this.#batches.length === 0) return;
		const whole = concatBatches(this.#batches);
		const numbers = new Int32Array(whole.length);
		let at = 0;
		for (const part of this.#numbers) {
			numbers.set(part, at);
			at += part.length;
		}
		this.#batches = [];
		this.#numbers = [];
		this.sizeBytes = 0;
		const groups = groupRows(numbers);
		for (const { partition, rows } of groups)
			yield { partition, batch: groups.length === 1 ? whole : takeBatch(whole, rows) };
	}
}
