/** JSON without loss of 64-bit integers: the form in which Iceberg keeps metadata. */
import { IcebergError } from '../errors/iceberg-error.ts';

/** Any JSON value; integers beyond 2^53 are `bigint`, all other numbers `number`. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

/** Arrays and objects nested deeper than this are refused, so that no reader of the result can run out of stack. */
export const MAX_JSON_DEPTH = 500;
/** Integers of more digits than this are refused: converting them takes quadratic time. */
export const MAX_JSON_INTEGER_DIGITS = 1_000;

const MAX_PLAIN_DIGITS = 15;

/**
 * Parses JSON text. Integers within ±2^53 come back as `number`, larger ones as `bigint`; numbers with a fraction or an
 * exponent as the nearest double. A key `__proto__` is a plain key of the result.
 *
 * @param text the whole text; a byte order mark in front of it is skipped
 * @param source what the text is, for messages (a location)
 * @throws `CORRUPT` for anything but one JSON value, for a key that stands twice in an object, for nesting beyond
 *   {@link MAX_JSON_DEPTH}, and for a number that no double can hold
 */
export function parseJson(text: string, source?: string): Json {
	return new Parser(text, source).parse();
}

/**
 * Writes JSON text that {@link parseJson} reads back as an equal value (-0 too).
 *
 * @param indent spaces or tabs per level; compact when left out
 * @throws `INVALID_ARGUMENT` for a value that JSON has no form for: NaN, infinities, `undefined`
 */
export function stringifyJson(value: Json, indent?: string): string {
	return indent === undefined ? writeCompact(value) : writeIndented(value, indent, '\n');
}

class Parser {
	readonly #text: string;
	readonly #source: string | undefined;
	readonly #hasControls: boolean;
	/** a backslash ahead, or none before it; infinite when there is no further one */
	#nextEscape = 0;
	#pos = 0;
	#depth = 0;

	constructor(text: string, source: string | undefined) {
		this.#text = text;
		this.#source = source;
		this.#hasControls = /[\0-\x1f]/.test(text);
	}

	parse(): Json {
		if (this.#text.charCodeAt(0) === 0xfeff) this.#pos = 1;
		this.#skipSpace();
		const value = this.#value();
		this.#skipSpace();
		if (this.#pos < this.#text.length) throw this.#fail('text after the end of the value');
		return value;
	}

	#skipSpace(): void {
		const text = this.#text;
		let pos = this.#pos;
		for (;;) {
			const code = text.charCodeAt(pos);
			if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
			pos++;
		}
		this.#pos = pos;
	}

	#value(): Json {
		const code = this.#text.charCodeAt(this.#pos);
		switch (code) {
			case 0x7b:
				return this.#object();
			case 0x5b:
				return this.#array();
			case 0x22:
				return this.#string();
			case 0x74:
				return this.#word('true', true);
			case 0x66:
				return this.#word('false', false);
			case 0x6e:
				return this.#word('null', null);
			default:
				if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return this.#number();
				throw this.#fail('expected a value');
		}
	}

	#enter(): void {
		this.#pos++;
		if (++this.#depth > MAX_JSON_DEPTH) throw this.#fail(`nested deeper than ${MAX_JSON_DEPTH} levels`);
		this.#skipSpace();
	}

