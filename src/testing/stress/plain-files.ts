/** What programs without a table do: read a JSON file, add to what it holds, write it. */
import { readFile, writeFile } from 'node:fs/promises';
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { TaskRow } from './task-log.ts';

/** A row as it stands in the file: JSON has no 64-bit integers. */
type PlainRow = Record<string, string | number | null>;

export async function createPlainFile(path: string): Promise<void> {
	await writeFile(path, '[]');
}

/** @throws `CORRUPT` when another process has half written the file */
export async function appendToPlainFile(path: string, row: TaskRow): Promise<void> {
	const rows = decode(await readFile(path, 'utf8'), path);
	rows.push(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])));
	await writeFile(path, JSON.stringify(rows));
}

/** The rows of the file; undefined when it is no JSON any more. */
export async function readPlainFile(path: string): Promise<TaskRow[] | undefined> {
	try {
		return decode(await readFile(path, 'utf8'), path).map(
			(row) =>
				({
					...row,
					started_at: BigInt(row['started_at'] as number),
					completed_at: BigInt(row['completed_at'] as number),
					duration_ms: BigInt(row['duration_ms'] as number),
				}) as unknown as TaskRow,
		);
	} catch {
		return undefined;
	}
}

function plain(value: string | bigint | null): string | number | null {
	return typeof value === 'bigint' ? Number(value) : value;
}

function decode(text: string, path: string): PlainRow[] {
	try {
		return JSON.parse(text) as PlainRow[];
	} catch (cause) {
		throw new IcebergError('CORRUPT', `${path} is half written`, { cause, context: { location: path } });
	}
}
