import { describe, expect, test } from 'vitest';
import type { AvroBuffer } from '../../../src/codec/avro/buffer.ts';
import { decodeAvro } from '../../../src/codec/avro/data-file.ts';
import type { DecoderOptions } from '../../../src/codec/avro/decoder.ts';
import { primitiveTypeOfAvro } from '../../../src/codec/avro/iceberg-type.ts';
import { parseAvroSchema } from '../../../src/codec/avro/schema.ts';
import type { StructType, Type, Value } from '../../../src/spec/types.ts';
import { rawFile } from './raw-file.ts';

const LOCATION = 'memory:/t.avro';

async function rowsOf(
	bytes: Uint8Array,
	struct: StructType,
	options: Partial<DecoderOptions> = {},
): Promise<Value[][]> {
	const rows: Value[][] = [];
	for await (const block of decodeAvro(bytes, struct, { location: LOCATION, ...options })) rows.push(...block);
	return rows;
}

function record(type: unknown): unknown {
	return { type: 'record', name: 'r', fields: [{ name: 'v', type, 'field-id': 1 }] };
}

function column(type: Type, required = true): StructType {
	return { kind: 'struct', fields: [{ id: 1, name: 'v', required, type }] };
}

/** One value of an Avro type, read as an Iceberg type. */
async function read(avro: unknown, type: Type, write: (buffer: AvroBuffer) => void): Promise<Value | undefined> {
	return (await rowsOf(rawFile(record(avro), 1, write), column(type)))[0]?.[0];
}

const long = (value: bigint) => (buffer: AvroBuffer) => buffer.writeLong(value);

describe('values of Avro types as Iceberg types', () => {
	const cases: [string, unknown, Type, (buffer: AvroBuffer) => void, Value][] = [
		['int to long', 'int', { kind: 'long' }, long(-5n), -5n],
		['long in 32 bits to int', 'long', { kind: 'int' }, long(-5n), -5],
		['float to double', 'float', { kind: 'double' }, (b) => b.writeFloat(0.1), Math.fround(0.1)],
		['date to timestamp', { type: 'int', logicalType: 'date' }, { kind: 'timestamp' }, long(-1n), -86_400_000_000n],
		[
			'date to timestamp_ns',
			{ type: 'int', logicalType: 'date' },
			{ kind: 'timestamp_ns' },
			long(1n),
			86_400_000_000_000n,
		],
		['timestamp-millis', { type: 'long', logicalType: 'timestamp-millis' }, { kind: 'timestamptz' }, long(-7n), -7000n],
		['time-millis', { type: 'int', logicalType: 'time-millis' }, { kind: 'time' }, long(7n), 7000n],
		[
			'timestamp-micros to _ns',
			{ type: 'long', logicalType: 'timestamp-micros' },
			{ kind: 'timestamp_ns' },
			long(7n),
			7000n,
		],
		[
			'uuid as text',
			{ type: 'string', logicalType: 'uuid' },
			{ kind: 'uuid' },
			(b) => b.writeString('F79C3E09-677C-4BBD-A479-3F349CB785E7'),
			'f79c3e09-677c-4bbd-a479-3f349cb785e7',
		],
		[
			'decimal in bytes',
			{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 },
			{ kind: 'decimal', precision: 20, scale: 2 },
			(b) => b.writeBytes(Uint8Array.of(0xff, 0x7f)),
			-129n,
		],
		[
			'decimal in fixed, sign-extended beyond 16 bytes',
			{ type: 'fixed', name: 'f', size: 20, logicalType: 'decimal', precision: 38, scale: 0 },
			{ kind: 'decimal', precision: 38, scale: 0 },
			(b) => b.writeRaw(new Uint8Array(20).fill(0xff)),
			-1n,
		],
		['enum to string', { type: 'enum', name: 'e', symbols: ['A', 'B'] }, { kind: 'string' }, long(1n), 'B'],
		[
			'fixed to binary',
			{ type: 'fixed', name: 'f', size: 2 },
			{ kind: 'binary' },
			(b) => b.writeRaw(Uint8Array.of(1, 2)),
			Uint8Array.of(1, 2),
		],
		['union with null last', ['long', 'null'], { kind: 'long' }, (b) => (b.writeByte(0), b.writeLong(3n)), 3n],
		['union of one', ['long'], { kind: 'long' }, (b) => (b.writeByte(0), b.writeLong(3n)), 3n],
		['longs of all widths', 'long', { kind: 'long' }, long(-(2n ** 63n)), -(2n ** 63n)],
	];
	test.each(cases)('%s', async (_name, avro, type, write, expected) => {
		expect(await read(avro, type, write)).toEqual(expected);
	});

	const refused: [string, unknown, Type, (buffer: AvroBuffer) => void, RegExp][] = [
		['long beyond 32 bits as int', 'long', { kind: 'int' }, long(2n ** 31n), /a number beyond 32 bits at byte \d+/],
		[
			'string as long',
			'string',
			{ kind: 'long' },
			(b) => b.writeString('x'),
			/'v' is of the Avro type string, which cannot be read as long/,
		],
		['double as float', 'double', { kind: 'float' }, (b) => b.writeDouble(1), /Avro type double/],
		[
			'a decimal of another scale',
			{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 },
			{ kind: 'decimal', precision: 9, scale: 3 },
			(b) => b.writeBytes(Uint8Array.of(1)),
			/bytes \(decimal\)/,
		],
		[
			'nanoseconds as microseconds',
			{ type: 'long', logicalType: 'timestamp-nanos' },
			{ kind: 'timestamp' },
			long(1n),
			/timestamp-nanos/,
		],
		[
			'null in a required column',
			['null', 'long'],
			{ kind: 'long' },
			(b) => b.writeByte(0),
			/null in the required column 'v'/,
		],
		[
			'a branch that is not there',
			['null', 'long'],
			{ kind: 'long' },
			(b) => b.writeByte(4),
			/a branch that the union does not have/,
		],
		[
			'text that is not UTF-8',
			'string',
			{ kind: 'string' },
			(b) => b.writeBytes(Uint8Array.of(0xc3, 0x28)),
			/not UTF-8/,
		],
		['a boolean of 2', 'boolean', { kind: 'boolean' }, (b) => b.writeByte(2), /2 is no boolean/],
		[
			'a number beyond 64 bits',
			'long',
			{ kind: 'long' },
			(b) => b.writeRaw(new Uint8Array(10).fill(0xff)),
			/beyond 64 bits/,
		],
		['another uuid', 'string', { kind: 'uuid' }, (b) => b.writeString('nope'), /'nope' is no uuid/],
		[
			'fixed of another length',
			{ type: 'fixed', name: 'f', size: 2 },
			{ kind: 'fixed', length: 3 },
			(b) => b.writeRaw(Uint8Array.of(1, 2)),
			/Avro type fixed/,
		],
	];
	test.each(refused)('%s is refused', async (_name, avro, type, write, message) => {
		await expect(read(avro, type, write)).rejects.toMatchObject({
			code: 'CORRUPT',
			message: expect.stringMatching(message),
			context: expect.objectContaining({ location: LOCATION }),
		});
	});

	test('text may hold the replacement character by right', async () => {
		expect(await read('string', { kind: 'string' }, (b) => b.writeString('a\ufffdb'))).toBe('a\ufffdb');
	});

	test('a union of several types is not Iceberg', async () => {
		await expect(read(['null', 'long', 'string'], { kind: 'long' }, (b) => b.writeByte(0))).rejects.toMatchObject({
			code: 'UNSUPPORTED',
		});
	});
});

