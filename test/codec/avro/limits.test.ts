import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { AvroBuffer } from '../../../src/codec/avro/buffer.ts';
import { decodeAvro } from '../../../src/codec/avro/data-file.ts';
import { AVRO_BLOCK_LIMIT_BYTES } from '../../../src/codec/avro/limits.ts';
import { parseAvroSchema } from '../../../src/codec/avro/schema.ts';
import type { StructType, Value } from '../../../src/spec/types.ts';
import { rawFile } from './raw-file.ts';

const NOTHING: StructType = { kind: 'struct', fields: [] };
const LISTS: StructType = {
	kind: 'struct',
	fields: [
		{
			id: 1,
			name: 'l',
			required: true,
			type: { kind: 'list', elementId: 2, elementRequired: false, element: { kind: 'long' } },
		},
	],
};

async function count(bytes: Uint8Array, struct: StructType = NOTHING): Promise<number> {
	let rows = 0;
	for await (const block of decodeAvro(bytes, struct, { location: 'memory:/t.avro' }))
		rows += (block as Value[][]).length;
	return rows;
}

function record(type: unknown): unknown {
	return { type: 'record', name: 'r', fields: [{ name: 'l', type, 'field-id': 1 }] };
}

async function refused(bytes: Uint8Array, struct: StructType, message: RegExp): Promise<void> {
	const start = performance.now();
	await expect(count(bytes, struct)).rejects.toMatchObject({
		code: 'CORRUPT',
		message: expect.stringMatching(message),
	});
	expect(performance.now() - start).toBeLessThan(5000);
}

