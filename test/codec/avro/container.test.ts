import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import avsc from 'avsc';
import { beforeAll, describe, expect, test } from 'vitest';
import {
	type AvroCodec,
	avroBlocks,
	compressionOf,
	loadAvroCodec,
	readAvroHeader,
} from '../../../src/codec/avro/container-reader.ts';
import { decodeAvro } from '../../../src/codec/avro/data-file.ts';
import { encodeAvro } from '../../../src/codec/avro/encode-rows.ts';
import { compressSync, decompressSync } from '../../../src/codec/compression.ts';
import type { StructType, Value } from '../../../src/spec/types.ts';

const CODECS: readonly AvroCodec[] = ['null', 'deflate', 'zstandard', 'snappy'];
const LOCATION = 'memory:/t.avro';

const PEOPLE: StructType = {
	kind: 'struct',
	fields: [
		{ id: 1, name: 'id', required: true, type: { kind: 'long' } },
		{ id: 2, name: 'name', required: false, type: { kind: 'string' } },
		{ id: 3, name: 'score', required: true, type: { kind: 'double' } },
		{
			id: 4,
			name: 'tags',
			required: false,
			type: { kind: 'list', elementId: 5, elementRequired: true, element: { kind: 'string' } },
		},
		{
			id: 6,
			name: 'counts',
			required: true,
			type: { kind: 'map', keyId: 7, key: { kind: 'string' }, valueId: 8, valueRequired: true, value: { kind: 'int' } },
		},
	],
};
const ROWS: readonly Value[][] = [
	[1n, 'ann', 1.5, ['a', 'b'], [['x', 1]]],
	[-2n, null, Number.NEGATIVE_INFINITY, null, []],
	[4_503_599_627_370_497n, 'Zoë 東京 😀', -0, [], [['', -1]]],
];
/** The same rows as avsc has them. */
const AVSC_ROWS = [
	{ id: 1, name: 'ann', score: 1.5, tags: ['a', 'b'], counts: { x: 1 } },
	{ id: -2, name: null, score: Number.NEGATIVE_INFINITY, tags: null, counts: {} },
	{ id: 4_503_599_627_370_497, name: 'Zoë 東京 😀', score: -0, tags: [], counts: { '': -1 } },
];
const AVSC_SCHEMA = {
	type: 'record',
	name: 'table',
	fields: [
		{ name: 'id', type: 'long', 'field-id': 1 },
		{ name: 'name', type: ['null', 'string'], 'field-id': 2 },
		{ name: 'score', type: 'double', 'field-id': 3 },
		{ name: 'tags', type: ['null', { type: 'array', items: 'string', 'element-id': 5 }], 'field-id': 4 },
		{ name: 'counts', type: { type: 'map', values: 'int', 'key-id': 7, 'value-id': 8 }, 'field-id': 6 },
	],
};

async function allRows(bytes: Uint8Array, struct: StructType): Promise<Value[][]> {
	const rows: Value[][] = [];
	for await (const block of decodeAvro(bytes, struct, { location: LOCATION })) rows.push(...block);
	return rows;
}

/** What avsc needs for the codecs that it does not have itself; it takes their synchronous forms. */
type Done = (error: Error | null, bytes?: Buffer) => void;
const decoders = {
	zstandard: (bytes: Buffer, done: Done) => done(null, Buffer.from(decompressSync('zstd', bytes, 1e6))),
	snappy: (bytes: Buffer, done: Done) => {
		const checksum = bytes.readUInt32BE(bytes.length - 4);
		const result = decompressSync('snappy', bytes.subarray(0, -4), 1e6);
		done(crc32(result) === checksum ? null : new Error('wrong checksum'), Buffer.from(result));
	},
};
const encoders = {
	zstandard: (bytes: Buffer, done: Done) => done(null, Buffer.from(compressSync('zstd', bytes))),
	snappy: (bytes: Buffer, done: Done) => {
		const checksum = Buffer.alloc(4);
		checksum.writeUInt32BE(crc32(bytes));
		done(null, Buffer.concat([compressSync('snappy', bytes), checksum]));
	},
};

