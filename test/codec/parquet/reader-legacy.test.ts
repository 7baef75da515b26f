/** Files put together byte by byte: forms of older writers, and pages that contradict themselves. */
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Encoding, PageType, PhysicalType, Repetition } from '../../../src/codec/parquet/format.ts';
import { openParquet } from '../../../src/codec/parquet/reader.ts';
import { isIcebergError } from '../../../src/errors/iceberg-error.ts';
import { readAll, sourceOf } from './fixtures.ts';
import {
	bytes,
	dataPage,
	handMadeFile,
	type HandMadePage,
	int,
	int32s,
	joined,
	legacyFiles,
	levels,
} from './legacy-files.ts';

const { OPTIONAL, REPEATED, REQUIRED } = Repetition;

describe('forms of older writers', () => {
	test.each(legacyFiles().map((file) => [file.name, file] as const))('%s', async (_, { bytes: file, values }) => {
		const reader = await openParquet(sourceOf(file));
		const expected = values.map((value) => [value]);
		expect(await readAll(reader)).toEqual(expected);
		expect(await readAll(reader, { batchRowLimit: 2 })).toEqual(expected);
	});
});

describe('pages that contradict themselves are refused', () => {
	const four = int32s(1, 2, 3, 4);
	const dictionaryPage = (numValues: number, encoding: number = Encoding.PLAIN): HandMadePage => ({
		bytes: int32s(5, 6),
		header: { type: PageType.DICTIONARY_PAGE, dictionaryPageHeader: { numValues, encoding } },
	});
	const column = (pages: HandMadePage[], repetition: Repetition = REQUIRED): Uint8Array =>
		handMadeFile({ elements: [int(repetition)], rows: 4, values: 4, pages });
	const { header } = dataPage(4, four);
	const indexes = (...values: number[]): HandMadePage => dataPage(4, bytes(...values), Encoding.RLE_DICTIONARY);

	test.each<[string, Uint8Array, string]>([
		['a wrong checksum of a data page', column([{ bytes: four, header: { ...header, crc: crc32(four) ^ 1 } }]), 'CRC'],
		[
			'a wrong checksum of a dictionary page',
			column([{ ...dictionaryPage(2), header: { ...dictionaryPage(2).header, crc: 7 } }, indexes(1, 8, 0)]),
			'CRC',
		],
		['an index beyond the dictionary', column([dictionaryPage(2), indexes(2, 8, 2)]), 'dictionary index 2 is outside'],
		[
			'a dictionary shorter than it says',
			column([dictionaryPage(3), indexes(1, 8, 0)]),
			'a dictionary of 3 values of 4 bytes in 8 bytes',
		],
		[
			'a dictionary of very many values',
			column([dictionaryPage(2 ** 31 - 1), indexes(1, 8, 0)]),
			'a dictionary of 2147483647 values',
		],
		['a dictionary in another encoding', column([dictionaryPage(2, Encoding.RLE), indexes(1, 8, 0)]), 'encoding 3'],
		['two dictionaries', column([dictionaryPage(2), dictionaryPage(2), indexes(1, 8, 0)]), 'a second dictionary'],
		['indexes without a dictionary', column([indexes(1, 8, 0)]), 'without a dictionary page'],
		['indexes wider than 32 bits', column([dictionaryPage(2), indexes(33, 8, 0)]), 'bit width of 33'],
		['indexes of no bytes', column([dictionaryPage(2), indexes()]), 'ends before its last value'],
		['too few values', column([dataPage(4, int32s(1, 2, 3))]), 'ends after 12 bytes, 4 too early'],
		['more values than the column has', column([dataPage(5, int32s(1, 2, 3, 4, 5))]), 'a page of 5 values'],
		['fewer values than the column has', column([dataPage(3, int32s(1, 2, 3))]), '1 values too early'],
		[
			'levels longer than the page',
			column([dataPage(4, joined(int32s(900), bytes(8, 1)), 0)], OPTIONAL),
			'levels of 900',
		],
		['levels in another encoding', column([dataPage(4, four, 0, Encoding.PLAIN)], OPTIONAL), 'levels in encoding 0'],
		[
			'levels that end too early',
			column([dataPage(4, joined(levels(1, 1, 1), four))], OPTIONAL),
			'ends before its last value',
		],
		[
			'bit-packed levels that are not there',
			column([dataPage(4, bytes(), 0, Encoding.BIT_PACKED)], OPTIONAL),
			'levels of 1',
		],
		[
			'a list that begins within a row',
			column([dataPage(4, joined(levels(1, 0, 0, 0), levels(1, 1, 1, 1), four))], REPEATED),
			'starts in the middle of a row',
		],
		[
			'a delta header without miniblocks',
			column([dataPage(4, bytes(0x80, 1, 0, 4, 2), Encoding.DELTA_BINARY_PACKED)]),
			'in 0 miniblocks',
		],
		['an encoding of other types', column([dataPage(4, four, Encoding.DELTA_BYTE_ARRAY)]), 'encoding DELTA_BYTE_ARRAY'],
	])('%s', async (_, file, part) => {
		const read = async (): Promise<unknown> => readAll(await openParquet(sourceOf(file, 'broken.parquet')));
		const error = await read().catch((e: unknown) => e);
		expect(isIcebergError(error, 'CORRUPT')).toBe(true);
		expect((error as Error).message).toContain('broken.parquet');
		expect((error as Error).message).toContain(part);
	});

	test('bytes of a negative length', async () => {
		const file = handMadeFile({
			elements: [{ name: 'c', type: PhysicalType.BYTE_ARRAY, repetition: REQUIRED, fieldId: 1 }],
			rows: 4,
			values: 4,
			pages: [dataPage(4, joined(int32s(1), bytes(1), int32s(-1), bytes(2)))],
		});
		const read = async (): Promise<unknown> => readAll(await openParquet(sourceOf(file, 'broken.parquet')));
		expect(isIcebergError(await read().catch((e: unknown) => e), 'CORRUPT')).toBe(true);
	});
});
