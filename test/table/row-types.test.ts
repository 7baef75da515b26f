/** Rows are typed by the schema that a table was made with. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
	binary,
	boolean,
	columns,
	createTable,
	type FollowPosition,
	type InferInput,
	type InferRow,
	int,
	list,
	loadTable,
	long,
	map,
	MemoryFileIO,
	type Row,
	Schema,
	schema,
	string,
	struct,
	type TableFollow,
	timestamptz,
	variant,
} from '../../src/index.ts';

const runs = schema({
	run_id: long().required(),
	status: string(),
	ok: boolean(),
	started_at: timestamptz().required(),
	tags: list(string().required()),
	place: struct({ city: string().required(), zip: int() }),
	counts: map(string(), long()),
	raw: binary(),
	retries: int().required().default(0),
	payload: variant(),
});

interface RunRow {
	run_id: bigint;
	status: string | null;
	ok: boolean | null;
	started_at: string;
	tags: string[] | null;
	place: { city: string; zip: number | null } | null;
	counts: Map<string, bigint | null> | null;
	raw: Uint8Array | null;
	retries: number;
	payload: unknown;
}

async function runTable() {
	return createTable('memory:/runs', runs, { io: new MemoryFileIO(), formatVersion: 3 });
}

describe('row types', () => {
	it('of a schema of builders', () => {
		expectTypeOf<InferRow<typeof runs>>().toEqualTypeOf<RunRow>();
		type In = InferInput<typeof runs>;
		expectTypeOf<In['run_id']>().toEqualTypeOf<bigint | number>();
		expectTypeOf<{ run_id: 1; started_at: Date }>().toExtend<In>();
		expectTypeOf<{ run_id: 1n; started_at: string; status: null; tags: string[] }>().toExtend<In>();
		expectTypeOf<{ run_id: 1 }>().not.toExtend<In>();
		expectTypeOf<{ run_id: '1'; started_at: Date }>().not.toExtend<In>();
		expectTypeOf<{ run_id: 1; started_at: Date; tags: (string | null)[] }>().not.toExtend<In>();
	});

	it('of a table: appends, scans, selections', async () => {
		const table = await runTable();
		await table.append([{ run_id: 1, started_at: new Date(0), place: { city: 'Rome' } }]);
		const rows = await table.scan().toArray();
		expectTypeOf(rows).toEqualTypeOf<RunRow[]>();
		for await (const row of table.scan({ select: ['run_id', 'status'] }))
			expectTypeOf(row).toEqualTypeOf<{ run_id: bigint; status: string | null }>();
		for await (const row of table.scan({ select: ['run_id', '_pos', '_file'] }))
			expectTypeOf(row).toEqualTypeOf<{ run_id: bigint; readonly _pos: bigint; readonly _file: string }>();
		const then = await table.timeTravel({ ref: 'main' });
		expectTypeOf(await then.scan().toArray()).toEqualTypeOf<RunRow[]>();
		await using tx = table.newTransaction();
		// @ts-expect-error not a row of this table
		await expect(tx.appendData([{ run_id: 1, started_on: new Date() }])).rejects.toMatchObject({
			code: 'INVALID_DATA',
		});
		expect(rows).toEqual([
			{
				run_id: 1n,
				status: null,
				ok: null,
				started_at: '1970-01-01T00:00:00.000000+00:00',
				tags: null,
				place: { city: 'Rome', zip: null },
				counts: null,
				raw: null,
				retries: 0,
				payload: null,
			},
		]);
	});

	it('refuse, where it is compiled, rows that do not fit', async () => {
		const table = await runTable();
		// @ts-expect-error a required column is missing
		await expect(table.append([{ run_id: 1 }])).rejects.toMatchObject({ code: 'INVALID_DATA' });
		// @ts-expect-error not a long
		await expect(table.append([{ run_id: 'x', started_at: new Date() }])).rejects.toMatchObject({
			code: 'INVALID_DATA',
		});
		// @ts-expect-error not iterable
		await expect(table.append({ run_id: 1, started_at: new Date() })).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
		});
		await expect(table.append(columns({ run_id: [1] }))).rejects.toMatchObject({ code: 'INVALID_DATA' });
	});

	it('of any table, unless they are given', async () => {
		const io = new MemoryFileIO();
		const plain = await createTable(
			'memory:/t',
			new Schema({ fields: [{ id: 1, name: 'a', required: false, type: 'int' }] }),
			{
				io,
			},
		);
		await plain.append([{ a: 1 }]);
		expectTypeOf(await plain.scan().toArray()).toEqualTypeOf<Row[]>();
		const typed = await loadTable<{ a: number }, { a: number | null }>('memory:/t', { io });
		expectTypeOf(await typed.scan().toArray()).toEqualTypeOf<{ a: number | null }[]>();
		expect(await typed.scan().toArray()).toEqual([{ a: 1 }]);
		const like = await loadTable<InferInput<typeof runs>, InferRow<typeof runs>>('memory:/t', { io });
		expectTypeOf(like.schema).toEqualTypeOf<typeof runs>();
	});
});

describe('the rows of a follow', () => {
	it('are typed as those of a scan', async () => {
		const table = await createTable('/followed', runs, { io: new MemoryFileIO(), formatVersion: 3 });
		const follow = table.follow({ from: 'start', until: 'now' });
		expectTypeOf(follow).toEqualTypeOf<TableFollow<InferRow<typeof runs>>>();
		for await (const row of follow) expectTypeOf(row).toEqualTypeOf<InferRow<typeof runs>>();
		for await (const batch of follow.batches()) {
			expectTypeOf(batch.rows).toEqualTypeOf<InferRow<typeof runs>[]>();
			expectTypeOf(batch.position).toEqualTypeOf<FollowPosition>();
			expectTypeOf(batch.position.sequenceNumber).toEqualTypeOf<bigint>();
			expectTypeOf(batch.snapshot.snapshotId).toEqualTypeOf<bigint>();
		}
		const some = table.follow({ until: 'now', select: ['run_id', '_file'] });
		for await (const row of some) {
			expectTypeOf<keyof typeof row>().toEqualTypeOf<'run_id' | '_file'>();
			expectTypeOf(row.run_id).toEqualTypeOf<bigint>();
			expectTypeOf(row._file).toEqualTypeOf<string>();
		}
		// @ts-expect-error there is no such start
		expect(() => table.follow({ from: 'yesterday' })).toThrow(/from is/);
		expectTypeOf(follow.position).toEqualTypeOf<FollowPosition | undefined>();
		await table.close();
	});
});
