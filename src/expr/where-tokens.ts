/** The words of where-text. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { MAX_WHERE_TEXT_LENGTH } from './limits.ts';
import { MAX_NUMBER_LENGTH } from './numeric-literal.ts';

export interface Token {
	/** `word`: an unquoted name or keyword; `name`: a quoted name */
	readonly kind: 'word' | 'name' | 'number' | 'text' | 'bytes' | 'sign' | 'end';
	/** names, text and hexadecimal digits without quotes and escapes */
	readonly text: string;
	/** UTF-16 offsets in the where-text */
	readonly start: number;
	readonly end: number;
}

/** Most characters of where-text that a message repeats. */
const SHOWN_TEXT_LIMIT = 100;

const SPACE = /\s+/y;
const WORD = /[\p{L}_][\p{L}\p{N}\p{M}_$]*/uy;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const SIGN = /<>|!=|<=|>=|==|[=<>(),.\-+]/y;

/** The refusal of where-text at a position, with a caret below the place. */
export function whereError(text: string, position: number, problem: string): IcebergError {
	const lineStart = text.lastIndexOf('\n', position - 1) + 1;
	const lineEnd = text.indexOf('\n', position);
	let line = text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd).replaceAll('\t', ' ');
	let column = position - lineStart;
	if (line.length > SHOWN_TEXT_LIMIT) {
		const from = Math.max(0, Math.min(column - SHOWN_TEXT_LIMIT / 2, line.length - SHOWN_TEXT_LIMIT));
		line = `${from > 0 ? '…' : ''}${line.slice(from, from + SHOWN_TEXT_LIMIT)}`;
		column = column - from + (from > 0 ? 1 : 0);
	}
	return new IcebergError(
		'INVALID_FILTER',
		`${problem}, at position ${position + 1}\n  ${line}\n  ${' '.repeat(column)}^`,
		{ context: { position, problem } },
	);
}

/** @throws `INVALID_FILTER` with the position, `LIMIT_EXCEEDED` beyond {@link MAX_WHERE_TEXT_LENGTH} */
export function tokenize(text: string): Token[] {
	if (text.length > MAX_WHERE_TEXT_LENGTH)
		throw new IcebergError(
			'LIMIT_EXCEEDED',
			`the where-text has ${text.length} characters, more than ${MAX_WHERE_TEXT_LENGTH}`,
		);
	const tokens: Token[] = [];
	let position = 0;
	const match = (pattern: RegExp): string | undefined => {
		pattern.lastIndex = position;
		return pattern.exec(text)?.[0];
	};
	const add = (kind: Token['kind'], content: string, length: number): void => {
		tokens.push({ kind, text: content, start: position, end: position + length });
		position += length;
	};
	while (position < text.length) {
		const space = match(SPACE);
		if (space !== undefined) {
			position += space.length;
			continue;
		}
		const char = text[position] as string;
		if (char === "'") {
			const { content, length } = quoted(text, position, 'text');
			add('text', content, length);
			continue;
		}
		if (char === '"' || char === '`') {
			const { content, length } = quoted(text, position, 'name');
			if (content === '') throw whereError(text, position, 'a name must not be empty');
			add('name', content, length);
			continue;
		}
		if ((char === 'x' || char === 'X') && text[position + 1] === "'") {
			const { content, length } = quoted(text, position + 1, 'text');
			if (!/^(?:[0-9a-fA-F]{2})*$/.test(content))
				throw whereError(text, position, "bytes are written with two hexadecimal digits each, such as x'0aff'");
			add('bytes', content, length + 1);
			continue;
		}
		const number = match(NUMBER);
		if (number !== undefined) {
			if (number.length > MAX_NUMBER_LENGTH) throw whereError(text, position, 'a number of too many digits');
			add('number', number, number.length);
			const after = match(WORD);
			if (after !== undefined) throw whereError(text, position, `unexpected '${shorten(after)}' after a number`);
			continue;
		}
		const word = match(WORD);
		if (word !== undefined) {
			add('word', word, word.length);
			continue;
		}
		const sign = match(SIGN);
		if (sign === undefined) {
			const shown = String.fromCodePoint(text.codePointAt(position) as number);
			throw whereError(text, position, `unexpected '${shown}'`);
		}
		add('sign', sign, sign.length);
	}
	tokens.push({ kind: 'end', text: '', start: text.length, end: text.length });
	return tokens;
}

/** As much of a token as a message repeats. */
export function shorten(text: string): string {
	return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function quoted(text: string, start: number, what: string): { content: string; length: number } {
	const quote = text[start] as string;
	let content = '';
	let from = start + 1;
	for (;;) {
		const end = text.indexOf(quote, from);
		if (end < 0) throw whereError(text, start, `the ${what} has no closing ${quote}`);
		content += text.slice(from, end);
		if (text[end + 1] !== quote) return { content, length: end + 1 - start };
		content += quote;
		from = end + 2;
	}
}
