import type { ColumnBatch } from '../../src/column/vector.ts';
import { encodeBatch } from '../../src/ingest/batch-codec.ts';
import { ByteWriter } from '../../src/ingest/batch-codec-writer.ts';

/** What a record of a journal says of the rows that it holds. */
export function recordOf(batch: ColumnBatch): { kind: 'rows'; body: Uint8Array; rowCount: number } {
	const writer = new ByteWriter();
	encodeBatch(writer, batch);
	return { kind: 'rows', body: writer.copy(), rowCount: batch.length };
}
