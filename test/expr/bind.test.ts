import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import { bindExpression } from '../../src/expr/bind.ts';
import * as build from '../../src/expr/builders.ts';
import type { BoundExpression, ComparisonOp, Expression, LiteralInput } from '../../src/expr/expression.ts';
import { MAX_EXPRESSION_DEPTH } from '../../src/expr/limits.ts';
import { compileRowFilter } from '../../src/expr/row-filter.ts';
import { Schema } from '../../src/spec/schema.ts';
import type { NestedField, Type, Value } from '../../src/spec/types.ts';

const point: Type = {
	kind: 'struct',
	fields: [
		{ id: 31, name: 'x', required: true, type: { kind: 'int' } },
		{ id: 32, name: 'y', required: false, type: { kind: 'double' } },
	],
};
const columns: [string, Type, boolean?][] = [
	['id', { kind: 'long' }, true],
	['i', { kind: 'int' }],
	['l', { kind: 'long' }],
	['f', { kind: 'float' }],
	['d', { kind: 'double' }],
	['dec', { kind: 'decimal', precision: 9, scale: 2 }],
	['b', { kind: 'boolean' }],
	['day', { kind: 'date' }],
	['tm', { kind: 'time' }],
	['ts', { kind: 'timestamp' }],
	['tz', { kind: 'timestamptz' }],
	['ns', { kind: 'timestamp_ns' }],
	['s', { kind: 'string' }],
	['u', { kind: 'uuid' }],
	['fx', { kind: 'fixed', length: 2 }],
	['bin', { kind: 'binary' }],
	['point', point],
	['tags', { kind: 'list', elementId: 41, elementRequired: false, element: { kind: 'string' } }],
	['v', { kind: 'variant' }],
	['none', { kind: 'unknown' }],
	['a.b', { kind: 'int' }],
	['Mixed', { kind: 'int' }],
];
const schema = new Schema({
	fields: columns.map(
		([name, type, required], i): NestedField => ({ id: i + 1, name, required: required ?? false, type }),
	),
});

function bind(expr: Expression): BoundExpression {
	return bindExpression(expr, schema);
}
/** What is left of a predicate: its operator and its literal or literals. */
function shape(expr: BoundExpression): unknown {
	if ('literal' in expr) return [expr.op, expr.literal];
	return 'literals' in expr ? [expr.op, expr.literals] : expr.op;
}
function problem(make: () => unknown): IcebergError {
	try {
		make();
	} catch (error) {
		if (error instanceof IcebergError) return error;
		throw error;
	}
	throw new Error('nothing was refused');
}

