import { describe, expect, test } from 'vitest';
import { openParquet } from '../../../src/codec/parquet/reader.ts';
import { expectedRows, fixtureBytes, fixtureIndex, readAll, sourceOf } from './fixtures.ts';

describe('files of pyarrow read as what was written', () => {
	for (const name of Object.keys(fixtureIndex.files)) {
		test(name, async () => {
			const reader = await openParquet(sourceOf(fixtureBytes(name), `${name}.parquet`));
			const expected = expectedRows(name);
			expect(reader.info.rowCount).toBe(expected.length);
			expect(await readAll(reader)).toEqual(expected);
			// batches that cut pages at odd places
			for (const batchRowLimit of [1, 7, 64]) expect(await readAll(reader, { batchRowLimit })).toEqual(expected);
		});
	}
});
