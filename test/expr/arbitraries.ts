/** Columns, values and predicates for property tests. Values come from small pools, so that predicates hit and bounds meet. */
import fc from 'fast-check';
import { boundAnd, boundOr, boundSet } from '../../src/expr/bound.ts';
import type { BoundExpression, BoundReference, ComparisonOp } from '../../src/expr/expression.ts';
import type { StructValue, Type, Value } from '../../src/spec/types.ts';
import { PLAIN_KINDS } from '../support/arbitrary-types.ts';

const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;
const SMALL = [-25n, -11n, -10n, -9n, -1n, 0n, 1n, 9n, 10n, 11n, 12n, 25n, 26n, 99n];
const DAY = 86_400_000_000n;
/** around the turns of hours, days, months and years, before and after 1970, in microseconds */
const INSTANTS = [-366n * DAY, -365n * DAY, -31n * DAY, -DAY, 0n, DAY, 59n * DAY, 365n * DAY, 20_000n * DAY].flatMap(
	(turn) => [turn - 1n, turn, turn + 1n, turn + 3_600_000_000n, turn - 3_600_000_000n],
);
const TEXTS = [
	'',
	'a',
	'ab',
	'abc',
	'abcd',
	'abd',
	'b',
	'é',
	'éa',
	'\u{1F600}',
	'\u{1F600}a',
	'\uFFFF',
	'zz',
	'\uD7FF',
];
const UUIDS = [
	'00000000-0000-0000-0000-000000000000',
	'7fffffff-ffff-ffff-ffff-ffffffffffff',
	'80000000-0000-0000-0000-000000000000',
	'f79c3e09-677c-4bbd-a479-3f349cb785e7',
];
const BYTES = [[], [0], [0, 0], [1], [1, 2], [1, 2, 3], [127], [128], [255], [255, 255]].map((b) => Uint8Array.from(b));
const FIXED = [
	[0, 0, 0],
	[0, 0, 1],
	[1, 2, 3],
	[127, 255, 0],
	[128, 0, 0],
	[255, 255, 255],
].map((b) => Uint8Array.from(b));
const DOUBLES = [-1.5, -1, -0, 0, 0.5, 1, 1.5, 2, 1e30, -1e30, Infinity, -Infinity, NaN];

/** Values of a type, NaN among the floating-point ones, null not. */
export function poolOf(type: Type): readonly Value[] {
	switch (type.kind) {
		case 'boolean':
			return [false, true];
		case 'int':
			return [...SMALL.map(Number), -0x80000000, -0x7fffffff, 0x7fffffff, 0x7ffffffe];
		case 'date':
			return [-800, -366, -365, -31, -1, 0, 1, 30, 31, 58, 59, 365, 366, 20_000];
		case 'long':
			return [
				...SMALL,
				LONG_MIN,
				LONG_MIN + 1n,
				LONG_MAX,
				LONG_MAX - 1n,
				2n ** 53n + 1n,
				2n ** 32n,
				2n ** 32n - 1n,
				-(2n ** 32n),
			];
		case 'time':
			return [0n, 1n, 3_600_000_000n, DAY - 1n];
		case 'timestamp':
		case 'timestamptz':
			return INSTANTS;
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return INSTANTS.flatMap((micros) => [micros * 1_000n, micros * 1_000n + 1n]);
		case 'float':
			return [...DOUBLES.map(Math.fround), Math.fround(0.1)];
		case 'double':
			return [...DOUBLES, 0.1];
		case 'decimal': {
			const limit = 10n ** BigInt(type.precision) - 1n;
			return [...SMALL, limit, -limit, limit - 1n].filter((value) => value <= limit && value >= -limit);
		}
		case 'string':
			return TEXTS;
		case 'uuid':
			return UUIDS;
		case 'fixed':
			return FIXED;
		case 'binary':
			return BYTES;
		default:
			throw new Error(`no values of ${type.kind}`);
	}
}

export const PRIMITIVES: readonly Type[] = [
	...PLAIN_KINDS.map((kind): Type => ({ kind })),
	{ kind: 'decimal', precision: 9, scale: 2 },
	{ kind: 'decimal', precision: 38, scale: 10 },
	{ kind: 'fixed', length: 3 },
];

export function value(type: Type): fc.Arbitrary<Value> {
	return fc.constantFrom(...poolOf(type));
}

/** Rows of one column each type, one in five values null. */
export function rowsOf(types: readonly Type[], maxLength = 12): fc.Arbitrary<StructValue[]> {
	const row = fc.tuple(...types.map((type) => fc.option(value(type), { freq: 4 })));
	return fc.array(row, { maxLength }) as fc.Arbitrary<StructValue[]>;
}

/** References to the columns of such rows: field ids from 1. */
export function referencesTo(types: readonly Type[]): BoundReference[] {
	return types.map((type, i) => ({ name: `c${i}`, fieldId: i + 1, type, path: [i], nullable: true }));
}

const COMPARISONS: readonly ComparisonOp[] = ['lt', 'lt-eq', 'gt', 'gt-eq', 'eq', 'not-eq'];

/** One predicate on the reference, as binding would make it. */
export function predicate(ref: BoundReference): fc.Arbitrary<BoundExpression> {
	const literals = poolOf(ref.type).filter((candidate) => candidate === candidate);
	const literal = fc.constantFrom(...literals);
	const made: fc.Arbitrary<BoundExpression>[] = [
		fc.constantFrom('is-null' as const, 'not-null' as const).map((op) => ({ op, ref })),
		fc.tuple(fc.constantFrom(...COMPARISONS), literal).map(([op, found]) => ({ op, ref, literal: found })),
		fc.tuple(fc.constantFrom(...COMPARISONS), literal).map(([op, found]) => ({ op, ref, literal: found })),
		fc
			.tuple(fc.constantFrom('in' as const, 'not-in' as const), fc.array(literal, { minLength: 1, maxLength: 5 }))
			.map(([op, found]) => boundSet(op, ref, found)),
	];
	if (ref.type.kind === 'float' || ref.type.kind === 'double')
		made.push(fc.constantFrom('is-nan' as const, 'not-nan' as const).map((op) => ({ op, ref })));
	if (ref.type.kind === 'string')
		made.push(
			fc
				.tuple(
					fc.constantFrom('starts-with' as const, 'not-starts-with' as const),
					fc.constantFrom('a', 'ab', 'abc', 'é', '\u{1F600}', 'z'),
				)
				.map(([op, prefix]) => ({ op, ref, literal: prefix })),
		);
	return fc.oneof(...made);
}

/** Predicates joined by `and` and `or`. */
export function expression(refs: readonly BoundReference[], depth = 2): fc.Arbitrary<BoundExpression> {
	const leaf = fc.oneof(...refs.map(predicate));
	if (depth === 0) return leaf;
	const children = fc.array(expression(refs, depth - 1), { minLength: 2, maxLength: 3 });
	return fc.oneof(
		{ weight: 2, arbitrary: leaf },
		{ weight: 1, arbitrary: children.map(boundAnd) },
		{ weight: 1, arbitrary: children.map(boundOr) },
	);
}
