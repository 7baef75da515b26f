import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeVariant, variantToCanonicalText, variantToJs } from '../../src/column/variant-decode.ts';
import { encodeVariant, VARIANT_DEPTH_LIMIT } from '../../src/column/variant-encode.ts';
import { IcebergError } from '../../src/errors/iceberg-error.ts';

const NO_NAMES: Uint8Array = Uint8Array.of(1, 0, 0);
const bytes = (...parts: (number | number[])[]): Uint8Array => Uint8Array.from(parts.flat());
const int64 = (value: bigint): number[] => [...new Uint8Array(BigInt64Array.of(value).buffer)];
const canonical = (value: Uint8Array, metadata: Uint8Array = NO_NAMES): unknown =>
	JSON.parse(variantToCanonicalText({ metadata, value }));

describe('physical types of the Parquet variant encoding', () => {
	const header = (type: number): number => type << 2;
	it.each<[string, Uint8Array, unknown, unknown]>([
		['null', bytes(header(0)), { t: 'null' }, null],
		['true', bytes(header(1)), { t: 'boolean', v: true }, true],
		['false', bytes(header(2)), { t: 'boolean', v: false }, false],
		['int8', bytes(header(3), 0xf9), { t: 'int8', v: '-7' }, -7],
		['int16', bytes(header(4), 0x2c, 0x01), { t: 'int16', v: '300' }, 300],
		['int32', bytes(header(5), 0x90, 0xee, 0xfe, 0xff), { t: 'int32', v: '-70000' }, -70000],
		['int64', bytes(header(6), int64(2n ** 53n + 1n)), { t: 'int64', v: '9007199254740993' }, 9007199254740993n],
		['small int64', bytes(header(6), int64(-5n)), { t: 'int64', v: '-5' }, -5],
		['double', bytes(header(7), [...new Uint8Array(Float64Array.of(0.1).buffer)]), { t: 'double', v: 0.1 }, 0.1],
		['double NaN', bytes(header(7), [0, 0, 0, 0, 0, 0, 0xf8, 0x7f]), { t: 'double', v: 'NaN' }, Number.NaN],
		['decimal4', bytes(header(8), 2, 0xd2, 0x04, 0, 0), { t: 'decimal4', v: '12.34' }, '12.34'],
		[
			'decimal8',
			bytes(header(9), 3, int64(-1234567890123n)),
			{ t: 'decimal8', v: '-1234567890.123' },
			'-1234567890.123',
		],
		[
			'decimal16',
			bytes(
				header(10),
				4,
				int64(BigInt.asIntN(64, 123456789012345678901234n)),
				int64(123456789012345678901234n >> 64n),
			),
			{ t: 'decimal16', v: '12345678901234567890.1234' },
			'12345678901234567890.1234',
		],
		['negative decimal16', bytes(header(10), 0, int64(-1n), int64(-1n)), { t: 'decimal16', v: '-1' }, '-1'],
		['date', bytes(header(11), 0x38, 0x4a, 0, 0), { t: 'date', v: '19000' }, '2022-01-08'],
		['timestamptz', bytes(header(12), int64(-1n)), { t: 'timestamptz', v: '-1' }, '1969-12-31T23:59:59.999999+00:00'],
		['timestampntz', bytes(header(13), int64(-1n)), { t: 'timestampntz', v: '-1' }, '1969-12-31T23:59:59.999999'],
		['float', bytes(header(14), 0, 0, 0xc0, 0x3f), { t: 'float', v: 1.5 }, 1.5],
		['binary', bytes(header(15), 3, 0, 0, 0, 0, 0xff, 0x10), { t: 'binary', v: '00ff10' }, bytes(0, 0xff, 0x10)],
		['string', bytes(header(16), 2, 0, 0, 0, 0xc3, 0xa9), { t: 'string', v: 'é' }, 'é'],
		['short string', bytes((2 << 2) | 1, 0xc3, 0xa9), { t: 'string', v: 'é' }, 'é'],
		['time', bytes(header(17), int64(86_399_999_999n)), { t: 'time', v: '86399999999' }, '23:59:59.999999'],
		[
			'timestamptz_nanos',
			bytes(header(18), int64(1n)),
			{ t: 'timestamptz_nanos', v: '1' },
			'1970-01-01T00:00:00.000000001+00:00',
		],
		[
			'timestampntz_nanos',
			bytes(header(19), int64(1n)),
			{ t: 'timestampntz_nanos', v: '1' },
			'1970-01-01T00:00:00.000000001',
		],
		[
			'uuid',
			bytes(header(20), [...Buffer.from('f24f9b6481fa49d1b74e8c09a6e31c56', 'hex')]),
			{ t: 'uuid', v: 'f24f9b64-81fa-49d1-b74e-8c09a6e31c56' },
			'f24f9b64-81fa-49d1-b74e-8c09a6e31c56',
		],
		[
			'array',
			bytes(3, 2, 0, 2, 3, header(3), 1, header(0)),
			{ t: 'array', v: [{ t: 'int8', v: '1' }, { t: 'null' }] },
			[1, null],
		],
	])('%s', (_, value, expected, js) => {
		expect(canonical(value)).toEqual(expected);
		expect(variantToJs({ metadata: NO_NAMES, value })).toEqual(js);
	});

	it('objects: names out of the metadata, values in any order behind the offsets, sorted canonically', () => {
		const metadata = bytes(1, 2, 0, 1, 2, 0x62, 0x61); // unsorted: b, a
		const value = bytes(2, 2, 1, 0, 2, 0, 4, header(3), 9, header(3), 7);
		expect(variantToCanonicalText({ metadata, value })).toBe(
			'{"t":"object","v":{"a":{"t":"int8","v":"7"},"b":{"t":"int8","v":"9"}}}',
		);
	});
});

