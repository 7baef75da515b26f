import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import * as build from '../../src/expr/builders.ts';
import type { Expression, LiteralInput } from '../../src/expr/expression.ts';
import { MAX_EXPRESSION_DEPTH, MAX_WHERE_TEXT_LENGTH } from '../../src/expr/limits.ts';
import { parseWhere } from '../../src/expr/parse-where.ts';
import { toText } from '../../src/expr/to-text.ts';

const {
	and,
	or,
	not,
	eq,
	notEq,
	lt,
	ltEq,
	gt,
	gtEq,
	isIn,
	notIn,
	isNull,
	notNull,
	isNaN_,
	notNaN,
	startsWith,
	notStartsWith,
} = build;

describe('where-text', () => {
	const cases: [string, Expression][] = [
		[`status = 'failed' and duration_ms > 1000`, and(eq('status', 'failed'), gt('duration_ms', 1000n))],
		['a = 1 or b = 2 and c = 3', or(eq('a', 1n), and(eq('b', 2n), eq('c', 3n)))],
		['(a = 1 or b = 2) and c = 3', and(or(eq('a', 1n), eq('b', 2n)), eq('c', 3n))],
		['NOT a = 1 AND b <> 2', and(not(eq('a', 1n)), notEq('b', 2n))],
		['a != 1', notEq('a', 1n)],
		['a == 1', eq('a', 1n)],
		['a<=1 and a>=-1', and(ltEq('a', 1n), gtEq('a', -1n))],
		['a < +1.5e3', lt('a', 1500)],
		['a in (1, 2.5, -3)', isIn('a', [1n, 2.5, -3n])],
		["a not in ('x', 'y')", notIn('a', ['x', 'y'])],
		['a in ()', isIn('a', [])],
		['a is null or b is not null', or(isNull('a'), notNull('b'))],
		['a is nan or b is not nan', or(isNaN_('a'), notNaN('b'))],
		["a like 'abc%'", startsWith('a', 'abc')],
		["a not like 'abc%%'", notStartsWith('a', 'abc')],
		["a like 'abc'", eq('a', 'abc')],
		["a not like 'abc'", notEq('a', 'abc')],
		["a like '100\\%\\_%'", startsWith('a', '100%_')],
		["a like '%'", startsWith('a', '')],
		["a starts with 'x'", startsWith('a', 'x')],
		["a not starts with 'x'", notStartsWith('a', 'x')],
		['a between 1 and 2 and b = 3', and(and(gtEq('a', 1n), ltEq('a', 2n)), eq('b', 3n))],
		['a not between 1 and 2', or(lt('a', 1n), gt('a', 2n))],
		['"a b".c = true', eq('a b.c', true)],
		['`we"ird` = false', eq('we"ird', false)],
		['"q""q" = 1', eq('q"q', 1n)],
		['größe = 1 and _x$1 = 2', and(eq('größe', 1n), eq('_x$1', 2n))],
		['point.in.date = 1', eq('point.in.date', 1n)],
		["a = 'it''s'", eq('a', "it's")],
		["a = ''", eq('a', '')],
		["d = date '2024-02-29'", eq('d', { type: 'date', text: '2024-02-29' })],
		["t = TIMESTAMP '2024-02-29 12:00:00Z'", eq('t', { type: 'timestamp', text: '2024-02-29 12:00:00Z' })],
		["t = time '12:00:00'", eq('t', { type: 'time', text: '12:00:00' })],
		["u = uuid 'x'", eq('u', { type: 'uuid', text: 'x' })],
		["b = x'0aFF' or b = X''", or(eq('b', Uint8Array.of(10, 255)), eq('b', new Uint8Array(0)))],
		['a > infinity or a < -Infinity', or(gt('a', Infinity), lt('a', -Infinity))],
		['a = 9223372036854775808', eq('a', 9223372036854775808n)],
		['a = 0.1', eq('a', 0.1)],
		['a = 5.0', eq('a', 5)],
		['a = .5 or a = 5.', or(eq('a', 0.5), eq('a', 5))],
		['a = -0.0', eq('a', -0)],
		['a = 0.12345678901234567890123', eq('a', { type: 'decimal', text: '0.12345678901234567890123' })],
		['true', build.alwaysTrue()],
		['not false', { op: 'not', child: build.alwaysFalse() }],
		['date = 1 and timestamp > 2', and(eq('date', 1n), gt('timestamp', 2n))],
		['a\t=\n1', eq('a', 1n)],
	];
	for (const [text, expected] of cases)
		it(text, () => {
			expect(parseWhere(text)).toEqual(expected);
		});

	const refused: [string, string, number][] = [
		['', 'empty', 0],
		['  ', 'empty', 2],
		['status = failed', "text stands in single quotes: 'failed'", 9],
		['a = ', 'expected a literal, found the end', 4],
		['(a = 1', "expected ')' for the '(' at position 1", 6],
		['a = 1)', "unexpected ')'", 5],
		["a like '%x'", 'only a prefix', 7],
		["a like 'a_'", 'only a prefix', 7],
		["a like 'a\\'", 'only a prefix', 7],
		['a like abc', 'a pattern in quotes', 7],
		['a = null', "write 'a is null'", 4],
		['a <> NaN', "write 'a is nan'", 5],
		['a is 5', "expected 'null'", 5],
		['a is true', "write 'a = true'", 5],
		['a is not false', "write 'a != false'", 9],
		['a ! 1', "unexpected '!'", 2],
		["a = 'x", 'no closing', 4],
		['a = "x" and "y', 'no closing', 12],
		['"" = 1', 'must not be empty', 0],
		['active', "asked 'active = true'", 6],
		['active and b = 1', "asked 'active = true'", 7],
		['a in 1', "expected '('", 5],
		['a in (1', "expected ')'", 7],
		['a in (1,)', 'expected a literal', 8],
		['5 = a', 'write the column first', 0],
		['a = 1 b = 2', "unexpected 'b'", 6],
		["a = x'0'", 'two hexadecimal digits', 4],
		["a = date '2024-02-30'", 'no such day', 9],
		["a = timestamp 'noon'", 'expected a timestamp', 14],
		['a = 1x', "unexpected 'x' after a number", 5],
		['a = - b', "expected a number after '-'", 6],
		['a between 1 or 2', "expected 'and'", 12],
		['a not = 1', "after 'not'", 6],
		['a starts 1', "expected 'with'", 9],
		['a. = 1', 'expected a column', 3],
		['and a = 1', 'expected a column', 0],
		['a = 1 and', 'expected a column, found the end', 9],
		['a = 1e999', 'out of range', 4],
		['a = b.c', 'expected a literal', 4],
		['a ~ 1', "unexpected '~'", 2],
		['a = 1; drop', "unexpected ';'", 5],
	];
	for (const [text, message, position] of refused)
		it(`refuses ${JSON.stringify(text)} at ${position}`, () => {
			let error: unknown;
			try {
				parseWhere(text);
			} catch (thrown) {
				error = thrown;
			}
			expect(error).toBeInstanceOf(IcebergError);
			const refusal = error as IcebergError;
			expect(refusal.code).toBe('INVALID_FILTER');
			expect(refusal.message).toContain(message);
			expect(refusal.context['position']).toBe(position);
			const [, line, caret] = refusal.message.split('\n');
			expect(line).toBe(`  ${text}`);
			expect(caret).toBe(`  ${' '.repeat(position)}^`);
		});

	it('marks the place in long and in several lines', () => {
		const long = `${'a = 1 and '.repeat(50)}b ~ 2 ${'and c = 3 '.repeat(50)}`;
		const marked = (text: string): string | undefined => {
			try {
				parseWhere(text);
			} catch (error) {
				const [, line, caret] = (error as Error).message.split('\n');
				expect((line as string).length).toBeLessThan(120);
				return line?.[(caret as string).indexOf('^')];
			}
			return undefined;
		};
		expect(marked(long)).toBe('~');
		expect(marked('a = 1\nand b ~ 2\nor c = 3')).toBe('~');
	});

	it('limits length and depth, and takes long chains', () => {
		const code = (text: string): string => {
			try {
				parseWhere(text);
				return 'parsed';
			} catch (error) {
				return (error as IcebergError).code;
			}
		};
		expect(code(`${'('.repeat(MAX_EXPRESSION_DEPTH + 1)}a = 1${')'.repeat(MAX_EXPRESSION_DEPTH + 1)}`)).toBe(
			'LIMIT_EXCEEDED',
		);
		expect(code(`${'not '.repeat(100_000)}a = 1`)).toBe('LIMIT_EXCEEDED');
		expect(code(' '.repeat(MAX_WHERE_TEXT_LENGTH + 1))).toBe('LIMIT_EXCEEDED');
		expect(code(Array.from({ length: 20_000 }, (_, i) => `a = ${i}`).join(' or '))).toBe('parsed');
		expect(code(`a = ${'9'.repeat(5_000)}`)).toBe('INVALID_FILTER');
	});

	it('never fails but with its own errors', () => {
		const word = fc.constantFrom(
			'a',
			'"b c"',
			'=',
			'<',
			'(',
			')',
			'and',
			'or',
			'not',
			'in',
			',',
			"'x'",
			'1',
			'-',
			'2.5',
			'is',
			'null',
			'like',
			'between',
			"x'0f'",
			'.',
			"'",
			'\u{1F600}',
			'date',
		);
		fc.assert(
			fc.property(fc.array(word, { maxLength: 12 }), fc.constantFrom('', ' '), (words, space) => {
				try {
					const parsed = parseWhere(words.join(space));
					expect(parseWhere(toText(parsed))).toEqual(parsed);
				} catch (error) {
					if (!(error instanceof IcebergError)) throw error;
					expect(error.code).toBe('INVALID_FILTER');
				}
			}),
			{ numRuns: 2_000 },
		);
	});
});

