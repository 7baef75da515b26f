/** What tests of the stress harness share. */
import { readdirSync, readFileSync } from 'node:fs';

/** Ids of the processes whose command line holds a text. Linux only. */
export function processesWith(text: string): number[] {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.filter((pid) => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
			} catch {
				return false;
			}
		})
		.map(Number)
		.filter((pid) => pid !== process.pid);
}
