/** Rows as a table of text. */
import { cellText } from './cell-text.ts';
import type { TextOutput } from './terminal.ts';

/** Rows by which the widths of the columns are chosen; wider cells further down are cut. */
const MEASURED_ROWS = 1_000;
/** Most characters of a cell where nothing else is asked for. */
const CELL_WIDTH_LIMIT = 48;

export interface TableLayoutOptions {
	/** Most characters of a cell. Default {@link CELL_WIDTH_LIMIT} */
	readonly cellWidthLimit?: number;
	/** Rows are written as they come: the first of them give the widths. Default false. */
	readonly isLive?: boolean;
}

/** Writes a table. Rows beyond the first thousand follow in the widths that those had. @returns the number of rows */
export async function writeTable(
	output: TextOutput,
	columns: readonly string[],
	rows: AsyncIterable<readonly (readonly unknown[])[]>,
	options: TableLayoutOptions = {},
): Promise<number> {
	const { cellWidthLimit = CELL_WIDTH_LIMIT, isLive = false } = options;
	let measured: (readonly unknown[])[] | undefined = [];
	let layout: Layout | undefined;
	let count = 0;
	const start = async (): Promise<Layout> => {
		const chosen = layoutOf(columns, measured ?? [], cellWidthLimit);
		await output.write(`${headerLines(columns, chosen)}\n`);
		for (const row of measured ?? []) await output.write(`${tableLine(row, chosen)}\n`);
		measured = undefined;
		return chosen;
	};
	for await (const chunk of rows) {
		for (const row of chunk) {
			count++;
			if (layout !== undefined) await output.write(`${tableLine(row, layout)}\n`);
			else {
				measured?.push(row);
				if (measured !== undefined && measured.length >= MEASURED_ROWS) layout = await start();
			}
		}
		if (isLive && layout === undefined && count > 0) layout = await start();
	}
	if (layout === undefined) await start();
	return count;
}

/** Rows that are all there already, in full. */
export async function writeSmallTable(
	output: TextOutput,
	columns: readonly string[],
	rows: readonly (readonly unknown[])[],
): Promise<void> {
	await writeTable(
		output,
		columns,
		(async function* () {
			yield rows;
		})(),
		{ cellWidthLimit: Number.POSITIVE_INFINITY },
	);
}

interface Layout {
	readonly widths: readonly number[];
	readonly right: readonly boolean[];
}

function layoutOf(columns: readonly string[], rows: readonly (readonly unknown[])[], cellWidthLimit: number): Layout {
	const widths = columns.map((name, column) => {
		let width = displayWidth(name);
		for (const row of rows) width = Math.max(width, displayWidth(shown(row[column])));
		return Math.min(width, cellWidthLimit);
	});
	const isNumber = (value: unknown): boolean => typeof value === 'number' || typeof value === 'bigint';
	const right = columns.map((_, column) => {
		const values = rows.map((row) => row[column]).filter((value) => value !== null && value !== undefined);
		return values.length > 0 && values.every(isNumber);
	});
	return { widths, right };
}

function headerLines(columns: readonly string[], layout: Layout): string {
	return `${tableLine(columns, layout)}\n${layout.widths.map((width) => '─'.repeat(width)).join('  ')}`;
}

function tableLine(values: readonly unknown[], { widths, right }: Layout): string {
	const cells = widths.map((width, column) => {
		const text = cut(shown(values[column]), width);
		const padding = ' '.repeat(Math.max(0, width - displayWidth(text)));
		return right[column] === true ? padding + text : text + padding;
	});
	return cells.join('  ').trimEnd();
}

/** Line breaks and control characters would break the table, or the terminal. */
function shown(value: unknown): string {
	if (value === null || value === undefined) return '·';
	// oxlint-disable-next-line no-control-regex
	return cellText(value).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

function cut(text: string, width: number): string {
	if (displayWidth(text) <= width) return text;
	let kept = '';
	for (const character of text) {
		if (displayWidth(kept) + displayWidth(character) > width - 1) break;
		kept += character;
	}
	return `${kept}…`;
}

/** Columns of a terminal that a text takes: wide characters of East Asia and most emoji two. */
function displayWidth(text: string): number {
	let width = 0;
	for (const character of text) {
		const code = character.codePointAt(0) as number;
		const isWide =
			(code >= 0x1100 && code <= 0x115f) ||
			(code >= 0x2e80 && code <= 0xa4cf) ||
			(code >= 0xac00 && code <= 0xd7a3) ||
			(code >= 0xf900 && code <= 0xfaff) ||
			(code >= 0xfe30 && code <= 0xfe6f) ||
			(code >= 0xff00 && code <= 0xff60) ||
			(code >= 0x1f300 && code <= 0x1faff);
		if (/^\p{M}$/u.test(character) || code === 0x200d || code === 0xfe0f) continue;
		width += isWide ? 2 : 1;
	}
	return width;
}