describe('printed predicates', () => {
	const name = fc.oneof(
		fc.constantFrom('a', 'a.b', 'in', 'null', 'a b', 'q"q', 'größe', '1st', 'date', 'a.in', 'x-y.z', '.', 'TRUE'),
		fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }).filter((text) => !text.includes('\0')),
	);
	const literal: fc.Arbitrary<LiteralInput> = fc.oneof(
		fc.boolean(),
		fc.bigInt(),
		fc.double({ noNaN: true }),
		fc.string({ unit: 'binary' }),
		fc.uint8Array({ maxLength: 5 }),
		fc.constantFrom<LiteralInput>(
			{ type: 'date', text: '2024-02-29' },
			{ type: 'timestamp', text: '2024-02-29T00:00:00Z' },
			{ type: 'time', text: '12:00' },
			{ type: 'decimal', text: '-0.12345678901234567890123' },
		),
	);
	const leaf: fc.Arbitrary<Expression> = fc.oneof(
		fc.tuple(fc.constantFrom(eq, notEq, lt, ltEq, gt, gtEq), name, literal).map(([make, n, l]) => make(n, l)),
		fc.tuple(fc.constantFrom(isNull, notNull, isNaN_, notNaN), name).map(([make, n]) => make(n)),
		fc.tuple(fc.constantFrom(isIn, notIn), name, fc.array(literal, { maxLength: 4 })).map(([make, n, l]) => make(n, l)),
		fc
			.tuple(fc.constantFrom(startsWith, notStartsWith), name, fc.string({ unit: 'binary' }))
			.map(([make, n, l]) => make(n, l)),
		fc.constantFrom(build.alwaysTrue(), build.alwaysFalse()),
	);
	const tree = (depth: number): fc.Arbitrary<Expression> =>
		depth === 0
			? leaf
			: fc.oneof(
					leaf,
					fc
						.array(tree(depth - 1), { minLength: 2, maxLength: 3 })
						.map((children): Expression => ({ op: 'and', children })),
					fc
						.array(tree(depth - 1), { minLength: 2, maxLength: 3 })
						.map((children): Expression => ({ op: 'or', children })),
					tree(depth - 1).map((child): Expression => ({ op: 'not', child })),
				);

	it('parse back to themselves', () => {
		fc.assert(
			fc.property(tree(3), (expr) => {
				expect(parseWhere(toText(expr))).toEqual(expr);
			}),
			{ numRuns: 1_000 },
		);
	});

	it('print dates as timestamps in UTC, and quote where they must', () => {
		expect(toText(eq('in', new Date(0)))).toBe(`"in" = timestamp '1970-01-01T00:00:00.000Z'`);
		expect(toText(and(eq('a b', "it's"), or(isNull('c.d'), eq('e', 1))))).toBe(
			`"a b" = 'it''s' and (c.d is null or e = 1.0)`,
		);
	});

	it('refuse what no text can say', () => {
		expect(() => toText({ op: 'eq', ref: { name: 'a' }, literal: Number.NaN })).toThrow(/NaN/);
		expect(() => toText(eq('a', new Date(Number.NaN)))).toThrow(/invalid Date/);
	});
});
