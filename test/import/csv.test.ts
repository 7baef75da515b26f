import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CsvOptions } from '../../src/import/csv-dialect.ts';
import { CsvSource } from '../../src/import/csv-source.ts';
import { projectDir } from '../support/project.ts';
import { fieldsOf, fileOf, rowsOf, streamOf, typesOf } from './helpers.ts';

function csv(text: string | Uint8Array, options: CsvOptions = {}, name = 'data.csv'): CsvSource {
	const file = fileOf(text);
	return new CsvSource(name, file, options, typeof text === 'string' ? Buffer.byteLength(text) : text.length);
}

describe('the text of a CSV file', () => {
	it('is read as RFC 4180 has it: quotes, doubled quotes, delimiters and line breaks inside quotes', async () => {
		const text = 'a,b,c\r\n"x, y","line 1\r\nline 2","say ""hi"""\r\nplain, spaced ,""\r\n';
		expect(await rowsOf(csv(text))).toEqual([
			{ a: 'x, y', b: 'line 1\r\nline 2', c: 'say "hi"' },
			{ a: 'plain', b: ' spaced ', c: '' },
		]);
	});

	it('tells an empty cell (null) from an empty text in quotes', async () => {
		expect(await rowsOf(csv('a,b\n,""\nx,y\n'))).toEqual([
			{ a: null, b: '' },
			{ a: 'x', b: 'y' },
		]);
	});

	it.each([
		['without a line break at the end', 'a,b\n1,2'],
		['with Windows line breaks', 'a,b\r\n1,2\r\n'],
		['with old Macintosh line breaks', 'a,b\r1,2\r'],
		['with a byte order mark', '\ufeffa,b\n1,2\n'],
		['with blank lines', '\na,b\n\n1,2\n\n\n'],
		['by semicolons', 'a;b\n1;2\n'],
		['by tabs', 'a\tb\n1\t2\n'],
		['by bars', 'a|b\n1|2\n'],
		['with everything in quotes', '"a","b"\n"1","2"\n'],
	])('is read %s', async (_name, text) => {
		expect(await rowsOf(csv(text))).toEqual([{ a: '1', b: '2' }]);
	});

	it('is inflated when it is gzip', async () => {
		expect(await rowsOf(csv(gzipSync('a,b\n1,x\n'), {}, 'data.csv.gz'))).toEqual([{ a: '1', b: 'x' }]);
		const broken = gzipSync('a,b\n1,x\n'.repeat(1000));
		await expect(rowsOf(csv(broken.subarray(0, broken.length - 9)))).rejects.toMatchObject({ code: 'CORRUPT' });
	});

	it('gives the same rows whatever the pieces are in which it comes', async () => {
		const text = 'id,"na,me",when\r\n1,"a ""quoted"" one",2024-02-29\r\n-2,"two\r\nlines",1969-12-31\r\n,ü😀,\r\n';
		const whole = await rowsOf(csv(text));
		expect(whole).toHaveLength(3);
		for (let pieceBytes = 1; pieceBytes < 40; pieceBytes++) {
			const source = new CsvSource('stream', streamOf(text, pieceBytes), {}, undefined);
			expect(await rowsOf(source)).toEqual(whole);
		}
	});

	it('round-trips any table of texts', async () => {
		const cell = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '"', ',', '\n', '\r\n', 'a"b,c\nd'));
		await fc.assert(
			fc.asyncProperty(
				fc
					.integer({ min: 2, max: 4 })
					.chain((width) =>
						fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 12 }),
					),
				fc.integer({ min: 1, max: 30 }),
				async (rows, pieceBytes) => {
					const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
					const names = rows[0]!.map((_, index) => `c${index}`);
					const text = [names.join(','), ...rows.map((row) => row.map(quoted).join(','))].join('\n');
					const fields = fieldsOf(Object.fromEntries(names.map((name) => [name, { kind: 'string' } as const])));
					const source = new CsvSource('stream', streamOf(text, pieceBytes), { delimiter: ',' }, undefined);
					expect(await rowsOf(source, fields)).toEqual(
						rows.map((row) => Object.fromEntries(row.map((value, index) => [`c${index}`, value]))),
					);
				},
			),
		);
	});

	it.each([
		['a row with too many cells', 'a,b\n1,2\n1,2,3\n', 'row 2: 3 cells, expected 2'],
		['a row with too few cells', 'a,b\n1\n', 'row 1: 1 cells, expected 2'],
		['an open quote', 'a,b\n1,"x\n2,y\n', 'row 1: a quote is not closed'],
		['text behind a quote', 'a,b\n1,"x"y\n', 'row 1: text after a closing quote'],
		['a name that stands twice', 'a,a\n1,2\n', "names 'a' twice"],
		['an empty file', '', 'empty'],
		['text that is not UTF-8', new Uint8Array([97, 10, 0xe4, 0xf6, 10]), 'not UTF-8'],
	])('is refused with %s', async (_name, text, message) => {
		await expect(rowsOf(csv(text as string))).rejects.toMatchObject({
			code: 'INVALID_DATA',
			message: expect.stringContaining(message),
		});
	});

	it('is refused as UTF-16', async () => {
		const text = new Uint8Array(Buffer.from('\ufeffa,b\n1,2\n', 'utf16le'));
		await expect(rowsOf(csv(text))).rejects.toMatchObject({ code: 'UNSUPPORTED' });
	});

	it('names its columns itself where there is no header, or no name', async () => {
		expect(await rowsOf(csv('1,x\n2,y\n', { header: false }))).toEqual([
			{ column_1: '1', column_2: 'x' },
			{ column_1: '2', column_2: 'y' },
		]);
		expect(Object.keys(await typesOf(csv(',x\n1,2\n')))).toEqual(['column_1', 'x']);
	});
});