beforeAll(async () => {
	for (const codec of CODECS) {
		await loadAvroCodec(codec, 'compress');
		await loadAvroCodec(codec, 'decompress');
	}
});

function readWithAvsc(bytes: Uint8Array): Promise<unknown[]> {
	return new Promise((resolve, reject) => {
		const rows: unknown[] = [];
		const decoder = new avsc.streams.BlockDecoder({
			codecs: { ...avsc.streams.BlockDecoder.defaultCodecs(), ...decoders },
		} as never);
		decoder.on('data', (row: unknown) => rows.push(structuredClone(row)));
		decoder.on('end', () => resolve(rows));
		decoder.on('error', reject);
		decoder.end(Buffer.from(bytes));
	});
}

function writeWithAvsc(codec: string, rows: readonly unknown[]): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		const encoder = new avsc.streams.BlockEncoder(avsc.Type.forSchema(AVSC_SCHEMA as never), {
			codec,
			blockSize: 64,
			codecs: {
				...avsc.streams.BlockEncoder.defaultCodecs(),
				...encoders,
			},
			// avsc leaves attributes out of the schema that it writes
			metadata: { 'avro.schema': Buffer.from(JSON.stringify(AVSC_SCHEMA)) },
		} as never);
		encoder.on('data', (chunk: Buffer) => chunks.push(chunk));
		encoder.on('end', () => resolve(Buffer.concat(chunks)));
		encoder.on('error', reject);
		for (const row of rows) encoder.write(row);
		encoder.end();
	});
}