describe('binding', () => {
	it('finds columns, also in structs and with dots in their names', () => {
		expect(bind(build.eq('point.x', 5))).toEqual({
			op: 'eq',
			ref: { name: 'point.x', fieldId: 31, type: { kind: 'int' }, path: [16, 0], nullable: true },
			literal: 5,
		});
		expect(shape(bind(build.eq('a.b', 5)))).toEqual(['eq', 5]);
		expect(bind(build.eq('id', 5))).toMatchObject({ ref: { nullable: false }, literal: 5n });
	});

	it('refuses unknown columns and names near ones', () => {
		const error = problem(() => bind(build.eq('piont.x', 5)));
		expect(error.code).toBe('INVALID_FILTER');
		expect(error.message).toMatch(/no column 'piont.x'.*'point.x'/);
		expect(problem(() => bind(build.eq('mixed', 5))).message).toContain("'Mixed'");
		expect(problem(() => bind(build.isNull('tags.element'))).message).toContain('lies in a list or a map');
	});

	it('finds columns in any case when asked to', () => {
		expect(shape(bindExpression(build.eq('mIXED', 5), schema, { caseSensitive: false }))).toEqual(['eq', 5]);
		const twice = new Schema({
			fields: ['A', 'a'].map((name, i) => ({ id: i + 1, name, required: false, type: { kind: 'int' } })),
		});
		expect(problem(() => bindExpression(build.eq('a', 5), twice, { caseSensitive: false })).message).toContain(
			'ambiguous',
		);
		expect(shape(bindExpression(build.eq('a', 5), twice))).toEqual(['eq', 5]);
	});

	it('folds null tests of required columns, of structs on the way and of unknown columns', () => {
		expect(bind(build.isNull('id'))).toEqual({ op: 'false' });
		expect(bind(build.notNull('id'))).toEqual({ op: 'true' });
		expect(shape(bind(build.isNull('point.x')))).toBe('is-null');
		expect(shape(bind(build.notNull('tags')))).toBe('not-null');
		expect(shape(bind(build.isNull('v')))).toBe('is-null');
		expect(bind(build.isNull('none'))).toEqual({ op: 'true' });
		expect(bind(build.notNull('none'))).toEqual({ op: 'false' });
	});

	it('pushes not down to the predicates', () => {
		const { not, and, or, lt, isIn, isNull, startsWith, isNaN_ } = build;
		expect(bind(not(and(lt('i', 5), or(isNull('s'), startsWith('s', 'a')))))).toMatchObject({
			op: 'or',
			children: [{ op: 'gt-eq' }, { op: 'and', children: [{ op: 'not-null' }, { op: 'not-starts-with' }] }],
		});
		expect(shape(bind(not(isIn('i', [1, 2]))))).toEqual(['not-in', [1, 2]]);
		expect(shape(bind(not(isNaN_('d'))))).toBe('not-nan');
		expect(bind(not(build.alwaysTrue()))).toEqual({ op: 'false' });
	});

	it('makes sets canonical', () => {
		expect(shape(bind(build.isIn('l', [3, 1n, 3n, 2])))).toEqual(['in', [1n, 2n, 3n]]);
		expect(shape(bind(build.isIn('l', [3, 3n])))).toEqual(['eq', 3n]);
		expect(shape(bind(build.notIn('l', [3])))).toEqual(['not-eq', 3n]);
		expect(bind(build.isIn('l', []))).toEqual({ op: 'false' });
		expect(bind(build.notIn('l', []))).toEqual({ op: 'true' });
		expect(shape(bind(build.isIn('i', [1, 2 ** 40, 2.5, 7])))).toEqual(['in', [1, 7]]);
		expect(bind(build.isIn('i', [2 ** 40]))).toEqual({ op: 'false' });
	});

	it('keeps only a null test, or a constant, of a literal beyond the type', () => {
		for (const [literal, below] of [
			[2n ** 40n, true],
			[-(2n ** 40n), false],
		] as const) {
			expect(bind(build.eq('i', literal))).toEqual({ op: 'false' });
			expect(bind(build.notEq('i', literal))).toEqual({ op: 'true' });
			expect(shape(bind(build.lt('i', literal)))).toBe(below ? 'not-null' : 'false');
			expect(shape(bind(build.gtEq('i', literal)))).toBe(below ? 'false' : 'not-null');
		}
		expect(bind(build.lt('id', 2n ** 70n))).toEqual({ op: 'true' });
		expect(shape(bind(build.lt('dec', '99999999.99')))).toBe('not-null');
		expect(shape(bind(build.lt('dec', Infinity)))).toBe('not-null');
	});

	it('folds prefixes that say nothing', () => {
		expect(shape(bind(build.startsWith('s', '')))).toBe('not-null');
		expect(shape(bind(build.notStartsWith('s', '')))).toBe('is-null');
	});

	it('limits depth', () => {
		let deep: Expression = build.eq('i', 1);
		for (let i = 0; i < MAX_EXPRESSION_DEPTH + 1; i++) deep = { op: 'and', children: [deep, build.eq('i', 1)] };
		expect(problem(() => bind(deep)).code).toBe('LIMIT_EXCEEDED');
	});
});

