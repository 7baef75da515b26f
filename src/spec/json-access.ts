/** Reading the parts of parsed JSON, each failure naming the key. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { stringifyJson } from '../util/json.ts';
import type { JsonValue } from './types.ts';

export type JsonObject = { readonly [key: string]: JsonValue };

const MIN_LONG = -(2n ** 63n);
const MAX_LONG = 2n ** 63n - 1n;

/**
 * Access to one JSON object. A key that is null counts as missing, as other readers have it. All methods throw
 * `CORRUPT` for values of another kind than asked for; those without `optional` also for missing ones.
 */
export class JsonReader {
	readonly json: JsonObject;
	/** where the object stands, such as `snapshots[2]`; empty for the outermost */
	readonly at: string;

	constructor(json: JsonValue, at: string) {
		if (json === null || typeof json !== 'object' || Array.isArray(json)) {
			throw wrong(at === '' ? 'the whole' : at, 'an object', json);
		}
		this.json = json;
		this.at = at;
	}

	path(key: string): string {
		return this.at === '' ? key : `${this.at}.${key}`;
	}

	has(key: string): boolean {
		return this.value(key) !== undefined;
	}

	/** `undefined` for missing and null */
	value(key: string): JsonValue | undefined {
		return Object.hasOwn(this.json, key) ? (this.json[key] ?? undefined) : undefined;
	}

	text(key: string): string {
		return this.optionalText(key) ?? this.#missing(key);
	}

	optionalText(key: string): string | undefined {
		const value = this.value(key);
		if (value !== undefined && typeof value !== 'string') throw wrong(this.path(key), 'text', value);
		return value;
	}

	/** a 32-bit integer */
	int(key: string): number {
		return this.optionalInt(key) ?? this.#missing(key);
	}

	optionalInt(key: string): number | undefined {
		const value = this.value(key);
		return value === undefined ? undefined : intOf(value, this.path(key));
	}

	/** a 64-bit integer */
	long(key: string): bigint {
		return this.optionalLong(key) ?? this.#missing(key);
	}

	optionalLong(key: string): bigint | undefined {
		const value = this.value(key);
		return value === undefined ? undefined : longOf(value, this.path(key));
	}

	/** an integer within ±2^53: times in milliseconds, sizes */
	safeInteger(key: string): number {
		return this.optionalSafeInteger(key) ?? this.#missing(key);
	}

	optionalSafeInteger(key: string): number | undefined {
		const value = this.value(key);
		if (value !== undefined && (typeof value !== 'number' || !Number.isSafeInteger(value))) {
			throw wrong(this.path(key), 'an integer within 2^53', value);
		}
		return value;
	}

	object(key: string): JsonReader {
		return new JsonReader(this.value(key) ?? this.#missing(key), this.path(key));
	}

	array(key: string): readonly JsonValue[] {
		return this.optionalArray(key) ?? this.#missing(key);
	}

	optionalArray(key: string): readonly JsonValue[] | undefined {
		const value = this.value(key);
		if (value !== undefined && !Array.isArray(value)) throw wrong(this.path(key), 'a list', value);
		return value;
	}

	/** Each element of a list, through `read`. */
	list<T>(key: string, read: (json: JsonValue, at: string) => T): T[] {
		return this.array(key).map((item, i) => read(item, `${this.path(key)}[${i}]`));
	}

	/** As {@link list}; empty when the key is missing. */
	optionalList<T>(key: string, read: (json: JsonValue, at: string) => T): T[] {
		return (this.optionalArray(key) ?? []).map((item, i) => read(item, `${this.path(key)}[${i}]`));
	}

	/** Text by text. */
	optionalTextMap(key: string): Record<string, string> | undefined {
		if (!this.has(key)) return undefined;
		const { json, at } = this.object(key);
		const map: Record<string, string> = {};
		for (const name of Object.keys(json)) {
			const value = json[name] as JsonValue;
			if (typeof value !== 'string') throw wrong(`${at}.${name}`, 'text', value);
			setOwn(map, name, value);
		}
		return map;
	}

	/** The keys that are not known, with their values; `undefined` when there are none. */
	rest(known: ReadonlySet<string>): Record<string, JsonValue> | undefined {
		let rest: Record<string, JsonValue> | undefined;
		for (const key of Object.keys(this.json)) {
			if (known.has(key)) continue;
			rest ??= {};
			setOwn(rest, key, this.json[key] as JsonValue);
		}
		return rest;
	}

	/** `CORRUPT`: something else than `expected` stands under the key. */
	wrong(key: string, expected: string): IcebergError {
		return wrong(this.path(key), expected, this.value(key) ?? null);
	}

	#missing(key: string): never {
		throw new IcebergError('CORRUPT', `${this.path(key)} is missing`, { context: { key: this.path(key) } });
	}
}

export function intOf(json: JsonValue, at: string): number {
	if (typeof json !== 'number' || !Number.isInteger(json) || json < -0x80000000 || json > 0x7fffffff) {
		throw wrong(at, 'an integer of 32 bits', json);
	}
	return json;
}

export function longOf(json: JsonValue, at: string): bigint {
	if (typeof json === 'number' && Number.isSafeInteger(json)) return BigInt(json);
	if (typeof json !== 'bigint' || json < MIN_LONG || json > MAX_LONG) throw wrong(at, 'an integer of 64 bits', json);
	return json;
}

export function textOf(json: JsonValue, at: string): string {
	if (typeof json !== 'string') throw wrong(at, 'text', json);
	return json;
}

/** The JSON of a 64-bit integer. */
export function longToJson(value: bigint): JsonValue {
	const number = Number(value);
	return Number.isSafeInteger(number) ? number : value;
}

/** Sets a key that may be `__proto__`. */
export function setOwn<T>(target: Record<string, T>, key: string, value: T): void {
	if (key === '__proto__')
		Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
	else target[key] = value;
}

/** `CORRUPT`: something else stands where `expected` should. */
export function wrong(at: string, expected: string, found: JsonValue): IcebergError {
	const text = stringifyJson(found);
	const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
	return new IcebergError('CORRUPT', `${at}: expected ${expected}, found ${shown}`, { context: { key: at } });
}
