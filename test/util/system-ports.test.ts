import { describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../../src/util/system-ports.ts';
import { randomHex, randomPositiveLong, randomUuid } from '../../src/util/uuid.ts';

describe('systemClock', () => {
	it('sleeps at least as long as asked for', async () => {
		const before = systemClock.monotonicMs();
		await systemClock.sleep(15);
		expect(systemClock.monotonicMs() - before).toBeGreaterThanOrEqual(14);
		expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(1000);
	});

	it('is woken by the signal with its reason', async () => {
		const controller = new AbortController();
		const sleeping = systemClock.sleep(60_000, controller.signal);
		controller.abort(new Error('wake up'));
		await expect(sleeping).rejects.toThrow('wake up');
		await expect(systemClock.sleep(60_000, controller.signal)).rejects.toThrow('wake up');
	});
});

describe('ids', () => {
	it('are unique, also across refills of the pool of random bytes', () => {
		const seen = new Set<string>();
		for (let i = 0; i < 2000; i++) seen.add(randomUuid(systemRandom));
		expect(seen.size).toBe(2000);
		for (const id of seen) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
		expect(systemRandom.bytes(5000)).toHaveLength(5000);
	});

	it('follow the random bytes exactly', () => {
		const fixed = { bytes: (n: number) => new Uint8Array(n).fill(0xff), float: () => 0 };
		expect(randomUuid(fixed)).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
		expect(randomHex(fixed, 3)).toBe('ffffff');
		expect(randomPositiveLong(fixed)).toBe(2n ** 63n - 1n);
	});

	it('are never zero as numbers', () => {
		let calls = 0;
		const random = { bytes: (n: number) => new Uint8Array(n).fill(calls++ === 0 ? 0x00 : 0x01), float: () => 0 };
		expect(randomPositiveLong(random)).toBe(0x0101010101010101n);
	});
});