describe('literals', () => {
	const cases: [string, LiteralInput, Value][] = [
		['i', 5, 5],
		['i', 5n, 5],
		['i', { type: 'decimal', text: '5.0' }, 5],
		['l', 9007199254740993n, 9007199254740993n],
		['l', 2 ** 60, 2n ** 60n],
		['f', 0.1, Math.fround(0.1)],
		['f', -0, -0],
		['d', 0.1, 0.1],
		['d', 5n, 5],
		['d', { type: 'decimal', text: '0.12345678901234567890' }, 0.12345678901234568],
		['dec', '1.5', 150n],
		['dec', 1.28, 128n],
		['dec', 7n, 700n],
		['dec', { type: 'decimal', text: '-0.10' }, -10n],
		['b', true, true],
		['day', '1970-01-31', 30],
		['day', new Date('1970-01-31T00:00:00Z'), 30],
		['day', 30, 30],
		['day', { type: 'date', text: '1970-01-31' }, 30],
		['tm', '00:00:01.000001', 1_000_001n],
		['ts', '1970-01-01T00:00:01', 1_000_000n],
		['ts', '1970-01-02', 86_400_000_000n],
		['ts', new Date(1), 1_000n],
		['ts', 17n, 17n],
		['tz', '1970-01-01T02:00:00+02:00', 0n],
		['tz', '1970-01-01 00:00:00Z', 0n],
		['ns', '1970-01-01T00:00:00.000000001', 1n],
		['ns', new Date(1), 1_000_000n],
		['s', "it's", "it's"],
		['u', 'F79C3E09-677C-4BBD-A479-3F349CB785E7', 'f79c3e09-677c-4bbd-a479-3f349cb785e7'],
		['u', new Uint8Array(16), '00000000-0000-0000-0000-000000000000'],
		['fx', Uint8Array.of(1, 255), Uint8Array.of(1, 255)],
		['fx', '01fF', Uint8Array.of(1, 255)],
		['bin', '', Uint8Array.of()],
	];
	for (const [column, literal, expected] of cases)
		it(`of ${column}: ${JSON.stringify(literal, (_, v) => (typeof v === 'bigint' ? `${v}n` : v))}`, () => {
			expect(shape(bind(build.eq(column, literal)))).toEqual(['eq', expected]);
		});

	const refused: [string, LiteralInput, RegExp][] = [
		['i', '5', /'i' of type int: expected a number, found "5"/],
		['i', true, /'i' of type int: expected a number, found true/],
		['s', 5, /'s' of type string: expected text, found 5/],
		['s', '\ud800', /lone surrogates/],
		['b', 1, /true or false, found 1/],
		['dec', 'x', /decimal\(9, 2\): expected a number/],
		['day', '2024-02-30', /no such day/],
		['day', '2024-01-01T00:00:00', /expected a date/],
		['tm', '24:00:00', /expected a time/],
		['ts', '2024-01-01T00:00:00Z', /no offset from UTC/],
		['ts', 5, /microseconds since 1970 as a bigint, found 5/],
		['tz', '2024-01-01T00:00:00', /an offset from UTC as well, such as '2024-01-01T00:00:00Z'/],
		['tz', '2024-01-01', /'2024-01-01T00:00:00Z'/],
		['tz', new Date(Number.NaN), /a valid Date/],
		['u', 'abc', /expected a uuid/],
		['fx', '010203', /2 bytes, not 3/],
		['fx', 'xyz', /hexadecimal/],
		['bin', 5, /Uint8Array/],
		['point', 5, /struct<.*isNull or notNull/],
		['v', 5, /variant: expected isNull/],
		['none', 5, /unknown: expected isNull/],
		['s', { type: 'date', text: '2024-01-01' }, /expected text, found date '2024-01-01'/],
		['d', '1.5', /expected a number, found "1.5"/],
	];
	for (const [column, literal, message] of refused)
		it(`of ${column} refuse ${JSON.stringify(literal)}`, () => {
			const error = problem(() => bind(build.eq(column, literal)));
			expect(error.code).toBe('INVALID_FILTER');
			expect(error.message).toMatch(message);
			expect(error.context['column']).toBe(column);
		});

	it('refuse null and NaN with advice', () => {
		expect(problem(() => build.eq('i', null as never)).message).toContain("isNull('i')");
		expect(problem(() => build.eq('d', Number.NaN)).message).toContain("isNaN_('d')");
		expect(problem(() => bind({ op: 'eq', ref: { name: 'i' }, literal: null as never })).message).toContain(
			"isNull('i')",
		);
		expect(problem(() => bind({ op: 'in', ref: { name: 'd' }, literals: [1, Number.NaN] })).message).toContain(
			'isNaN_',
		);
		expect(problem(() => bind(build.isNaN_('i'))).message).toMatch(/column 'i' of type int has no NaN/);
		expect(problem(() => bind(build.startsWith('i', 'a'))).message).toMatch(/column 'i' of type int has no prefix/);
	});
});

