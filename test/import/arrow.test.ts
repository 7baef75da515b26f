import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openImport } from '../../src/import/open-import.ts';
import { decompressLz4Frame } from '../../src/codec/lz4-frame.ts';
import { projectDir } from '../support/project.ts';
import { fieldsOf, fileOf, rowsOf, streamOf, typesOf } from './helpers.ts';

/** Written by pyarrow 24. */
const fixture = (name: string): Uint8Array =>
	new Uint8Array(readFileSync(new URL(`./fixtures/pyarrow-24.${name}`, import.meta.url)));

const rows = [
	{
		i8: 1,
		u64: '1',
		s: 'a'.repeat(300),
		cat: 'x',
		ts: '2024-02-29T01:02:03.000004+00:00',
		l: [1],
		st: { a: '1' },
		m: [['k', '1']],
		n: null,
		dec: '1.50',
		ns: '2024-02-29T01:02:03.000001',
	},
	{
		i8: null,
		u64: '18446744073709551615',
		s: null,
		cat: 'y',
		ts: null,
		l: [],
		st: null,
		m: [],
		n: null,
		dec: null,
		ns: '2024-02-29T01:02:03.000001',
	},
	{
		i8: -3,
		u64: null,
		s: 'ü',
		cat: 'x',
		ts: null,
		l: null,
		st: { a: null },
		m: null,
		n: null,
		dec: null,
		ns: '2024-02-29T01:02:03.000001',
	},
];

describe('an Arrow file', () => {
	it('tells its own schema', async () => {
		const file = fileOf(fixture('zstd.feather'));
		expect(await typesOf(await openImport(file, { name: 'x.feather' }))).toEqual({
			i8: 'int',
			u64: 'decimal(20, 0)',
			s: 'string',
			cat: 'string',
			ts: 'timestamptz',
			l: 'list<int>',
			st: 'struct<a: long>',
			m: 'map<string, long>',
			n: 'string',
			dec: 'decimal(38, 2)',
			ns: 'timestamp',
		});
		expect(await typesOf(await openImport(file, { name: 'x.feather', formatVersion: 3 }))).toMatchObject({
			n: 'unknown',
			ns: 'timestamp_ns',
		});
	});

	it.each(['lz4.feather', 'zstd.feather'])('is read with its compressed buffers: %s', async (name) => {
		expect(await rowsOf(await openImport(fileOf(fixture(name))))).toEqual(rows);
		expect(await rowsOf(await openImport(streamOf(fixture(name), 100), { format: 'arrow' }))).toEqual(rows);
	});

	it('comes as a stream of several batches, in whatever pieces', async () => {
		for (const pieceBytes of [1, 7, 64, 5000]) {
			const source = await openImport(streamOf(fixture('stream.arrows'), pieceBytes), { format: 'arrow' });
			expect(await rowsOf(source)).toEqual([...rows, ...rows, ...rows]);
			expect(source.progress.rows).toBe(9);
		}
	});

	it('real file: flights-200k.arrow', async () => {
		const bytes = new Uint8Array(readFileSync(`${projectDir}/node_modules/vega-datasets/data/flights-200k.arrow`));
		const source = await openImport(fileOf(bytes), { name: 'flights-200k.arrow' });
		expect(await typesOf(source)).toEqual({ delay: 'int', distance: 'int', time: 'float' });
		expect(await rowsOf(source)).toHaveLength(200_000);
	});

	it('is refused where a column does not fit', async () => {
		const source = await openImport(fileOf(fixture('lz4.feather')));
		await expect(rowsOf(source, fieldsOf({ i8: { kind: 'int' } }))).rejects.toMatchObject({ code: 'INVALID_DATA' });
	});

	it('is refused when it ends early, wherever that is', async () => {
		const whole = fixture('stream.arrows');
		for (let length = 0; length < whole.length - 8; length += 37) {
			const result = rowsOf(await openImport(fileOf(whole.subarray(0, length)), { format: 'arrow' })).then(
				(found) => found.length % 3,
				(error: { code?: string }) => error.code,
			);
			// a stream may end between two messages
			expect([0, 'CORRUPT']).toContain(await result);
		}
	});

	it('is refused when bytes are changed, without a crash', async () => {
		const whole = fixture('lz4.feather');
		for (let at = 8; at < whole.length; at += 11) {
			const changed = whole.slice();
			changed[at] = (changed[at] as number) ^ 0x55;
			const result = rowsOf(await openImport(fileOf(changed), { format: 'arrow' })).then(
				() => 'read',
				(error: { code?: string; message: string }) => error.code ?? error.message,
			);
			expect([
				'read',
				'CORRUPT',
				'INVALID_DATA',
				'INVALID_SCHEMA',
				'UNSUPPORTED',
				'LIMIT_EXCEEDED',
				'INVALID_ARGUMENT',
			]).toContain(await result);
		}
	});
});

describe('LZ4 frames', () => {
	it('are refused when they are broken', () => {
		const frame = Uint8Array.of(4, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 2, 0, 0, 0x80, 104, 105, 0, 0, 0, 0);
		expect(new TextDecoder().decode(decompressLz4Frame(frame, 2))).toBe('hi');
		expect(() => decompressLz4Frame(frame, 3)).toThrow('2 bytes where 3');
		expect(() => decompressLz4Frame(frame, 1)).toThrow('more bytes');
		for (let length = 0; length < frame.length; length++)
			expect(() => decompressLz4Frame(frame.subarray(0, length), 2)).toThrow('LZ4');
	});
});
