import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GarbageTrail } from '../../src/maintenance/garbage-trail.ts';

const manifest = (location: string, bornAt: number, droppedAt: number) =>
	({ location, kind: 'manifest', sizeBytes: 10, bornAt, droppedAt }) as const;

it('finds exactly what no retained snapshot reaches, in whatever order snapshots are removed', () => {
	fc.assert(
		fc.property(
			// Each commit drops some of the files that are there, and brings one; then some snapshots are removed.
			fc.array(
				fc.record({ drops: fc.array(fc.nat(9), { maxLength: 3 }), removes: fc.array(fc.nat(30), { maxLength: 4 }) }),
				{
					minLength: 1,
					maxLength: 60,
				},
			),
			(commits) => {
				const trail = new GarbageTrail();
				const reached = new Map<number, ReadonlySet<string>>();
				const born = new Map<string, number>();
				let live: string[] = [];
				const garbage = new Set<string>();
				commits.forEach(({ drops, removes }, i) => {
					const at = i + 1;
					for (const drop of drops) {
						const [file] = live.splice(drop, 1);
						if (file !== undefined) trail.drop(manifest(file, born.get(file) as number, at));
					}
					live = [...live, `f${at}`];
					born.set(`f${at}`, at);
					reached.set(at, new Set(live));
					for (const remove of removes) {
						const victim = [...reached.keys()][remove];
						if (victim !== undefined && victim !== at) reached.delete(victim);
					}
					trail.settle(
						[...reached.keys()].sort((a, b) => a - b),
						at,
					);
					for (const file of trail.take('metadata', 1_000, at)) {
						expect(garbage.has(file.location)).toBe(false);
						garbage.add(file.location);
					}
					const reachable = new Set([...reached.values()].flatMap((files) => [...files]));
					const expected = [...born.keys()].filter((file) => !reachable.has(file));
					expect([...garbage].sort()).toEqual(expected.sort());
				});
			},
		),
	);
});

it('gives garbage out oldest first, each once, when its time has come, by sort', () => {
	const trail = new GarbageTrail();
	trail.drop(manifest('a', 1, 2));
	trail.settle([2], 10);
	trail.drop({ ...manifest('b', 1, 3), kind: 'data' });
	trail.drop(manifest('c', 2, 3));
	trail.settle([3], 20);
	expect([
		trail.amount('content').count + trail.amount('metadata').count,
		trail.garbageBytes,
		trail.waitingCount,
	]).toEqual([3, 30, 0]);
	expect(trail.take('metadata', 5, 9)).toEqual([]);
	expect(trail.take('metadata', 5, 10).map(({ location }) => location)).toEqual(['a']);
	expect(trail.take('metadata', 1, 30).map(({ location }) => location)).toEqual(['c']);
	expect(trail.oldest('metadata')).toBeUndefined();
	expect(trail.oldest('content')).toMatchObject({ location: 'b', sinceMs: 20 });
	expect(trail.garbageBytes).toBe(10);
});

it('forgets what waits, not what is garbage, when the line is broken', () => {
	const trail = new GarbageTrail();
	trail.drop(manifest('a', 1, 2));
	trail.drop(manifest('b', 1, 4));
	trail.settle([3], 1);
	expect(trail.waitingCount).toBe(1);
	trail.forget();
	trail.settle([5], 2);
	expect(trail.take('metadata', 9, 9).map(({ location }) => location)).toEqual(['a']);
});