describe('Avro container files', () => {
	test.each(CODECS)('%s: avsc reads what we write', async (codec) => {
		const bytes = await encodeAvro(ROWS, PEOPLE, { codec });
		expect(await readWithAvsc(bytes)).toEqual(AVSC_ROWS);
	});

	test.each(CODECS)('%s: we read what avsc writes, in several blocks', async (codec) => {
		const many = Array.from({ length: 50 }, () => AVSC_ROWS).flat();
		const bytes = await writeWithAvsc(codec, many);
		const header = readAvroHeader(bytes, LOCATION);
		await loadAvroCodec(codec, 'decompress');
		expect([...avroBlocks(bytes, header, LOCATION)].length).toBeGreaterThan(2);
		expect(await allRows(bytes, PEOPLE)).toEqual(Array.from({ length: 50 }, () => ROWS).flat());
	});

	test('blocks are cut at the target size, and metadata come back', async () => {
		const long = 'x'.repeat(10_000);
		const rows = Array.from({ length: 30 }, (_, i) => [BigInt(i), long, i, null, []]);
		const bytes = await encodeAvro(rows, PEOPLE, { codec: 'null', metadata: { key: 'wert ß' } });
		const header = readAvroHeader(bytes, LOCATION);
		expect([...avroBlocks(bytes, header, LOCATION)].map((block) => block.count)).toEqual([7, 7, 7, 7, 2]);
		expect(Buffer.from(header.metadata.get('key') as Uint8Array).toString()).toBe('wert ß');
		expect(await allRows(bytes, PEOPLE)).toEqual(rows);
	});

	test('deflate blocks of all sizes follow one another', async () => {
		const sizes = [0, 1, 300_000, 40_000, 40_000, 3, 65_000, 700, 66_000, 0, 90_000, 12];
		const rows = sizes.map((size, i): Value[] => [BigInt(i), String.fromCharCode(97 + i).repeat(size), i, null, []]);
		const noise = Array.from({ length: 20_000 }, (_, i) => ((i * i) % 8191).toString(36)).join('');
		rows.splice(5, 0, [99n, noise, 0.5, ['z'], []]);
		// each row in a block of its own
		const files = await Promise.all(rows.map((row) => encodeAvro([row], PEOPLE, { codec: 'deflate' })));
		const [first] = files.map((bytes) => readAvroHeader(bytes, LOCATION));
		const blocks = files.map((bytes) => {
			const { dataOffset } = readAvroHeader(bytes, LOCATION);
			return Buffer.concat([bytes.subarray(dataOffset, bytes.length - 16), first?.syncMarker ?? bytes]);
		});
		const bytes = Buffer.concat([(files[0] as Uint8Array).subarray(0, first?.dataOffset), ...blocks]);
		expect(await allRows(bytes, PEOPLE)).toEqual(rows);
	});

	test.each(CODECS)('%s: what is wrong in a block is told with its place', async (codec) => {
		const rows = ['ann', 'bob'].map((name) => [1n, name, 1, null, []]);
		const bytes = await encodeAvro(rows, PEOPLE, { codec: 'null' });
		const { dataOffset } = readAvroHeader(bytes, LOCATION);
		const plain = Buffer.from(bytes.subarray(dataOffset + 2, bytes.length - 16));
		const damaged = Buffer.from(plain);
		// the byte before the name of the second row is its length
		const place = damaged.lastIndexOf('bob') - 1;
		damaged[place] = 0x7f;
		const header = Buffer.from(await encodeAvro([], PEOPLE, { codec }));
		const sync = readAvroHeader(header, LOCATION).syncMarker;
		const block = (data: Uint8Array) => {
			let packed = Buffer.from(compressSync(compressionOf(codec), data));
			if (codec === 'snappy') {
				const sum = Buffer.alloc(4);
				sum.writeUInt32BE(crc32(data));
				packed = Buffer.concat([packed, sum]);
			}
			expect(packed.length).toBeLessThan(64);
			return Buffer.concat([Uint8Array.of(4, packed.length * 2), packed, sync]);
		};
		const [good, bad] = [block(plain), block(damaged)];
		const start = header.length + good.length;
		const at = codec === 'null' ? `at byte ${start + 2 + place}` : `at block at byte ${start}, expanded byte ${place}`;
		await expect(allRows(Buffer.concat([header, good, bad]), PEOPLE)).rejects.toMatchObject({
			code: 'CORRUPT',
			message: expect.stringContaining(at),
		});
	});

	test('a file without blocks has no rows', async () => {
		expect(await allRows(await encodeAvro([], PEOPLE), PEOPLE)).toEqual([]);
	});

	test('an unknown compression codec is refused by name', async () => {
		const bytes = Buffer.from(await encodeAvro(ROWS, PEOPLE, { codec: 'deflate' }));
		bytes.write('deflatf', bytes.indexOf('deflate'));
		expect(() => readAvroHeader(bytes, LOCATION)).toThrowError(
			expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining("'deflatf'") }),
		);
	});

	test('a sync marker that is not the one of the file is refused with its place', async () => {
		const bytes = Buffer.from(await encodeAvro(ROWS, PEOPLE));
		bytes[bytes.length - 3] = (bytes[bytes.length - 3] as number) ^ 1;
		await expect(allRows(bytes, PEOPLE)).rejects.toMatchObject({
			code: 'CORRUPT',
			message: expect.stringMatching(new RegExp(`${LOCATION}: a sync marker .* at byte ${bytes.length - 16}`)),
		});
	});

	test('a wrong checksum of a snappy block is refused', async () => {
		const bytes = Buffer.from(await encodeAvro(ROWS, PEOPLE, { codec: 'snappy' }));
		const at = bytes.length - 17;
		bytes[at] = (bytes[at] as number) ^ 1;
		await expect(allRows(bytes, PEOPLE)).rejects.toMatchObject({
			code: 'CORRUPT',
			message: expect.stringContaining('checksum'),
		});
	});

	test('a block with bytes left over is refused', async () => {
		const narrow: StructType = { kind: 'struct', fields: PEOPLE.fields.slice(0, 1) };
		const wide = Buffer.from(await encodeAvro([[5n]], narrow, { codec: 'null' }));
		// count 1, size 1, value 10; now size 2 with one byte more
		const start = wide.length - 19;
		expect([...wide.subarray(start, start + 3)]).toEqual([2, 2, 10]);
		const longer = Buffer.concat([wide.subarray(0, start), Uint8Array.of(2, 4, 10, 10), wide.subarray(start + 3)]);
		await expect(allRows(longer, narrow)).rejects.toMatchObject({
			code: 'CORRUPT',
			message: expect.stringContaining('1 bytes after'),
		});
	});
});