/** Plain values as a variant holds them; objects by their entries, so that the order of keys does not count. */
const plain: fc.Arbitrary<unknown> = fc.letrec<{ any: unknown }>((tie) => ({
	any: fc.oneof(
		{ depthSize: 'small' },
		fc.constant(null),
		fc.boolean(),
		fc.integer(),
		fc.maxSafeInteger(),
		fc.double(),
		fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
		fc.string({ unit: 'grapheme', maxLength: 80 }),
		fc.uint8Array({ maxLength: 20 }),
		fc.array(tie('any'), { maxLength: 4 }),
		fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 5 }), tie('any'), { maxKeys: 4, noNullPrototype: true }),
	),
})).any;

describe('encodeVariant', () => {
	it('round-trips plain values', () => {
		fc.assert(
			fc.property(plain, (input) => {
				expect(variantToJs(encodeVariant(input))).toEqual(input);
			}),
		);
	});

	it('round-trips large arrays and objects', () => {
		const many = Array.from({ length: 70_000 }, (_, i) => i);
		expect(variantToJs(encodeVariant(many))).toEqual(many);
		const wide = Object.fromEntries(many.slice(0, 300).map((i) => [`name ${i}`, 'x'.repeat(i)]));
		expect(variantToJs(encodeVariant(wide))).toEqual(wide);
	});

	it('keeps a member that is called __proto__', () => {
		const input = JSON.parse('{"__proto__": {"x": 1}}') as object;
		const back = variantToJs(encodeVariant(input)) as object;
		expect(Object.keys(back)).toEqual(['__proto__']);
		expect((back as { x?: number }).x).toBeUndefined();
		expect(variantToCanonicalText(encodeVariant(input))).toContain('"__proto__":{"t":"object"');
	});

	it.each<[string, unknown, unknown]>([
		['whole numbers by size', [1, 300, 70000, 2 ** 40], ['int8', 'int16', 'int32', 'int64']],
		['fractions and -0', [0.5, -0, Number.NaN], ['double', 'double', 'double']],
		['bigints', [1n, 2n ** 64n], ['int8', 'decimal16']],
		['Date', [new Date(0)], ['timestamptz']],
		['undefined', [undefined], ['null']],
		['Map', [new Map([['a', 1]])], ['object']],
	])('%s', (_, input, kinds) => {
		const node = decodeVariant(encodeVariant(input));
		expect(node.type === 'array' && node.items.map(({ type }) => type)).toEqual(kinds);
	});

	it.each<[string, unknown]>([
		['functions', { a: [Math.max] }],
		['symbols', Symbol('x')],
		['class instances', new (class Run {})()],
		['Maps with other keys', new Map([[1, 2]])],
		['integers of more than 38 digits', 10n ** 38n],
		['lone surrogates', ['\ud800']],
		['lone surrogates in names', { '\ud800': 1 }],
		['Invalid Date', new Date(Number.NaN)],
	])('refuses %s', (_, input) => {
		expect(() => encodeVariant(input)).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
	});

	it('refuses circular values instead of running out of stack', () => {
		const loop: unknown[] = [];
		loop.push(loop);
		expect(() => encodeVariant(loop)).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
	});
});

describe('hostile variants', () => {
	it('never crash or hang: cut anywhere, any byte changed', () => {
		const sample = encodeVariant({ a: [1, 'two', { b: null, c: 2n ** 70n }], z: 'x'.repeat(70), d: new Date(5) });
		fc.assert(
			fc.property(
				fc.nat(sample.value.length - 1),
				fc.nat(sample.metadata.length - 1),
				fc.nat(255),
				fc.boolean(),
				(at, metaAt, byte, cut) => {
					const value = cut ? sample.value.slice(0, at) : sample.value.with(at, byte);
					const metadata = cut ? sample.metadata : sample.metadata.with(metaAt, byte);
					try {
						variantToCanonicalText({ metadata, value });
					} catch (error) {
						expect(error).toBeInstanceOf(IcebergError);
						expect(['CORRUPT', 'UNSUPPORTED']).toContain((error as IcebergError).code);
					}
				},
			),
			{ numRuns: 1000 },
		);
	});

	it('random bytes', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 30 }), fc.uint8Array({ maxLength: 60 }), (metadata, value) => {
				try {
					variantToJs({ metadata: Uint8Array.from([1, ...metadata]), value });
				} catch (error) {
					expect(error).toBeInstanceOf(IcebergError);
				}
			}),
			{ numRuns: 2000 },
		);
	});

	it('a few bytes cannot stand for a huge value', () => {
		// each array's two elements are the same nested array
		let value: number[] = [3, 0, 0];
		for (let i = 0; i < 40; i++) value = [3, 2, 0, 0, value.length, ...value];
		expect(() => canonical(bytes(value))).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
	});

	it('nesting is bounded', () => {
		const depth = VARIANT_DEPTH_LIMIT + 2;
		let value: number[] = [0];
		for (let i = 0; i < depth; i++) value = [3 | (1 << 2), 1, 0, 0, value.length & 255, value.length >> 8, ...value];
		expect(() => canonical(bytes(value))).toThrow(/nests deeper/);
	});

	it('another version of the encoding is unsupported', () => {
		expect(() => canonical(bytes(0), bytes(2, 0, 0))).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
	});
});
