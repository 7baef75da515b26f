/** Tables in folders of their own, for tests through the public API. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type Clock, long, schema, string } from '../../src/index.ts';

const made: string[] = [];
afterAll(() => {
	for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A new empty folder, removed after the tests of the file. */
export function newFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), 'datashard-table-'));
	made.push(folder);
	return folder;
}

/** Everything below a folder, files and folders, sorted. */
export function listing(folder: string): string[] {
	return readdirSync(folder, { recursive: true }).map(String).sort();
}

/** A table of two columns, enough for what does not depend on types. */
export const pairs = schema({ id: long().required(), name: string() });

/** Rows 0 … count-1 of {@link pairs}. */
export function pairRows(count: number, from = 0): { id: bigint; name: string }[] {
	return Array.from({ length: count }, (_, i) => ({ id: BigInt(from + i), name: `n${from + i}` }));
}

/** A clock that goes only where it is told. */
export class SetClock implements Clock {
	ms: number;
	constructor(ms: number) {
		this.ms = ms;
	}
	nowMs(): number {
		return this.ms;
	}
	monotonicMs(): number {
		return this.ms;
	}
	sleep(): Promise<void> {
		return Promise.resolve();
	}
}