describe('bytes that ask for too much are refused at once', () => {
	const array = { type: 'array', items: ['null', 'long'], 'element-id': 2 };

	test('an array of more elements than bytes', async () => {
		const bytes = rawFile(record(array), 1, (b) => b.writeLong(2n ** 40n));
		await refused(bytes, LISTS, /1099511627776 items where 0 bytes are left/);
		await refused(bytes, NOTHING, /1099511627776 items/);
	});

	test('more rows than bytes', async () => {
		await refused(
			rawFile(record('long'), 2 ** 45, (b) => b.writeLong(1n)),
			NOTHING,
			/35184372088832 rows in a block of 1 bytes/,
		);
	});

	test('rows that take no bytes', async () => {
		await refused(
			rawFile(record('null'), 2 ** 45, () => {}),
			NOTHING,
			/35184372088832 rows in a block of 0 bytes/,
		);
		expect(await count(rawFile(record('null'), 3, () => {}))).toBe(3);
	});

	test('an array of many nulls that takes no bytes', async () => {
		const nulls = record({ type: 'array', items: 'null', 'element-id': 2 });
		const bytes = rawFile(nulls, 1, (b) => {
			for (let i = 0; i < 4; i++) b.writeNumber(1_000_000);
			b.writeByte(0);
		});
		const unknowns: StructType = {
			kind: 'struct',
			fields: [
				{
					id: 1,
					name: 'l',
					required: true,
					type: { kind: 'list', elementId: 2, elementRequired: false, element: { kind: 'unknown' } },
				},
			],
		};
		await refused(bytes, unknowns, /a list of more than 1048576 nulls/);
		expect(await count(bytes)).toBe(1);
	});

	test('a length beyond the end, and a negative one', async () => {
		await refused(
			rawFile(record('bytes'), 1, (b) => b.writeLong(2n ** 50n)),
			NOTHING,
			/a length of 1125899906842624/,
		);
		await refused(
			rawFile(record('bytes'), 1, (b) => b.writeLong(-1n)),
			NOTHING,
			/a length of -1/,
		);
	});

	test('a schema that stands for 2^40 parts', () => {
		let schema: unknown = { type: 'record', name: 'r0', fields: [{ name: 'a', type: 'null' }] };
		for (let i = 1; i <= 40; i++) {
			schema = {
				type: 'record',
				name: `r${i}`,
				fields: [
					{ name: 'a', type: schema },
					{ name: 'b', type: `r${i - 1}` },
				],
			};
		}
		expect(() => parseAvroSchema(JSON.stringify(schema), 'x')).toThrowError(/more than 1000000 parts/);
	});

	test('a schema nested beyond the limit', () => {
		let schema: unknown = 'int';
		for (let i = 0; i < 200; i++) schema = { type: 'array', items: schema };
		expect(() => parseAvroSchema(JSON.stringify(schema), 'x')).toThrowError(/nested deeper than 128/);
		expect(() => parseAvroSchema(`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'x')).toThrowError(
			expect.objectContaining({ code: 'CORRUPT' }),
		);
	});

	test('a record that holds itself without end', async () => {
		const bytes = rawFile({ type: 'record', name: 'r', fields: [{ name: 'self', type: 'r' }] }, 1, () => {});
		await refused(bytes, NOTHING, /values nested deeper than 128/);
	});

	test('a chain of records deeper than the limit; a short one is skipped', async () => {
		const chain = { type: 'record', name: 'r', fields: [{ name: 'next', type: ['null', 'r'], 'field-id': 1 }] };
		const deep = rawFile(chain, 1, (b) => {
			for (let i = 0; i < 5000; i++) b.writeByte(2);
			b.writeByte(0);
		});
		await refused(deep, NOTHING, /values nested deeper than 128/);
		expect(await count(rawFile(chain, 1, (b) => b.writeRaw(Uint8Array.of(2, 2, 2, 0))))).toBe(1);
	});

	test('a block that expands beyond the limit', async () => {
		const zeros = deflateRawSync(new Uint8Array(AVRO_BLOCK_LIMIT_BYTES + 1), { level: 1 });
		const file = new AvroBuffer();
		const head = rawFile(record('long'), 0, () => {}, 'deflate');
		// header as it is, then a block of our own in place of the empty one
		const dataStart = head.length - 16 - 2 - 2;
		file.writeRaw(head.subarray(0, dataStart));
		file.writeNumber(1);
		file.writeBytes(zeros);
		file.writeRaw(head.subarray(head.length - 16));
		await refused(file.view(), NOTHING, /a deflate block that cannot be expanded at byte/);
	});
});

describe('schemas that are none', () => {
	test.each([
		['{', /is not JSON/],
		['"nope"', /refers to the type 'nope'/],
		['{"type":"record","name":"r"}', /record 'r' without fields/],
		['{"type":"record","fields":[]}', /named type without a name/],
		['{"type":"fixed","name":"f","size":-1}', /fixed type 'f' of size -1/],
		['{"type":"enum","name":"e"}', /enum 'e' without symbols/],
		['[]', /union without branches/],
		['["null",["int"]]', /union in a union/],
		['{"type":"record","name":"r","fields":[{"name":"a","type":"int","field-id":"x"}]}', /as 'field-id'/],
		['{"type":"record","name":"r","fields":[{"name":"a","type":{"type":"fixed","name":"r","size":1}}]}', /'r' twice/],
		['5', /holds 5 where a type should be/],
	])('%s', (text, message) => {
		expect(() => parseAvroSchema(text, 'memory:/x.avro')).toThrowError(
			expect.objectContaining({ code: 'CORRUPT', message: expect.stringMatching(message) }),
		);
	});

	test('names are resolved in their namespaces', () => {
		const text = JSON.stringify({
			type: 'record',
			name: 'outer',
			namespace: 'a.b',
			fields: [
				{ name: 'x', type: { type: 'fixed', name: 'f', size: 2 } },
				{ name: 'y', type: 'f' },
				{ name: 'z', type: 'a.b.f' },
				{ name: 'w', type: { type: 'record', name: 'c.inner', fields: [{ name: 'v', type: 'a.b.f' }] } },
			],
		});
		const schema = parseAvroSchema(text, 'x');
		const fields = schema.kind === 'record' ? schema.fields : [];
		expect(fields[0]?.type).toMatchObject({ kind: 'fixed', name: 'a.b.f', size: 2 });
		expect(fields[1]?.type).toBe(fields[0]?.type);
		expect(fields[2]?.type).toBe(fields[0]?.type);
		expect(fields[3]?.type).toMatchObject({ kind: 'record', name: 'c.inner' });
	});
});
