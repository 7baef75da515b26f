/** The quick start of the README: a table of users, written, read, filtered and read as it was before. */
import { createTable, long, schema, string, timestamptz } from 'datashard';

const users = schema({
	user_id: long().required(),
	name: string(),
	signed_up_at: timestamptz().required(),
});

const table = await createTable('./users', users, { partitionBy: ['month(signed_up_at)'] });

const { snapshot } = await table.append([
	{ user_id: 1n, name: 'Ada', signed_up_at: new Date('2024-02-29T12:00:00Z') },
	{ user_id: 2n, name: 'Grace', signed_up_at: '2024-03-01T09:30:00.000001+01:00' },
]);
await table.append([{ user_id: 3n, signed_up_at: new Date() }]);

for await (const user of table.scan({ where: "signed_up_at < timestamp '2024-03-01T00:00:00Z' or name is null" }))
	console.log(user.user_id, user.name);

// as it was after the first append
const before = await table.timeTravel({ snapshotId: snapshot!.snapshotId });
console.log(await before.rowCount(), 'rows then,', await table.rowCount(), 'now');

await table.close();
