/** The follow of the README: rows as they come, and what was missed after a break. */
import { createTable, type FollowPosition, long, schema, string } from 'datashard';

const events = await createTable('./events', schema({ id: long().required(), kind: string() }));
await events.append([{ id: 1, kind: 'start' }]);

// what came after a position (or 'now', 'start', a snapshot's id), then what comes
const follow = events.follow({ from: 'start', where: "kind != 'noise'" });
setTimeout(
	() =>
		events.append([
			{ id: 2, kind: 'noise' },
			{ id: 3, kind: 'end' },
		]),
	20,
);

let kept: FollowPosition = { sequenceNumber: 0n };
for await (const { rows, position } of follow.batches()) {
	console.log(rows);
	kept = position; // store it with what you made of the rows
	if (rows.some((row) => row.kind === 'end')) break;
}

// another day: only what was missed
await events.append([{ id: 4, kind: 'late' }]);
for await (const row of events.follow({ from: kept, until: 'now' })) console.log('missed:', row.id);
await events.close();
