import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readPuffinBlob, readPuffinFooter } from '../../src/codec/puffin.ts';
import { RoaringPositions } from '../../src/codec/roaring.ts';
import { sharedDir } from '../support/shared.ts';

const shared = sharedDir();
const vector = (path: string): Uint8Array =>
	new Uint8Array(readFileSync(`${shared}/clients/vectors/org/apache/iceberg/${path}`));

describe.skipIf(shared === undefined)('bit-exact vectors of Apache Iceberg (skipped without ../shared)', () => {
	it.each([
		['64mapempty.bin', 0n],
		['64map32bitvals.bin', undefined],
		['64mapspreadvals.bin', undefined],
	])('roaring: %s is written as it was read', (name, size) => {
		const bytes = vector(`deletes/${name}`);
		const positions = RoaringPositions.decode(bytes, name);
		const values = [...positions];
		expect(BigInt(values.length)).toBe(positions.size);
		if (size !== undefined) expect(positions.size).toBe(size);
		for (let i = 1; i < values.length; i += 1) expect((values[i] as bigint) > (values[i - 1] as bigint)).toBe(true);
		for (const value of values.slice(0, 100)) expect(positions.has(value)).toBe(true);
		expect(Buffer.from(positions.encode()).equals(bytes)).toBe(true);
	});

	it.each([
		['empty', []],
		['small-alternating-values', [1n, 3n, 5n, 7n, 9n]],
		['small-and-large-values', [100n, 101n, 2147483747n, 2147483748n]],
		['all-container-types', undefined],
	])('deletion vector: %s', (name, expected) => {
		const blob = vector(`deletes/${name}-position-index.bin`);
		const view = new DataView(blob.buffer);
		const body = blob.subarray(4, blob.length - 4);
		expect(view.getUint32(0)).toBe(body.length);
		expect(view.getUint32(4, true)).toBe(0x6439d3d1);
		expect(view.getUint32(blob.length - 4)).toBe(crc32(body));
		const positions = RoaringPositions.decode(body.subarray(4), name);
		if (expected !== undefined) expect([...positions]).toEqual(expected);
		else expect(positions.size > 60_000n).toBe(true);
		expect(Buffer.from(positions.encode()).equals(body.subarray(4))).toBe(true);
	});

	it('Puffin: the empty file and the sample, plain and by zstd', async () => {
		expect(await readPuffinFooter(vector('puffin/v1/empty-puffin-uncompressed.bin'), 'empty')).toEqual({
			blobs: [],
			properties: {},
		});
		for (const name of ['uncompressed', 'compressed-zstd']) {
			const file = vector(`puffin/v1/sample-metric-data-${name}.bin`);
			const { blobs, properties } = await readPuffinFooter(file, name);
			expect(properties).toEqual({ 'created-by': 'Test 1234' });
			expect(blobs.map(({ type, fields, snapshotId }) => [type, fields, snapshotId])).toEqual([
				['some-blob', [1], 2n],
				['some-other-blob', [2], 2n],
			]);
			const [first, second] = await Promise.all(blobs.map((blob) => readPuffinBlob(file, blob, name)));
			expect(Buffer.from(first as Uint8Array).toString('latin1')).toBe('abcdefghi');
			expect(Buffer.from(second as Uint8Array).toString('latin1')).toMatch(/^some blob .*is it\?$/s);
		}
	});

	it('roaring: 64maphighvals.bin, which Java refuses for its key, is no bitmap at all', () => {
		expect(() => RoaringPositions.decode(vector('deletes/64maphighvals.bin'), 'high')).toThrow(/roaring/);
	});

	it('bytes that are cut off are refused', async () => {
		const bytes = vector('deletes/64map32bitvals.bin');
		for (let length = 0; length < bytes.length; length += Math.max(1, bytes.length >> 7))
			expect(() => RoaringPositions.decode(bytes.subarray(0, length), 'cut')).toThrow(/roaring/);
		const file = vector('puffin/v1/sample-metric-data-uncompressed.bin');
		for (let length = 0; length < file.length; length += 1)
			await expect(readPuffinFooter(file.slice(0, length), 'cut')).rejects.toMatchObject({ code: 'CORRUPT' });
	});
});