describe('the schema of a CSV file', () => {
	it.each<[string, string[], string]>([
		['integers', ['1', '-5', '+7', '0', '9223372036854775807'], 'long'],
		['integers beyond a long', ['9223372036854775808', '1'], 'double'],
		['integers beyond a long that no double holds', ['9223372036854775809', '1'], 'string'],
		['integers beyond 2^53 among fractions', ['9007199254740993', '0.5'], 'string'],
		['integers within 2^53 among fractions', ['9007199254740991', '0.5'], 'double'],
		['fractions', ['1.5', '-0.25', '.5', '5.', '1e10', '1.7976931348623157e308'], 'double'],
		['fractions with more digits than a double has', ['0.12345678901234567891'], 'string'],
		['fractions as other programs print doubles', ['0.10000000000000001', '0.30000000000000004'], 'double'],
		['numbers too large for a double', ['1e999'], 'string'],
		['codes with zeros in front', ['00501', '10001'], 'string'],
		['truth values', ['true', 'FALSE', 'True'], 'boolean'],
		['ones and zeros', ['1', '0'], 'long'],
		['dates', ['2024-02-29', '1969-12-31'], 'date'],
		['days that do not exist', ['2023-02-29'], 'string'],
		['timestamps', ['2024-02-29T12:34:56', '2024-02-29 12:34:56.000001'], 'timestamp'],
		['timestamps with offsets', ['2024-02-29T12:34:56Z', '2024-02-29 12:34:56.5+02:00'], 'timestamptz'],
		['timestamps with and without offsets', ['2024-02-29T12:34:56Z', '2024-02-29T12:34:56'], 'string'],
		['timestamps finer than a microsecond', ['2024-02-29T12:34:56.000000001'], 'string'],
		['dates and timestamps', ['2024-02-29', '2024-02-29T00:00:00'], 'string'],
		['numbers and text', ['1', 'x'], 'string'],
		['nothing', ['', ''], 'string'],
		['not a number', ['NaN', '1.5', '-Infinity'], 'double'],
		['numbers with spaces around', [' 1', '2 '], 'long'],
	])('of %s', async (_name, values, type) => {
		const text = `a,b\n${values.map((value) => `x,${value}`).join('\n')}\n`;
		expect((await typesOf(csv(text)))['b']).toBe(type);
	});

	it('keeps each value that it was inferred from', async () => {
		const value = fc.oneof(
			fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String),
			fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
			fc
				.date({ noInvalidDate: true, min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z') })
				.map((date) => date.toISOString()),
			fc.constantFrom('', 'true', 'false', '2024-02-29', '0.1', '007', 'x'),
		);
		await fc.assert(
			fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 5 }), async (values) => {
				const rows = await rowsOf(csv(`a,b\n${values.map((one) => `k,${one}`).join('\n')}\n`));
				for (const [index, row] of rows.entries()) {
					const was = values[index]!;
					const is = (row as { b: unknown }).b;
					if (was === '') expect(is).toBeNull();
					else if (typeof is === 'number') expect(is).toBe(Number(was));
					else if (typeof is === 'boolean') expect(String(is)).toBe(was);
					else if (/^\d{4}-\d\d-\d\dT/.test(was) && String(is).endsWith('+00:00'))
						expect(Date.parse(String(is))).toBe(Date.parse(was));
					else expect(is).toBe(was);
				}
			}),
		);
	});

	it('counts nulls and rows', async () => {
		const inferred = await csv('a,b\n1,NA\n,x\n', { nullTexts: ['NA'] }).inferSchema();
		expect(inferred.rowCount).toBe(2);
		expect(inferred.complete).toBe(true);
		expect(inferred.columns.map(({ name, nullCount }) => [name, nullCount])).toEqual([
			['a', 1],
			['b', 1],
		]);
	});
});