	#object(): Json {
		this.#enter();
		const object: { [key: string]: Json } = {};
		const text = this.#text;
		if (text.charCodeAt(this.#pos) === 0x7d) {
			this.#pos++;
			this.#depth--;
			return object;
		}
		for (;;) {
			if (text.charCodeAt(this.#pos) !== 0x22) throw this.#fail('expected a key in quotes');
			const keyAt = this.#pos;
			const key = this.#string();
			this.#skipSpace();
			if (text.charCodeAt(this.#pos) !== 0x3a) throw this.#fail("expected ':'");
			this.#pos++;
			this.#skipSpace();
			const value = this.#value();
			if (object[key] === undefined) object[key] = value;
			else if (Object.hasOwn(object, key)) {
				this.#pos = keyAt;
				throw this.#fail(`key ${JSON.stringify(key)} stands twice in one object`);
			} else {
				// An inherited name such as `__proto__`: assignment would not make a plain key of it.
				Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
			}
			this.#skipSpace();
			const code = text.charCodeAt(this.#pos);
			if (code === 0x2c) {
				this.#pos++;
				this.#skipSpace();
			} else if (code === 0x7d) {
				this.#pos++;
				this.#depth--;
				return object;
			} else throw this.#fail("expected ',' or '}'");
		}
	}

	#array(): Json {
		this.#enter();
		const array: Json[] = [];
		const text = this.#text;
		if (text.charCodeAt(this.#pos) === 0x5d) {
			this.#pos++;
			this.#depth--;
			return array;
		}
		for (;;) {
			array.push(this.#value());
			this.#skipSpace();
			const code = text.charCodeAt(this.#pos);
			if (code === 0x2c) {
				this.#pos++;
				this.#skipSpace();
			} else if (code === 0x5d) {
				this.#pos++;
				this.#depth--;
				return array;
			} else throw this.#fail("expected ',' or ']'");
		}
	}

	#string(): string {
		const text = this.#text;
		const start = this.#pos + 1;
		const end = text.indexOf('"', start);
		// what the built-in search finds at once: metadata are read once by most processes, before anything is compiled
		if (end >= 0 && end < this.#escapeAfter(start) && !this.#hasControls) {
			this.#pos = end + 1;
			return text.slice(start, end);
		}
		return this.#escapedString(start, start);
	}

	/** Where the first backslash at or after `from` is. */
	#escapeAfter(from: number): number {
		if (this.#nextEscape < from) {
			const next = this.#text.indexOf('\\', from);
			this.#nextEscape = next < 0 ? Number.POSITIVE_INFINITY : next;
		}
		return this.#nextEscape;
	}

	#escapedString(start: number, firstEscape: number): string {
		const text = this.#text;
		let result = text.slice(start, firstEscape);
		let pos = firstEscape;
		let from = pos;
		for (;;) {
			const code = text.charCodeAt(pos);
			if (code === 0x22) {
				this.#pos = pos + 1;
				return result + text.slice(from, pos);
			}
			if (code === 0x5c) {
				result += text.slice(from, pos);
				const escape = text[pos + 1] ?? '';
				if (escape === 'u') {
					const hex = text.slice(pos + 2, pos + 6);
					if (!/^[0-9a-fA-F]{4}$/.test(hex)) {
						this.#pos = pos;
						throw this.#fail('malformed \\u escape');
					}
					result += String.fromCharCode(Number.parseInt(hex, 16));
					pos += 6;
				} else {
					const at = '"\\/bfnrt'.indexOf(escape);
					if (escape === '' || at < 0) {
						this.#pos = pos;
						throw this.#fail('unknown escape in a string');
					}
					result += '"\\/\b\f\n\r\t'[at];
					pos += 2;
				}
				from = pos;
			} else if (code >= 0x20) pos++;
			else {
				this.#pos = pos;
				throw this.#fail(pos >= text.length ? 'the text ends within a string' : 'control character in a string');
			}
		}
	}

	#word<T extends Json>(word: string, value: T): T {
		if (!this.#text.startsWith(word, this.#pos)) throw this.#fail('expected a value');
		this.#pos += word.length;
		return value;
	}

	#number(): number | bigint {
		const text = this.#text;
		const start = this.#pos;
		let pos = start;
		const negative = text.charCodeAt(pos) === 0x2d;
		if (negative) pos++;
		const digitsFrom = pos;
		let plain = 0;
		let code = text.charCodeAt(pos);
		while (code >= 0x30 && code <= 0x39) {
			plain = plain * 10 + (code - 0x30);
			code = text.charCodeAt(++pos);
		}
		const digits = pos - digitsFrom;
		if (digits === 0) throw this.#fail('expected a digit');
		if (digits > 1 && text.charCodeAt(digitsFrom) === 0x30) throw this.#fail('a number must not start with 0');
		if (code === 0x2e || code === 0x65 || code === 0x45) return this.#fraction(start, pos);
		this.#pos = pos;
		if (digits <= MAX_PLAIN_DIGITS) return negative ? -plain : plain;
		if (digits > MAX_JSON_INTEGER_DIGITS) throw this.#fail(`an integer of ${digits} digits`);
		const exact = BigInt(text.slice(start, pos));
		const rounded = Number(exact);
		return Number.isSafeInteger(rounded) ? rounded : exact;
	}

	#fraction(start: number, end: number): number {
		const match = /(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
		match.lastIndex = end;
		const tail = match.exec(this.#text)?.[0] ?? '';
		const value = Number(this.#text.slice(start, end + tail.length));
		this.#pos = end + tail.length;
		const next = this.#text[this.#pos] ?? '';
		if (tail === '' || next === '.' || next === 'e' || next === 'E') throw this.#fail('malformed number');
		if (!Number.isFinite(value)) throw this.#fail('number beyond the range of a double');
		return value;
	}

	#fail(reason: string): IcebergError {
		const offset = this.#pos;
		const found =
			offset >= this.#text.length ? 'the end of the text' : JSON.stringify(this.#text.slice(offset, offset + 20));
		const where = this.#source === undefined ? '' : `${this.#source}: `;
		return new IcebergError('CORRUPT', `${where}not valid JSON at character ${offset}: ${reason}, at ${found}`, {
			context: { offset, ...(this.#source === undefined ? {} : { location: this.#source }) },
		});
	}
}

function writeScalar(value: Json): string | undefined {
	switch (typeof value) {
		case 'string':
			return JSON.stringify(value);
		case 'number':
			if (!Number.isFinite(value)) throw noForm(value);
			return writeNumber(value);
		case 'bigint':
		case 'boolean':
			return String(value);
		case 'object':
			return value === null ? 'null' : undefined;
		default:
			throw noForm(value);
	}
}

function writeNumber(value: number): string {
	if (Number.isSafeInteger(value)) return Object.is(value, -0) ? '-0.0' : String(value);
	const text = String(value);
	// Digits alone would be read back as an integer.
	return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function writeCompact(value: Json): string {
	const scalar = writeScalar(value);
	if (scalar !== undefined) return scalar;
	let text = '';
	if (Array.isArray(value)) {
		for (const item of value) text += text === '' ? writeCompact(item) : `,${writeCompact(item)}`;
		return `[${text}]`;
	}
	const object = value as { [key: string]: Json };
	const keys = Object.keys(object);
	// Texts alone, as in properties and snapshot summaries, are the same to the built-in writer, which is far quicker.
	if (keys.every((key) => typeof object[key] === 'string')) return JSON.stringify(object);
	for (const key of keys) {
		const entry = `${JSON.stringify(key)}:${writeCompact(object[key] as Json)}`;
		text += text === '' ? entry : `,${entry}`;
	}
	return `{${text}}`;
}

function writeIndented(value: Json, indent: string, newline: string): string {
	const scalar = writeScalar(value);
	if (scalar !== undefined) return scalar;
	const inner = newline + indent;
	if (Array.isArray(value)) {
		if (value.length === 0) return '[]';
		return `[${value.map((item) => inner + writeIndented(item, indent, inner)).join(',')}${newline}]`;
	}
	const entries = Object.entries(value as { [key: string]: Json });
	if (entries.length === 0) return '{}';
	const parts = entries.map(([key, item]) => `${inner}${JSON.stringify(key)}: ${writeIndented(item, indent, inner)}`);
	return `{${parts.join(',')}${newline}}`;
}

function noForm(value: unknown): IcebergError {
	return new IcebergError('INVALID_ARGUMENT', `JSON has no form for ${String(value)}`, {
		context: { value: String(value) },
	});
}
