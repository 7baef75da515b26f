/**
 * A process of its own: appends made-up data files to a table, one commit each, and prints the name of each one that was
 * acknowledged, with the attempts that it took. Arguments: table, name of the worker, number of commits.
 */
import { openFolderTable } from '../../src/catalog/folder-table.ts';
import { AppendAction } from '../../src/transaction/append.ts';
import { TransactionCore } from '../../src/transaction/transaction.ts';
import { systemClock, systemRandom } from '../../src/util/system-ports.ts';

const [table = '', worker = '', commits = '0'] = process.argv.slice(2);
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
