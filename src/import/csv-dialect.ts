/** How a file of separated values is written: its delimiter and the names of its columns. */
import { IcebergError } from '../errors/iceberg-error.ts';

export interface CsvOptions {
	/** One ASCII character. Default: the one of comma, tab, semicolon and bar that the first lines use most evenly. */
	readonly delimiter?: string;
	/** Whether the first row holds the names of the columns. Default true; else they are `column_1`, `column_2`, … */
	readonly header?: boolean;
	/** Texts that stand for null where they are not in quotes, such as `NA`. The empty text always does. */
	readonly nullTexts?: readonly string[];
}

const CANDIDATES = [',', '\t', ';', '|'] as const;
const SNIFFED_LINES = 20;

/** The byte of a delimiter. @throws `INVALID_ARGUMENT` for anything but one character that can be one */
export function delimiterByte(delimiter: string): number {
	const byte = delimiter.charCodeAt(0);
	if (delimiter.length !== 1 || byte > 127 || delimiter === '"' || delimiter === '\n' || delimiter === '\r') {
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`a delimiter is one ASCII character other than a quote or a line break, not ${JSON.stringify(delimiter)}`,
		);
	}
	return byte;
}

/** The delimiter that stands equally often in the first lines; a comma where none does. Files named `.tsv` use tabs. */
export function sniffDelimiter(name: string, bytes: Uint8Array): number {
	if (/\.(tsv|tab)(\.gz)?$/i.test(name)) return 9;
	const lines = firstLines(bytes);
	let best = ',';
	let bestScore = 0;
	for (const candidate of CANDIDATES) {
		const counts = lines.map((line) => countOutsideQuotes(line, candidate));
		const first = counts[0] ?? 0;
		const even = counts.filter((count) => count === first).length;
		const score = first === 0 ? 0 : first * (even === counts.length ? 1000 : even / counts.length);
		if (score > bestScore) {
			best = candidate;
			bestScore = score;
		}
	}
	return best.charCodeAt(0);
}

/** The first lines, quoted line breaks not counted as such; the last one only if it is complete. */
function firstLines(bytes: Uint8Array): string[] {
	const text = new TextDecoder('latin1').decode(bytes);
	const lines: string[] = [];
	let quoted = false;
	let start = 0;
	for (let at = 0; at < text.length && lines.length < SNIFFED_LINES; at++) {
		const character = text[at];
		if (character === '"') quoted = !quoted;
		else if (character === '\n' && !quoted) {
			if (at > start) lines.push(text.slice(start, at));
			start = at + 1;
		}
	}
	if (lines.length === 0) lines.push(text);
	return lines;
}

function countOutsideQuotes(line: string, delimiter: string): number {
	let quoted = false;
	let count = 0;
	for (const character of line) {
		if (character === '"') quoted = !quoted;
		else if (character === delimiter && !quoted) count++;
	}
	return count;
}

/**
 * The names of the columns: the cells of the header without spaces around them, or `column_1`, … where there is no
 * header or no text. @throws `INVALID_DATA` for a name that stands twice
 */
export function columnNames(name: string, cells: readonly string[], hasHeader: boolean): string[] {
	const names = cells.map((cell, index) => (hasHeader && cell.trim() !== '' ? cell.trim() : `column_${index + 1}`));
	const seen = new Set<string>();
	for (const column of names) {
		if (seen.has(column)) {
			throw new IcebergError(
				'INVALID_DATA',
				`${name}: the header names '${column}' twice; is the first row a header? Say so if it is not`,
				{ context: { column } },
			);
		}
		seen.add(column);
	}
	return names;
}
