/** How much memory batches hold. */
import type { ColumnBatch, Vector } from '../column/vector.ts';

/** Bytes of the rows of a batch in its vectors, about: shared buffers count only for the rows in them. */
export function batchSizeBytes(batch: ColumnBatch): number {
	return batch.columns.reduce((sum, column) => sum + vectorSizeBytes(column), 0);
}

function vectorSizeBytes(vector: Vector): number {
	const { length } = vector;
	switch (vector.layout) {
		case 'null':
			return 0;
		case 'boolean':
			return length / 4;
		case 'int32':
		case 'float32':
			return length * 4;
		case 'int64':
		case 'float64':
			return length * 8;
		case 'decimal128':
			return length * 16;
		case 'fixed':
			return length * vector.width;
		case 'bytes':
			return length * 4 + (vector.offsets[length] as number) - (vector.offsets[0] as number);
		case 'dictionary':
			return length * 4 + vectorSizeBytes(vector.dictionary);
		case 'struct':
			return vector.children.reduce((sum, child) => sum + vectorSizeBytes(child), length / 8);
		case 'list':
			return length * 4 + vectorSizeBytes(vector.child);
		case 'map':
			return length * 4 + vectorSizeBytes(vector.keys) + vectorSizeBytes(vector.items);
		case 'variant':
			return vectorSizeBytes(vector.metadata) + vectorSizeBytes(vector.value);
	}
}
