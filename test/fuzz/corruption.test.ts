/**
 * Files of a table with single bytes changed, added or taken out, and cut at any length: what is read then is what was
 * written, or an error that says what is wrong. Nothing crashes, nothing hangs.
 *
 * Metadata files and the footers of Parquet carry no checksum in their formats. A byte there can turn a name into
 * another, or a field id into one that no file has; such changes no reader can see, and the test tells them apart: the
 * values of the columns are the same, or all of one column's are gone.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import {
	createTable,
	double,
	isIcebergError,
	list,
	loadTable,
	long,
	map,
	MemoryFileIO,
	schema,
	string,
	stringifyJson,
	struct,
	timestamptz,
	type Row,
} from '../../src/index.ts';

const LOCATION = 'memory:/t';
/** Codes that an unsound file may be refused with. */
const REFUSALS = ['CORRUPT', 'UNSUPPORTED', 'NOT_FOUND', 'LIMIT_EXCEEDED', 'INVALID_SCHEMA', 'INVALID_ARGUMENT'];
const SLOWEST_MS = 3_000;

const trips = schema({
	id: long().required(),
	region: string(),
	at: timestamptz(),
	score: double(),
	tags: list(string()),
	place: struct({ city: string(), zip: long() }),
	extra: map(string(), double()),
});

const io = new MemoryFileIO();
const files: Record<string, string> = {};
let good: Row[];
let goodText: string;

beforeAll(async () => {
	const table = await createTable(LOCATION, trips, { io, partitionBy: ['region'] });
	for (const from of [0, 40])
		await table.append(
			Array.from({ length: 40 }, (_, i) => ({
				id: from + i,
				region: ['eu', 'us'][i % 2] as string,
				at: new Date((from + i) * 1_000),
				score: (from + i) / 3,
				tags: [`t${i}`, null],
				place: { city: `city ${i}`, zip: i % 3 === 0 ? null : i },
				extra: new Map([[`k${i % 4}`, i / 2]]),
			})),
		);
	const snapshot = await table.currentSnapshot();
	files['metadata'] = table.metadataLocation;
	files['manifest list'] = snapshot?.manifestList as string;
	files['manifest'] = (await table.manifests())[0]?.location as string;
	files['Parquet file'] = (await table.dataFiles())[0]?.location as string;
	good = await read();
	goodText = textOf(good);
});

