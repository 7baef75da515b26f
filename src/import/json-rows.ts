/** Cuts JSON text into the texts of its rows, without holding more of it than a row needs. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { ByteWindow } from './byte-window.ts';

/** Texts handed on at a time. */
const ROW_TEXTS_LIMIT = 2_048;
/** An object at the start of a file is looked at whole when it is no larger. */
const FIRST_OBJECT_LIMIT_BYTES = 4 * 1024 * 1024;

const LF = 10;
const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const COLON = 58;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The lines of newline-delimited JSON; blank ones are left out. */
export async function* lineTexts(window: ByteWindow): AsyncGenerator<string[]> {
	let rows = 0;
	for (;;) {
		const texts: string[] = [];
		let at = window.from;
		while (texts.length < ROW_TEXTS_LIMIT) {
			const found = window.bytes.indexOf(LF, at);
			const end = found >= 0 && found < window.to ? found : window.ended && !window.isCut ? window.to : -1;
			if (end < 0 || at >= window.to) break;
			const text = decoder.decode(window.bytes.subarray(at, end));
			if (!isBlank(text)) texts.push(text);
			at = Math.min(end + 1, window.to);
		}
		window.checkText(at, rows + 1);
		window.from = at;
		rows += texts.length;
		if (texts.length > 0) yield texts;
		else if (!(await window.more()) && (window.isCut || window.from >= window.to)) return;
	}
}

function isBlank(text: string): boolean {
	return text.length === 0 || text.trim() === '';
}

/**
 * The rows of a JSON document: the elements of an array; or those of the one member of an object that is an array of
 * objects (`member` names it where there are several); or else the object itself, and any values that follow it.
 */
export async function* documentTexts(window: ByteWindow, member?: string): AsyncGenerator<string[]> {
	try {
		yield* wholeDocument(window, member);
	} catch (error) {
		if (!(error instanceof EndOfSample)) throw error;
	}
}

/** A sample ended in the middle of a document. */
class EndOfSample extends Error {}

async function* wholeDocument(window: ByteWindow, member: string | undefined): AsyncGenerator<string[]> {
	const walker = new Walker(window);
	if ((await walker.peek()) === -1) return;
	if ((await walker.peek()) === OPEN_ARRAY) {
		if (member !== undefined) throw walker.fault(`there is no member '${member}': the document is an array`);
		yield* walker.elements();
	} else if (await walker.startsWithManyValues(member)) yield* walker.values();
	else yield* walker.memberRows(member);
	const rest = await walker.peek();
	if (rest !== -1) throw walker.fault(`unexpected '${String.fromCharCode(rest)}' behind the end of the document`);
}

/** Moves over a window value by value. */
class Walker {
	readonly #window: ByteWindow;
	#rows = 0;

	constructor(window: ByteWindow) {
		this.#window = window;
	}

	fault(problem: string): IcebergError {
		return new IcebergError(
			'INVALID_DATA',
			`${this.#window.name}: not valid JSON, near row ${this.#rows + 1}: ${problem}`,
			{
				context: { row: this.#rows + 1 },
			},
		);
	}

	/** The next byte that is no space; -1 at the end. */
	async peek(): Promise<number> {
		const window = this.#window;
		for (;;) {
			while (window.from < window.to) {
				const byte = window.bytes[window.from] as number;
				if (byte !== 32 && byte !== LF && byte !== 13 && byte !== 9) return byte;
				window.from++;
			}
			if (await window.more()) continue;
			if (window.isCut) throw new EndOfSample();
			return -1;
		}
	}

	async #expect(...bytes: number[]): Promise<number> {
		const byte = await this.peek();
		if (bytes.includes(byte)) {
			this.#window.from++;
			return byte;
		}
		const wanted = bytes.map((one) => `'${String.fromCharCode(one)}'`).join(' or ');
		throw this.fault(
			`expected ${wanted}, found ${byte === -1 ? 'the end of the file' : `'${String.fromCharCode(byte)}'`}`,
		);
	}

