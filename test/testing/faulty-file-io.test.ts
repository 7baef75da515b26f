import { describe, expect, it, test } from 'vitest';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { FaultyFileIO, SimulatedCrash } from '../../src/testing/faulty-file-io.ts';
import { fileIOSuite } from '../../src/testing/file-io-suite.ts';

const bytes = new Uint8Array([1, 2, 3, 4]);

describe('FaultyFileIO without rules', () => {
	fileIOSuite({ test, makeIO: async () => ({ io: new FaultyFileIO(new MemoryFileIO()), root: 'memory:/root' }) });
});

describe('FaultyFileIO', () => {
	it('hits the calls that a rule names, by operation, location, place and number', async () => {
		const inner = new MemoryFileIO();
		const io = new FaultyFileIO(inner, [
			{
				operation: 'write',
				location: /\/b$/,
				from: 2,
				times: 2,
				fault: { kind: 'fail', error: new Error('scripted') },
			},
		]);
		await io.write('m:/a', bytes);
		await io.write('m:/b', bytes);
		await inner.delete('m:/b');
		await expect(io.write('m:/b', bytes)).rejects.toThrow('scripted');
		await expect(io.write('m:/b', bytes)).rejects.toThrow('scripted');
		expect(await inner.exists('m:/b')).toBe(false);
		await io.write('m:/b', bytes);
		expect(io.calls.map((call) => [call.operation, call.location, call.faulty])).toEqual([
			['write', 'm:/a', false],
			['write', 'm:/b', false],
			['write', 'm:/b', true],
			['write', 'm:/b', true],
			['write', 'm:/b', false],
		]);
	});

	it('loses replies after the deed', async () => {
		const inner = new MemoryFileIO();
		const io = new FaultyFileIO(inner, [{ operation: 'putIfAbsent', fault: { kind: 'lose-reply' } }]);
		await expect(io.putIfAbsent('m:/v1', bytes)).rejects.toMatchObject({ code: 'STORAGE' });
		expect(await inner.exists('m:/v1')).toBe(true);
	});

	it('tears writes, waits, and answers as told', async () => {
		const inner = new MemoryFileIO();
		let waited = false;
		const io = new FaultyFileIO(inner, [
			{ operation: 'write', fault: { kind: 'tear', bytes: 3 } },
			{
				operation: 'exists',
				fault: {
					kind: 'delay',
					until: async () => {
						waited = true;
					},
				},
			},
			{ operation: 'putIfAbsent', fault: { kind: 'answer', value: 'exists' } },
		]);
		await expect(io.write('m:/torn', bytes)).rejects.toMatchObject({ code: 'STORAGE' });
		expect(await inner.input('m:/torn').readAll()).toEqual(bytes.subarray(0, 3));
		expect(await io.exists('m:/torn')).toBe(true);
		expect(waited).toBe(true);
		expect(await io.putIfAbsent('m:/free', bytes)).toBe('exists');
		expect(await inner.exists('m:/free')).toBe(false);
	});

	it('does nothing any more after a crash', async () => {
		for (const after of [false, true]) {
			const inner = new MemoryFileIO();
			const io = new FaultyFileIO(inner, [{ operation: 'write', location: /b/, fault: { kind: 'crash', after } }]);
			await io.write('m:/a', bytes);
			await expect(io.write('m:/b', bytes)).rejects.toThrow(SimulatedCrash);
			expect(await inner.exists('m:/b')).toBe(after);
			await expect(io.delete('m:/a')).rejects.toThrow(SimulatedCrash);
			expect(await inner.exists('m:/a')).toBe(true);
			expect(io.crashed).toBe(true);
		}
	});
});
