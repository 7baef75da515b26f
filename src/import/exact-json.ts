/** JSON of data files: numbers keep all the digits that they were written with. */
import { IcebergError } from '../errors/iceberg-error.ts';

/** A number that neither a `number` nor a `bigint` holds as it was written. */
export class ExactNumber {
	readonly text: string;

	constructor(text: string) {
		this.text = text;
	}

	toString(): string {
		return this.text;
	}
}

/** Objects and arrays nested deeper than this are refused. */
export const IMPORT_JSON_DEPTH_LIMIT = 200;

/** Integers of more digits stay text: converting them takes quadratic time. */
const BIGINT_DIGITS_LIMIT = 1_000;

/**
 * Parses one JSON value. Integers beyond 2^53 are `bigint`; other numbers that a double would round are
 * {@link ExactNumber}; all else is as `JSON.parse` gives it.
 *
 * @throws `SyntaxError` for text that is not JSON, and for nesting beyond {@link IMPORT_JSON_DEPTH_LIMIT}
 */
export function parseExactJson(text: string): unknown {
	const value: unknown = JSON.parse(text);
	// JSON.parse has judged the syntax; what follows only reads numbers anew
	return needsCare(text) ? new ExactReader(text).read() : value;
}

/** Digits in a row, or nearly so, that may be more than a double holds. */
const LONG_NUMBER_CHARACTERS = 16;

/**
 * Whether the text, known to be JSON, may hold a number that a double rounds, or is nested too deep. Strings are passed
 * over: a bracket in one would count as the end of a level.
 */
function needsCare(text: string): boolean {
	let run = 0;
	let depth = 0;
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if ((code >= 48 && code <= 57) || code === 46) {
			if (++run >= LONG_NUMBER_CHARACTERS) return true;
			continue;
		}
		// an exponent
		if (run > 0 && (code === 101 || code === 69)) return true;
		run = 0;
		if (code === 34) i = endOfString(text, i);
		else if (code === 123 || code === 91) {
			if (++depth > IMPORT_JSON_DEPTH_LIMIT) return true;
		} else if (code === 125 || code === 93) depth--;
	}
	return false;
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(text: string, start: number): number {
	for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
		let before = end;
		while (text.charCodeAt(before - 1) === 92) before--;
		// a quote after an odd number of backslashes belongs to the string
		if ((end - before) % 2 === 0) return end;
	}
}

const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([{}[\],:]))/y;

/** Reads text that is known to be JSON. */
class ExactReader {
	readonly #text: string;
	#position = 0;

	constructor(text: string) {
		this.#text = text;
	}

	read(): unknown {
		return this.#value(this.#token(), 0);
	}

	#token(): RegExpExecArray {
		TOKEN.lastIndex = this.#position;
		const match = TOKEN.exec(this.#text);
		if (match === null) throw new SyntaxError(`unexpected text at position ${this.#position}`);
		this.#position = TOKEN.lastIndex;
		return match;
	}

	#value(token: RegExpExecArray, depth: number): unknown {
		const [, string, number, word, mark] = token;
		if (string !== undefined) return JSON.parse(string);
		if (number !== undefined) return exactNumber(number);
		if (word !== undefined) return word === 'null' ? null : word === 'true';
		if (depth >= IMPORT_JSON_DEPTH_LIMIT) throw new SyntaxError(`nested deeper than ${IMPORT_JSON_DEPTH_LIMIT} levels`);
		return mark === '[' ? this.#array(depth) : this.#object(depth);
	}

	#array(depth: number): unknown[] {
		const items: unknown[] = [];
		let token = this.#token();
		while (token[4] !== ']') {
			items.push(this.#value(token, depth + 1));
			token = this.#token();
			if (token[4] === ',') token = this.#token();
		}
		return items;
	}

	#object(depth: number): Record<string, unknown> {
		const members: [string, unknown][] = [];
		let token = this.#token();
		while (token[4] !== '}') {
			const key = JSON.parse(token[1] as string) as string;
			this.#token();
			members.push([key, this.#value(this.#token(), depth + 1)]);
			token = this.#token();
			if (token[4] === ',') token = this.#token();
		}
		return Object.fromEntries(members);
	}
}

function exactNumber(text: string): number | bigint | ExactNumber {
	const value = Number(text);
	if (/^-?\d+$/.test(text)) {
		if (Number.isSafeInteger(value)) return value;
		return text.length > BIGINT_DIGITS_LIMIT ? new ExactNumber(text) : BigInt(text);
	}
	return String(value) === text ? value : new ExactNumber(text);
}

/** JSON text of a value that {@link parseExactJson} gave. */
export function exactJsonText(value: unknown): string {
	if (value instanceof ExactNumber) return value.text;
	if (typeof value === 'bigint') return value.toString();
	if (Array.isArray(value)) return `[${value.map(exactJsonText).join(',')}]`;
	if (typeof value === 'object' && value !== null) {
		const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${exactJsonText(member)}`);
		return `{${members.join(',')}}`;
	}
	if (typeof value === 'number' && Object.is(value, -0)) return '-0';
	const text = JSON.stringify(value);
	if (text === undefined) throw new IcebergError('INVALID_DATA', `${typeof value} is no JSON value`);
	return text;
}