	/** The offset behind the value that starts at the next byte; reads on until it is whole. */
	async #valueEnd(): Promise<number> {
		const window = this.#window;
		if ((await this.peek()) === -1) throw this.fault('expected a value, found the end of the file');
		for (;;) {
			const end = endOfValue(window.bytes, window.from, window.to, window.ended && !window.isCut);
			if (end === 0) throw this.fault(`unexpected '${String.fromCharCode(window.bytes[window.from] as number)}'`);
			if (end > 0) return end;
			// so that a large value is looked at a few times only
			const more = Math.max(1, window.to - window.from);
			if (!(await window.ensure(window.to - window.from + more)) && window.ended) {
				if (window.isCut) throw new EndOfSample();
				const last = endOfValue(window.bytes, window.from, window.to, true);
				if (last > 0) return last;
				throw this.fault('the value is not complete at the end of the file');
			}
		}
	}

	async #takeText(): Promise<string> {
		const end = await this.#valueEnd();
		const window = this.#window;
		window.checkText(end, this.#rows + 1);
		const text = decoder.decode(window.bytes.subarray(window.from, end));
		window.from = end;
		return text;
	}

	/** The elements of the array that starts here. */
	async *elements(): AsyncGenerator<string[]> {
		await this.#expect(OPEN_ARRAY);
		let texts: string[] = [];
		if ((await this.peek()) === CLOSE_ARRAY) this.#window.from++;
		else {
			try {
				do {
					texts.push(await this.#takeText());
					this.#rows++;
					if (texts.length >= ROW_TEXTS_LIMIT) {
						yield texts;
						texts = [];
					}
				} while ((await this.#expect(COMMA, CLOSE_ARRAY)) === COMMA);
			} catch (error) {
				if (error instanceof EndOfSample && texts.length > 0) yield texts;
				throw error;
			}
		}
		if (texts.length > 0) yield texts;
	}

	/** All values that stand here one after the other. */
	async *values(): AsyncGenerator<string[]> {
		let texts: string[] = [];
		try {
			while ((await this.peek()) !== -1) {
				texts.push(await this.#takeText());
				this.#rows++;
				if (texts.length < ROW_TEXTS_LIMIT) continue;
				yield texts;
				texts = [];
			}
		} catch (error) {
			if (error instanceof EndOfSample && texts.length > 0) yield texts;
			throw error;
		}
		if (texts.length > 0) yield texts;
	}

	/** Whether the first value is itself a row: another follows it, or it is an object without an array of objects. */
	async startsWithManyValues(member: string | undefined): Promise<boolean> {
		const window = this.#window;
		await window.ensure(FIRST_OBJECT_LIMIT_BYTES);
		const end = endOfValue(window.bytes, window.from, window.to, window.ended && !window.isCut);
		if (end <= 0) return false;
		for (let at = end; at < window.to; at++) {
			const byte = window.bytes[at];
			if (byte !== 32 && byte !== LF && byte !== 13 && byte !== 9) return true;
		}
		if (!window.ended && (await window.more())) return this.startsWithManyValues(member);
		if (member !== undefined) return false;
		let value: unknown;
		try {
			value = JSON.parse(decoder.decode(window.bytes.subarray(window.from, end)));
		} catch (error) {
			throw this.fault((error as Error).message);
		}
		if (typeof value !== 'object' || value === null || Array.isArray(value)) return true;
		return !Object.values(value).some((one) => Array.isArray(one) && isObject(one[0]));
	}

	/** The elements of the one member of the object here that is an array of objects, or of the named one. */
	async *memberRows(member: string | undefined): AsyncGenerator<string[]> {
		await this.#expect(OPEN_OBJECT);
		let found: string | undefined;
		let byte = await this.peek();
		if (byte === CLOSE_OBJECT) this.#window.from++;
		while (byte !== CLOSE_OBJECT) {
			const key = this.#parse(await this.#takeText());
			if (typeof key !== 'string') throw this.fault('expected a key in quotes');
			await this.#expect(COLON);
			if (await this.#holdsRows(key, member)) {
				if (found !== undefined) {
					throw new IcebergError(
						'INVALID_DATA',
						`${this.#window.name}: '${found}' and '${key}' are both arrays of objects; say which one holds the rows`,
						{ context: { members: [found, key] } },
					);
				}
				found = key;
				yield* this.elements();
			} else this.#window.from = await this.#valueEnd();
			byte = await this.#expect(COMMA, CLOSE_OBJECT);
		}
		if (found === undefined) {
			throw new IcebergError(
				'INVALID_DATA',
				member === undefined
					? `${this.#window.name}: no member of the object is an array of objects`
					: `${this.#window.name}: the object has no member '${member}' that is an array`,
			);
		}
	}

	async #holdsRows(key: string, member: string | undefined): Promise<boolean> {
		if ((await this.peek()) !== OPEN_ARRAY) return false;
		if (member !== undefined) return key === member;
		const window = this.#window;
		for (let at = window.from + 1; ; at++) {
			if (at >= window.to) {
				const offset = at - window.from;
				if (!(await window.more())) return false;
				at = window.from + offset;
			}
			const byte = window.bytes[at];
			if (byte !== 32 && byte !== LF && byte !== 13 && byte !== 9) return byte === OPEN_OBJECT;
		}
	}

	#parse(text: string): unknown {
		try {
			return JSON.parse(text);
		} catch (error) {
			throw this.fault((error as Error).message);
		}
	}
}

function isObject(value: unknown): boolean {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The offset behind a JSON value; -1 when it is not complete, 0 when no value starts here. Judges no more than nesting. */
function endOfValue(bytes: Uint8Array, start: number, to: number, ended: boolean): number {
	const first = bytes[start] as number;
	if (first === QUOTE) return endOfString(bytes, start, to);
	if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) {
		let at = start;
		while (at < to && isWordByte(bytes[at] as number)) at++;
		if (at === start) return 0;
		return at < to || ended ? at : -1;
	}
	let depth = 0;
	for (let at = start; at < to; at++) {
		const byte = bytes[at] as number;
		if (byte === QUOTE) {
			const end = endOfString(bytes, at, to);
			if (end < 0) return -1;
			at = end - 1;
		} else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
		else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && --depth === 0) return at + 1;
	}
	return -1;
}

function endOfString(bytes: Uint8Array, start: number, to: number): number {
	for (let at = start + 1; at < to; at++) {
		const byte = bytes[at];
		if (byte === BACKSLASH) at++;
		else if (byte === QUOTE) return at + 1;
	}
	return -1;
}

/** Digits, letters, `+`, `-`, `.`: what numbers, `true`, `false` and `null` are made of. */
function isWordByte(byte: number): boolean {
	return (
		(byte >= 48 && byte <= 57) ||
		(byte >= 97 && byte <= 122) ||
		(byte >= 65 && byte <= 90) ||
		byte === 43 ||
		byte === 45 ||
		byte === 46
	);
}
