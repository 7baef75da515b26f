/** A process of its own: appends rows, one commit each. Arguments: table, first id, number of rows. */
import { loadTable } from '../../src/index.ts';

const [location = '', first = '0', rows = '0'] = process.argv.slice(2);
const table = await loadTable<{ id: number }>(location);
for (let i = 0; i < Number(rows); i++) await table.append([{ id: Number(first) + i }]);
await table.close();