describe('comparisons with literals between the values of a type', () => {
	const OPS: readonly ComparisonOp[] = ['lt', 'lt-eq', 'gt', 'gt-eq', 'eq', 'not-eq'];
	const holds = (op: ComparisonOp, order: number): boolean =>
		({
			lt: order < 0,
			'lt-eq': order <= 0,
			gt: order > 0,
			'gt-eq': order >= 0,
			eq: order === 0,
			'not-eq': order !== 0,
		})[op];

	/** Row and literal as exact fractions over one denominator: the mathematical answer. */
	function check(
		column: string,
		values: readonly (readonly [Value, bigint])[],
		literal: LiteralInput,
		scaledLiteral: bigint,
	): void {
		const position = columns.findIndex(([name]) => name === column);
		for (const op of OPS) {
			const keep = compileRowFilter(bind({ op, ref: { name: column }, literal }));
			const row: Value[] = columns.map(() => null);
			for (const [value, scaledValue] of values) {
				row[position] = value;
				const order = scaledValue < scaledLiteral ? -1 : scaledValue > scaledLiteral ? 1 : 0;
				expect([op, value, keep(row)]).toEqual([op, value, holds(op, order)]);
			}
			row[position] = null;
			expect(keep(row)).toBe(op === 'not-eq');
		}
	}

	it('of whole numbers follow the exact order', () => {
		const near = fc.integer({ min: -40, max: 40 });
		fc.assert(
			fc.property(near, fc.array(near, { minLength: 1 }), (tenths, list) => {
				const text = `${tenths < 0 ? '-' : ''}${Math.floor(Math.abs(tenths) / 10)}.${Math.abs(tenths) % 10}`;
				const values = list.map((value) => [value, BigInt(value) * 10n] as const);
				check('i', values, tenths / 10, BigInt(tenths));
				check('i', values, { type: 'decimal', text }, BigInt(tenths));
				check(
					'l',
					values.map(([value, s]) => [BigInt(value), s] as const),
					tenths / 10,
					BigInt(tenths),
				);
				const hundredths = list.map((value) => [BigInt(value), BigInt(value) * 10n] as const);
				check(
					'dec',
					hundredths,
					{ type: 'decimal', text: `${tenths < 0 ? '-' : ''}0.0${String(Math.abs(tenths)).padStart(2, '0')}` },
					BigInt(tenths),
				);
			}),
		);
	});

	it('of doubles with whole numbers that no double holds follow the exact order', () => {
		const wide = fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n });
		fc.assert(
			fc.property(wide, (literal) => {
				const center = Number(literal);
				const values = [center, center * (1 + 2 ** -52), center * (1 - 2 ** -52), 0.5, Infinity, -Infinity];
				const scaled = values.map((value): readonly [Value, bigint] => [
					value,
					value === Infinity ? 10n ** 30n : value === -Infinity ? -(10n ** 30n) : BigInt(Math.floor(value * 2)),
				]);
				check(
					'd',
					scaled.filter(([value]) => Number.isInteger(value) || !Number.isFinite(value)),
					literal,
					literal * 2n,
				);
				const single = [Math.fround(center), Infinity, -Infinity].map((value): readonly [Value, bigint] => [
					value,
					value === Infinity ? 10n ** 30n : value === -Infinity ? -(10n ** 30n) : BigInt(value),
				]);
				check('f', single, literal, literal);
			}),
		);
	});

	it('of floats with numbers beyond all floats keep infinities apart', () => {
		const far = 10n ** 60n;
		const values: (readonly [Value, bigint])[] = [
			[1, 1n],
			[Infinity, far * 10n],
			[-Infinity, -far * 10n],
		];
		check('f', values, 1e60, far);
		check('f', values, -1e60, -far);
		check('d', values, 10n ** 400n, far);
	});

	it('of timestamps with finer instants follow the exact order', () => {
		const literal = '1970-01-01T00:00:00.000001500';
		check(
			'ts',
			[
				[0n, 0n],
				[1n, 1000n],
				[2n, 2000n],
			],
			literal,
			1500n,
		);
		check(
			'ts',
			[
				[-1n, -1000n],
				[0n, 0n],
			],
			'1969-12-31T23:59:59.999999500',
			-500n,
		);
		check(
			'day',
			[
				[0, 0n],
				[1, 24n],
				[2, 48n],
			],
			new Date('1970-01-02T12:00:00Z'),
			36n,
		);
	});
});
