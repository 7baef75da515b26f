// Appends made-up data files to a table, one commit each, and prints the name of each one that was acknowledged.
// node append-worker.mjs <built package> <table> <worker name> <commits>
const [dist, table, worker, commits] = process.argv.slice(2);
const { openFolderTable } = await import(`${dist}/catalog/folder-table.js`);
const { AppendAction } = await import(`${dist}/transaction/append.js`);
const { TransactionCore } = await import(`${dist}/transaction/transaction.js`);
const { systemClock, systemRandom } = await import(`${dist}/util/system-ports.js`);

const { io, committer } = await openFolderTable(table);
for (let i = 0; i < Number(commits); i++) {
	const location = `${table}/data/${worker}-${i}.parquet`;
	await io.write(location, new TextEncoder().encode('PAR1'));
	const action = new AppendAction();
	action.addFile({
		content: 'data',
		location,
		format: 'parquet',
		specId: 0,
		partition: [],
		recordCount: 1,
		fileSizeInBytes: 4,
	});
	const transaction = new TransactionCore(committer, await committer.load(), {
		clock: systemClock,
		random: systemRandom,
	});
	transaction.add(action);
	const { attempts } = await transaction.commit();
	process.stdout.write(`${worker}-${i} ${attempts}\n`);
}
await io.close();
