/** A table of six files whose values do not overlap, and filters with the number of files that can hold a match. */
import { join } from 'node:path';
import { createTable, decimal, double, int, long, schema, string, type Table, timestamptz } from '../../src/index.ts';
import type { Loose } from '../support/corpus.ts';
import { canonicalRows } from './canonical.ts';

const pruned = schema({
	n: int().required(),
	big: long(),
	text: string(),
	stamp: timestamptz(),
	price: decimal(12, 3),
	ratio: double(),
	seldom: string(),
});

// longer than the 16 characters that bounds keep
const textOf = (file: number, row: number): string => `${'abcdef'[file]} ü${'😀'.repeat(20)} ${row}`;

const files = Array.from({ length: 6 }, (_, file) =>
	Array.from({ length: 10 }, (_, row) => ({
		n: file * 10 + row,
		big: 2n ** 53n * BigInt(file) + BigInt(row),
		text: textOf(file, row),
		stamp: `2024-0${file + 1}-${String(row + 10)}T00:00:00.000001+00:00`,
		price: `${file * 100 + row}.125`,
		ratio: file === 5 ? Number.NaN : file * 1.5 + row / 100,
		seldom: file === 2 ? `only ${row}` : null,
	})),
);

export interface PruningCase {
	/** as PyIceberg's filters are written */
	readonly pyiceberg: string;
	/** as ours are */
	readonly ours: string;
	/** for Iceberg's `Expressions`: column, function, literals; a long that JSON numbers cannot hold is told as text */
	readonly java: readonly [
		column: string,
		operation: string,
		...literals: (string | number | { readonly long: string })[],
	];
	readonly files: number;
}

const instant = '2024-03-15T00:00:00.000001+00:00';
const both = (text: string): Pick<PruningCase, 'pyiceberg' | 'ours'> => ({ pyiceberg: text, ours: text });

export const pruningCases: readonly PruningCase[] = [
	{ ...both('n < 10'), java: ['n', 'lessThan', 10], files: 1 },
	{ ...both('n <= 10'), java: ['n', 'lessThanOrEqual', 10], files: 2 },
	{ ...both('n >= 35'), java: ['n', 'greaterThanOrEqual', 35], files: 3 },
	{ pyiceberg: 'n == 41', ours: 'n = 41', java: ['n', 'equal', 41], files: 1 },
	{ pyiceberg: 'n == 60', ours: 'n = 60', java: ['n', 'equal', 60], files: 0 },
	{ ...both('big > 27021597764222985'), java: ['big', 'greaterThan', { long: '27021597764222985' }], files: 2 },
	{
		pyiceberg: `text == '${textOf(2, 7)}'`,
		ours: `text = '${textOf(2, 7)}'`,
		java: ['text', 'equal', textOf(2, 7)],
		files: 1,
	},
	{ ...both("text < 'c'"), java: ['text', 'lessThan', 'c'], files: 2 },
	{ ...both(`text > '${textOf(4, 9)}'`), java: ['text', 'greaterThan', textOf(4, 9)], files: 2 },
	{ ...both("text > 'e ý'"), java: ['text', 'greaterThan', 'e ý'], files: 1 },
	{
		pyiceberg: "text LIKE 'd ü%'",
		ours: "text like 'd ü%'",
		java: ['text', 'startsWith', 'd ü'],
		files: 1,
	},
	{ ...both(`stamp >= '${instant}'`), java: ['stamp', 'greaterThanOrEqual', instant], files: 4 },
	{ pyiceberg: `stamp == '${instant}'`, ours: `stamp = '${instant}'`, java: ['stamp', 'equal', instant], files: 1 },
	{ ...both('price < 100.125'), java: ['price', 'lessThan', '100.125'], files: 1 },
	{ ...both('price <= 100.125'), java: ['price', 'lessThanOrEqual', '100.125'], files: 2 },
	{ ...both('ratio < 1.5'), java: ['ratio', 'lessThan', 1.5], files: 1 },
	{ ...both('ratio is nan'), java: ['ratio', 'isNaN'], files: 1 },
	{ ...both('seldom is not null'), java: ['seldom', 'notNull'], files: 1 },
	{ pyiceberg: "seldom == 'only 3'", ours: "seldom = 'only 3'", java: ['seldom', 'equal', 'only 3'], files: 1 },
];

export async function writePrunedTable(warehouse: string): Promise<{ readonly table: Table; readonly rows: Loose[] }> {
	const table: Table = await createTable(join(warehouse, 'db', 'pruned'), pruned as unknown as Table['schema']);
	for (const rows of files) await table.append(rows);
	return { table, rows: canonicalRows(table.schema, files.flat()) };
}