async function read(): Promise<Row[]> {
	const table = await loadTable(LOCATION, { io });
	const rows = await table.scan().toArray();
	return rows.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

/** Of the first column, which may have got another name. */
function idOf(row: Row): bigint {
	return Object.values(row)[0] as bigint;
}
function textOf(value: unknown): string {
	return stringifyJson(
		JSON.parse(
			JSON.stringify(value, (_, part: unknown) =>
				typeof part === 'bigint' ? `${part}n` : part instanceof Map ? [...part] : part,
			),
		),
	);
}

type Outcome = 'same' | 'refused' | 'renamed' | 'column gone' | 'WRONG';

/** What became of a read of the damaged table. */
async function outcomeOf(): Promise<{ outcome: Outcome; detail: string }> {
	const started = performance.now();
	let rows: Row[];
	try {
		rows = await read();
	} catch (error) {
		if (!isIcebergError(error)) return { outcome: 'WRONG', detail: `threw ${String((error as Error).stack)}` };
		if (!REFUSALS.includes(error.code)) return { outcome: 'WRONG', detail: `${error.code}: ${error.message}` };
		return { outcome: 'refused', detail: error.message };
	} finally {
		expect(performance.now() - started).toBeLessThan(SLOWEST_MS);
	}
	if (textOf(rows) === goodText) return { outcome: 'same', detail: '' };
	if (rows.length !== good.length) return { outcome: 'WRONG', detail: `${rows.length} rows of ${good.length}` };
	const at = rows.findIndex((row, i) => textOf(row) !== textOf(good[i]));
	return { outcome: harmOf(rows), detail: `${textOf(rows[at])} for ${textOf(good[at])}` };
}

/** Whether the rows differ by names only, or by parts of one column that are null. */
function harmOf(rows: readonly Row[]): Outcome {
	if (rows.every((row, i) => textOf(valuesOf(row)) === textOf(valuesOf(good[i])))) return 'renamed';
	const changed = new Set<string>();
	for (const [i, row] of rows.entries()) {
		const wanted = good[i] as Row;
		if (Object.keys(row).join() !== Object.keys(wanted).join()) return 'WRONG';
		for (const name of Object.keys(row)) {
			if (textOf(row[name]) === textOf(wanted[name])) continue;
			if (!isLess(row[name], wanted[name])) return 'WRONG';
			changed.add(name);
		}
	}
	return changed.size === 1 ? 'column gone' : 'WRONG';
}

function isRecord(value: unknown): value is Row {
	return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** The value without the names in it. */
function valuesOf(value: unknown): unknown {
	return isRecord(value) ? Object.values(value).map(valuesOf) : value;
}

/** Whether a value is another one with nulls in place of parts. */
function isLess(found: unknown, wanted: unknown): boolean {
	if (found === null || textOf(found) === textOf(wanted)) return true;
	if (found instanceof Map && wanted instanceof Map) return isLess([...found], [...wanted]);
	if (Array.isArray(found) && Array.isArray(wanted))
		return found.length === wanted.length && found.every((part, i) => isLess(part, wanted[i]));
	if (!isRecord(found) || !isRecord(wanted)) return false;
	return Object.keys(found).every((name) => isLess(found[name], wanted[name]));
}

const FLIPS = [0x01, 0x80, 0xff, 0x20, 0x04];

/** Each kind of file: every so-manieth byte is changed; the offset of the start is another in each run of a flip. */
const KINDS = [
	{ kind: 'metadata', stride: 4, unseen: ['renamed', 'column gone'] },
	{ kind: 'manifest list', stride: 2, unseen: [] },
	{ kind: 'manifest', stride: 11, unseen: [] },
	{ kind: 'Parquet file', stride: 4, unseen: ['column gone'] },
] as const;

describe.each(KINDS)('a damaged $kind', ({ kind, stride, unseen }) => {
	const tally = (): Record<Outcome, number> => ({ same: 0, refused: 0, renamed: 0, 'column gone': 0, WRONG: 0 });

	async function tryAll(damages: Iterable<{ what: string; bytes: Uint8Array }>): Promise<Record<Outcome, number>> {
		const location = files[kind] as string;
		const whole = await io.input(location).readAll();
		const counts = tally();
		try {
			for (const { what, bytes } of damages) {
				await io.write(location, bytes, { overwrite: true });
				const { outcome, detail } = await outcomeOf();
				counts[outcome] += 1;
				if (outcome === 'same' || outcome === 'refused' || (unseen as readonly string[]).includes(outcome)) continue;
				expect.fail(`${kind}, ${what}: ${outcome}: ${detail.slice(0, 400)}`);
			}
		} finally {
			await io.write(location, whole, { overwrite: true });
		}
		return counts;
	}

	async function bytesOf(): Promise<Uint8Array> {
		return Uint8Array.from(await io.input(files[kind] as string).readAll());
	}

	it('by a byte that is another', async () => {
		const whole = await bytesOf();
		const counts = await tryAll(
			(function* () {
				for (let at = 0; at < whole.length; at += stride) {
					const flip = FLIPS[(at / stride) % FLIPS.length] as number;
					const bytes = Uint8Array.from(whole);
					bytes[at] = (bytes[at] as number) ^ flip;
					yield { what: `byte ${at} of ${whole.length} ^ ${flip}`, bytes };
				}
			})(),
		);
		expect(counts.refused).toBeGreaterThan((counts.same + counts.refused) / 3);
		expect(counts.renamed + counts['column gone']).toBeLessThan(whole.length / stride / 30);
	});

	it('by its end that is missing', async () => {
		const whole = await bytesOf();
		const counts = await tryAll(
			(function* () {
				for (let length = 0; length < whole.length; length += Math.max(1, Math.floor(whole.length / 150)))
					yield { what: `cut to ${length} of ${whole.length}`, bytes: whole.slice(0, length) };
				yield { what: 'cut by one', bytes: whole.slice(0, -1) };
			})(),
		);
		expect(counts.refused).toBeGreaterThan(100);
		expect(counts.same).toBeLessThanOrEqual(kind === 'metadata' ? 1 : 0);
	});

	it('by bytes that are added or taken out, or zeros in place of a page', async () => {
		const whole = await bytesOf();
		await tryAll(
			(function* () {
				const step = Math.max(1, Math.floor(whole.length / 60));
				for (let at = 0; at < whole.length; at += step) {
					yield {
						what: `added at ${at}`,
						bytes: Buffer.concat([whole.subarray(0, at), Uint8Array.of(at & 255), whole.subarray(at)]),
					};
					yield { what: `taken out at ${at}`, bytes: Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]) };
					const zeros = Uint8Array.from(whole);
					zeros.fill(0, at, at + 64);
					yield { what: `zeros at ${at}`, bytes: zeros };
				}
			})(),
		);
	});
});

describe('a table with a damaged file', () => {
	it('is whole again when the file is', async () => {
		expect(textOf(await read())).toBe(goodText);
	});

	it('takes no append: nothing is committed, nothing left behind', async () => {
		// a storage that nothing has read from before
		const fresh = new MemoryFileIO();
		for await (const { location } of io.list(LOCATION)) await fresh.write(location, await io.input(location).readAll());
		const list = files['manifest list'] as string;
		const whole = await io.input(list).readAll();
		await fresh.write(list, whole.slice(0, -10), { overwrite: true });
		const names = async (): Promise<string[]> => {
			const found: string[] = [];
			for await (const { location } of fresh.list(LOCATION)) found.push(location);
			return found.sort();
		};
		const before = await names();
		const table = await loadTable<{ id: number }>(LOCATION, { io: fresh });
		await expect(table.append([{ id: 1 }])).rejects.toMatchObject({ code: 'CORRUPT' });
		expect(await names()).toEqual(before);
	});
});