describe('a CSV file for a table', () => {
	it('fills columns of every type that text can tell', async () => {
		const fields = fieldsOf({
			i: { kind: 'int' },
			d: { kind: 'decimal', precision: 38, scale: 2 },
			f: { kind: 'float' },
			t: { kind: 'time' },
			ts: { kind: 'timestamptz' },
			u: { kind: 'uuid' },
			x: { kind: 'binary' },
			l: { kind: 'list', elementId: 20, elementRequired: false, element: { kind: 'long' } },
			n: { kind: 'timestamp_ns' },
			missing: { kind: 'string' },
		});
		const text = `i,d,f,t,ts,u,x,l,n
-2147483648,123456789012345678901234567890123456.78,1.5,12:34:56.000001,2024-02-29 12:34:56+01:00,F79C3E09-677C-4BBD-A479-3F349CB785E7,00ff,"[1,9007199254740993]",2024-02-29T12:34:56.000000001
`;
		expect(await rowsOf(csv(text), fields)).toEqual([
			{
				i: -2147483648,
				d: '123456789012345678901234567890123456.78',
				f: 1.5,
				t: '12:34:56.000001',
				ts: '2024-02-29T11:34:56.000000+00:00',
				u: 'f79c3e09-677c-4bbd-a479-3f349cb785e7',
				x: '00ff',
				l: ['1', '9007199254740993'],
				n: '2024-02-29T12:34:56.000000001',
				missing: null,
			},
		]);
	});

	it.each([
		['1.5', { kind: 'long' }],
		['9223372036854775808', { kind: 'long' }],
		['2147483648', { kind: 'int' }],
		['x', { kind: 'double' }],
		['1e300', { kind: 'float' }],
		['1e999', { kind: 'double' }],
		['2024-02-29T12:34:56', { kind: 'timestamptz' }],
		['2024-02-29T12:34:56Z', { kind: 'timestamp' }],
		['2024-02-30', { kind: 'date' }],
		['1.234', { kind: 'decimal', precision: 9, scale: 2 }],
		['yes', { kind: 'boolean' }],
		['[1,', { kind: 'list', elementId: 9, elementRequired: false, element: { kind: 'long' } }],
	] as const)('is refused where %s does not fit, by row, column and value', async (value, type) => {
		const text = `a,b\n1,\n2,"${value}"\n`;
		const fields = fieldsOf({ a: { kind: 'long' }, b: type });
		const error = await rowsOf(csv(text), fields).catch((e: unknown) => e);
		expect(error).toMatchObject({ code: 'INVALID_DATA', context: { row: 2, column: 'b', value } });
		expect((error as Error).message).toContain(`data.csv, row 2, column 'b': '${value}' is no `);
	});

	it('is refused with a column that the table lacks, without one that it requires, with a null in such a one', async () => {
		const a = { kind: 'long' } as const;
		await expect(rowsOf(csv('a,z\n1,2\n'), fieldsOf({ a }))).rejects.toMatchObject({
			code: 'INVALID_DATA',
			message: expect.stringContaining("no column 'z'; it has 'a'"),
		});
		await expect(rowsOf(csv('a\n1\n'), fieldsOf({ a, r: { required: a } }))).rejects.toMatchObject({
			code: 'INVALID_DATA',
			context: { column: 'r' },
		});
		await expect(rowsOf(csv('a,b\n1,1\n,2\n'), fieldsOf({ a: { required: a }, b: a }))).rejects.toMatchObject({
			code: 'INVALID_DATA',
			context: { row: 2, column: 'a' },
		});
	});

	it('says what to do when a later row of a stream does not fit the rows that were looked at', async () => {
		const text = `a,b\n${'1,2\n'.repeat(2_200_000)}x,3\n`;
		const source = new CsvSource('stdin', streamOf(text, 1 << 20), {}, undefined);
		const inferred = await source.inferSchema();
		expect(inferred.complete).toBe(false);
		expect(inferred.schema.fields[0]?.type).toEqual({ kind: 'long' });
		await expect(rowsOf(source, inferred.schema.fields)).rejects.toMatchObject({
			code: 'INVALID_DATA',
			message: expect.stringMatching(/row 2200001, column 'a': 'x' is no long .*first \d+ rows/),
			context: { row: 2_200_001, column: 'a', value: 'x' },
		});
	});
});

describe('real files', () => {
	it('birdstrikes.csv', async () => {
		const bytes = new Uint8Array(readFileSync(`${projectDir}/node_modules/vega-datasets/data/birdstrikes.csv`));
		expect(await typesOf(csv(bytes))).toMatchObject({
			'Airport Name': 'string',
			'Flight Date': 'date',
			'Cost Total $': 'long',
			'Speed IAS in knots': 'long',
		});
		const rows = await rowsOf(csv(bytes));
		expect(rows).toHaveLength(10_000);
		expect(rows[0]).toMatchObject({
			'Airport Name': 'BARKSDALE AIR FORCE BASE ARPT',
			'Flight Date': '1990-01-08',
			'Speed IAS in knots': '300',
		});
	});

	it('zip codes keep their zeros', async () => {
		const bytes = new Uint8Array(readFileSync(`${projectDir}/node_modules/vega-datasets/data/zipcodes.csv`));
		expect(await typesOf(csv(bytes))).toMatchObject({ zip_code: 'string', latitude: 'double' });
	});
});
