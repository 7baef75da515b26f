import { describe, expect, it } from 'vitest';
import { Acknowledgements } from '../../../src/testing/stress/acknowledgements.ts';
import { checkRows } from '../../../src/testing/stress/check-rows.ts';
import { Latencies } from '../../../src/testing/stress/latencies.ts';
import { OperationSet } from '../../../src/testing/stress/operation-set.ts';
import { taskRow, type TaskRow } from '../../../src/testing/stress/task-log.ts';

async function* chunks(...rows: TaskRow[][]): AsyncGenerator<TaskRow[]> {
	yield* rows;
}

describe('the set of operations', () => {
	it('holds what was added, in order, each once', () => {
		const set = new OperationSet();
		expect([5, 0, 100_000, 5, 31, 32].map((operation) => set.add(operation))).toEqual([
			true,
			true,
			true,
			false,
			true,
			true,
		]);
		expect([...set]).toEqual([0, 5, 31, 32, 100_000]);
		expect(set.size).toBe(5);
		expect([4, 6, 1_000_000].some((operation) => set.has(operation))).toBe(false);
	});
});

describe('latencies', () => {
	it('tell percentiles to two per cent, and the greatest exactly', () => {
		const latencies = new Latencies();
		for (let i = 1; i <= 1000; i++) latencies.add({ endMs: i, tookMs: i / 10 });
		const { count, p50, p99, max, mean } = latencies.summary();
		expect([count, max]).toEqual([1000, 100]);
		expect(p50 / 50).toBeCloseTo(1, 1);
		expect(p99 / 99).toBeCloseTo(1, 1);
		expect(mean).toBeCloseTo(50.05, 5);
		expect(new Latencies().summary()).toEqual({ count: 0, p50: 0, p99: 0, max: 0, mean: 0 });
	});

	it('hold the last thousand appends against the second, in the order of time, however they come in', () => {
		const latencies = new Latencies();
		expect(latencies.ageing()).toBeUndefined();
		// the first 30,000 take 1 ms each, the last thousand 3 ms
		for (let i = 0; i < 30_000; i++) {
			const n = i ^ 1;
			latencies.add({ endMs: n, tookMs: 1 });
		}
		for (let n = 0; n < 1000; n++) latencies.add({ endMs: 30_000 + 3 * (n ^ 1), tookMs: 3 });
		const ageing = latencies.ageing();
		expect(ageing?.latencyRatio).toBeCloseTo(3, 6);
		expect(ageing?.timeRatio).toBeCloseTo(3, 2);
	});
});

describe('the check of the rows', () => {
	it('finds nothing wrong where nothing is', async () => {
		const acknowledgements = new Acknowledgements();
		for (const operation of [0, 1, 2]) acknowledgements.acknowledge(7, operation);
		const check = await checkRows(chunks([taskRow(7, 2)], [taskRow(7, 0), taskRow(7, 1)]), acknowledgements);
		const none = { count: 0, examples: [] };
		expect(check).toEqual({
			rowCount: 3,
			acknowledgedCount: 3,
			lost: none,
			doubled: none,
			altered: none,
			foreign: none,
			unacknowledged: none,
			failedButThere: none,
		});
	});

	it('finds each kind of wrong row', async () => {
		const acknowledgements = new Acknowledgements();
		for (const operation of [0, 1, 2, 3]) acknowledgements.acknowledge(0, operation);
		acknowledgements.acknowledge(1, 0);
		acknowledgements.fail({ writer: 1, operation: 1, code: 'STORAGE', message: 'scripted' });
		const altered = { ...taskRow(0, 1), duration_ms: 0n };
		const foreign = { ...taskRow(0, 1), task_id: 'somebody' };
		const rows = [
			taskRow(0, 0),
			altered,
			taskRow(0, 2),
			taskRow(0, 2),
			taskRow(0, 2),
			taskRow(1, 1),
			taskRow(1, 2),
			foreign,
		];
		expect(await checkRows(chunks(rows), acknowledgements)).toMatchObject({
			rowCount: 8,
			acknowledgedCount: 5,
			lost: { count: 2, examples: ['0-3', '1-0'] },
			doubled: { count: 2, examples: ['0-2', '0-2'] },
			altered: { count: 1, examples: ['0-1'] },
			foreign: { count: 1, examples: ['somebody'] },
			unacknowledged: { count: 1, examples: ['1-2'] },
			failedButThere: { count: 1, examples: ['1-1'] },
		});
	});

	it('names the first of many', async () => {
		const acknowledgements = new Acknowledgements();
		for (let operation = 0; operation < 100; operation++) acknowledgements.acknowledge(0, operation);
		const { lost } = await checkRows(chunks(), acknowledgements);
		expect(lost.count).toBe(100);
		expect(lost.examples).toHaveLength(10);
	});
});

describe('acknowledgements', () => {
	it('tell the longest time without any, in whatever order they come', () => {
		const acknowledgements = new Acknowledgements();
		expect(acknowledgements.longestGapMs()).toBe(0);
		for (const [operation, endMs] of [0, 60.5, 5.2, 50.9, 6].entries())
			acknowledgements.acknowledge(0, operation, { endMs, tookMs: 1 });
		acknowledgements.acknowledge(0, 99);
		expect(acknowledgements.longestGapMs()).toBe(44);
		expect([0, 5.5, 51, 60].map((moment) => acknowledgements.gapAfterMs(moment))).toEqual([0, 0, 9, 0]);
		expect(acknowledgements.gapAfterMs(61)).toBeUndefined();
	});
});
