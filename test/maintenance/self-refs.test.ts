/** What several maintainers may delete when branches, tags and rollbacks are about. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MemoryFileIO } from '../../src/index.ts';
import type { TableUpdate } from '../../src/metadata/table-update.ts';
import type { SnapshotRef } from '../../src/spec/snapshot.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import type { Action } from '../../src/transaction/action.ts';
import { commitActions } from '../../src/transaction/commit-actions.ts';
import { checkAllSnapshots, idsOf, open } from './support.ts';
import { create, type Maintained, reopen, seeded, unreachable, VirtualClock } from './self-support.ts';

/** Sets a branch or tag, as another engine would. */
async function setRef(
	{ opened }: Maintained,
	clock: VirtualClock,
	refOf: (metadata: TableMetadata) => { readonly refName: string; readonly ref: SnapshotRef } | undefined,
): Promise<void> {
	const nothing = async (): Promise<void> => undefined;
	const action: Action = {
		name: 'set a ref',
		apply: async (base) => {
			const set = refOf(base);
			const updates: TableUpdate[] = set === undefined ? [] : [{ action: 'set-snapshot-ref', ...set }];
			return { updates, requirements: [], newFiles: [] };
		},
		committed: nothing,
		abandoned: nothing,
	};
	await commitActions(opened.committer, await opened.committer.load(), [action], { clock, random: seeded(9) });
}

const someSnapshot = ({ snapshots }: TableMetadata, at: number): bigint | undefined =>
	snapshots[Math.floor(at * snapshots.length)]?.snapshotId;

const op = fc.oneof(
	{
		weight: 8,
		arbitrary: fc.record({
			op: fc.constant('append' as const),
			who: fc.nat(1),
			count: fc.integer({ min: 1, max: 12 }),
		}),
	},
	{ weight: 6, arbitrary: fc.record({ op: fc.constant('maintain' as const), who: fc.nat(1) }) },
	{ weight: 3, arbitrary: fc.record({ op: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 200_000 }) }) },
	{
		weight: 1,
		arbitrary: fc.record({
			op: fc.constant('tag' as const),
			who: fc.nat(1),
			at: fc.double({ min: 0, max: 0.999, noNaN: true }),
		}),
	},
	{
		weight: 1,
		arbitrary: fc.record({
			op: fc.constant('roll back' as const),
			who: fc.nat(1),
			at: fc.double({ min: 0, max: 0.999, noNaN: true }),
		}),
	},
);

it('is never what a snapshot reaches that the table still has', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(op, { minLength: 20, maxLength: 60 }), async (ops) => {
			const io = new MemoryFileIO();
			const clock = new VirtualClock();
			const properties = {
				'datashard.maintenance.thinning.keep-newest': '4',
				'datashard.maintenance.compaction.fan-in': '3',
				'datashard.maintenance.deletion.grace-ms': '10000',
			};
			const first = await create({ io, clock }, { properties });
			const both = [first, await reopen({ io, clock, random: seeded(3) })] as const;
			let id = 0;
			for (const each of ops) {
				if (each.op === 'append') {
					for (let i = 0; i < each.count; i++) {
						clock.pass(400);
						await both[each.who as 0 | 1].table.append([{ id: BigInt(id++), region: 'x' }]);
					}
				} else if (each.op === 'maintain') await both[each.who as 0 | 1].maintenance.idle();
				else if (each.op === 'pass') clock.pass(each.ms);
				else {
					await setRef(both[each.who as 0 | 1], clock, (metadata) => {
						const snapshotId = someSnapshot(metadata, each.at);
						if (snapshotId === undefined) return undefined;
						return each.op === 'tag'
							? { refName: `t${snapshotId}`, ref: { type: 'tag', snapshotId } }
							: { refName: 'main', ref: { type: 'branch', snapshotId } };
					});
				}
			}
			await checkAllSnapshots(io, clock);
			for (const { maintenance } of both) await maintenance.idle();
			clock.pass(100_000);
			for (const { maintenance } of both) await maintenance.idle();
			await checkAllSnapshots(io, clock);
			const ids = await idsOf(await open(io, clock));
			expect(new Set(ids).size).toBe(ids.length);
			if (!ops.some((each) => each.op === 'roll back')) expect(ids.length).toBe(id);
		}),
		{ numRuns: 15 },
	);
});

it('is all of it in the end, when appends of two processes alternate', async () => {
	const io = new MemoryFileIO();
	const clock = new VirtualClock();
	const first = await create({ io, clock });
	const second = await reopen({ io, clock });
	for (let id = 0; id < 120; id++) {
		clock.pass(50);
		const { table, maintenance } = id % 3 === 0 ? first : second;
		await table.append([{ id: BigInt(id), region: 'x' }]);
		if (id % 5 === 4) await maintenance.idle();
	}
	for (let round = 0; round < 8; round++) {
		clock.pass(100_000);
		for (const { table, maintenance } of [first, second]) {
			await table.append([{ id: BigInt(1_000 + round), region: 'x' }]);
			await maintenance.idle();
		}
	}
	await checkAllSnapshots(io, clock);
	// What was let go by the last commits has its grace yet.
	expect((await unreachable(io)).length).toBeLessThan(20);
});
