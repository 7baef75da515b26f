import { expect, it } from 'vitest';
import { CommitMutex } from '../../src/util/commit-mutex.ts';
import { deferred } from '../../src/util/deferred.ts';

it('a commit mutex runs one at a time, in order, also after a failure; each owner has its own', async () => {
	const owner = {};
	const mutex = CommitMutex.of(owner);
	expect(CommitMutex.of(owner)).toBe(mutex);
	expect(CommitMutex.of({})).not.toBe(mutex);
	const order: string[] = [];
	const gate = deferred<void>();
	const first = mutex.run(async () => {
		await gate.promise;
		order.push('first');
		throw new Error('lost');
	});
	const second = mutex.run(async () => order.push('second'));
	await CommitMutex.of({}).run(async () => order.push('other'));
	gate.resolve();
	await expect(first).rejects.toThrow('lost');
	await second;
	expect(order).toEqual(['other', 'first', 'second']);
});