describe('columns', () => {
	const file = rawFile(
		{
			type: 'record',
			name: 'r',
			fields: [
				{ name: 'renamed', type: 'long', 'field-id': 7 },
				{
					name: 'dropped',
					type: ['null', { type: 'map', values: { type: 'array', items: 'string' } }, 'double'],
					'field-id': 8,
				},
				{ name: 'v', type: 'string', 'field-id': 9 },
			],
		},
		1,
		(b) => {
			b.writeLong(1n);
			b.writeNumber(1);
			// a map in a block that tells its size
			b.writeNumber(-1);
			b.writeNumber(8);
			b.writeString('k');
			b.writeNumber(2);
			b.writeString('x');
			b.writeString('y');
			b.writeRaw(Uint8Array.of(0, 0));
			b.writeString('last');
		},
	);

	test('are matched by field id, others skipped, absent ones given their initial default', async () => {
		const struct: StructType = {
			kind: 'struct',
			fields: [
				{ id: 9, name: 'text', required: true, type: { kind: 'string' } },
				{ id: 10, name: 'v', required: false, type: { kind: 'int' }, initialDefault: 4 },
				{ id: 7, name: 'id', required: true, type: { kind: 'long' } },
				{ id: 11, name: 'absent', required: false, type: { kind: 'int' } },
			],
		};
		expect(await rowsOf(file, struct)).toEqual([['last', 4, 1n, null]]);
	});

	test('of a file without ids are found by name mapping', async () => {
		const bytes = rawFile({ type: 'record', name: 'r', fields: [{ name: 'old name', type: 'long' }] }, 1, long(5n));
		const struct = column({ kind: 'long' }, false);
		expect(await rowsOf(bytes, struct)).toEqual([[null]]);
		const nameToId = (path: readonly string[]): number | undefined => (path.join('.') === 'old name' ? 1 : undefined);
		expect(await rowsOf(bytes, struct, { nameToId })).toEqual([[5n]]);
	});

	test('of a file with ids are never found by name', async () => {
		const bytes = rawFile(
			{ type: 'record', name: 'r', fields: [{ name: 'v', type: 'long', 'field-id': 2 }] },
			1,
			long(5n),
		);
		expect(await rowsOf(bytes, column({ kind: 'long' }, false), { nameToId: () => 1 })).toEqual([[null]]);
	});
});

describe('Iceberg types of Avro primitives', () => {
	test.each<[unknown, Type | undefined]>([
		['int', { kind: 'int' }],
		[{ type: 'int', logicalType: 'date' }, { kind: 'date' }],
		[{ type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': true }, { kind: 'timestamptz' }],
		[{ type: 'long', logicalType: 'timestamp-micros' }, { kind: 'timestamp' }],
		[{ type: 'long', logicalType: 'timestamp-nanos', 'adjust-to-utc': true }, { kind: 'timestamptz_ns' }],
		[{ type: 'long', logicalType: 'time-micros' }, { kind: 'time' }],
		[{ type: 'fixed', name: 'u', size: 16, logicalType: 'uuid' }, { kind: 'uuid' }],
		[
			{ type: 'fixed', name: 'd', size: 4, logicalType: 'decimal', precision: 9, scale: 2 },
			{ kind: 'decimal', precision: 9, scale: 2 },
		],
		[
			{ type: 'fixed', name: 'f', size: 3 },
			{ kind: 'fixed', length: 3 },
		],
		['bytes', { kind: 'binary' }],
		[{ type: 'array', items: 'int' }, undefined],
	])('%j', (schema, type) => {
		expect(primitiveTypeOfAvro(parseAvroSchema(JSON.stringify(schema), LOCATION))).toEqual(type);
	});
});
