/** JSON in UTF-8, put together from parts whose bytes are kept. */
import { stringifyJson } from '../util/json.ts';
import type { JsonValue } from './types.ts';

const utf8 = new TextEncoder();
const OPEN_BRACKET = 0x5b;

/** A comma and the JSON of an object that is never changed. */
const encoded = new WeakMap<object, Uint8Array>();

/** An array of immutable objects, each of which has the same JSON wherever it stands. */
export class EncodedList {
	/** the items' JSON, a comma before each */
	readonly parts: readonly Uint8Array[];
	readonly byteLength: number;

	/** @param toJson the same for all lists that an item ever stands in */
	constructor(items: readonly object[], toJson: (item: never) => JsonValue) {
		let byteLength = 0;
		this.parts = items.map((item) => {
			let bytes = encoded.get(item);
			if (bytes === undefined) {
				bytes = utf8.encode(`,${stringifyJson(toJson(item as never))}`);
				encoded.set(item, bytes);
			}
			byteLength += bytes.length;
			return bytes;
		});
		this.byteLength = byteLength;
	}
}

/** The compact JSON of an object in UTF-8, keys in their order. */
export function encodeObject(entries: ReadonlyMap<string, JsonValue | EncodedList>): Uint8Array {
	const pieces: (Uint8Array | EncodedList)[] = [];
	let text = '{';
	for (const [key, value] of entries) {
		text += `${text === '{' && pieces.length === 0 ? '' : ','}${JSON.stringify(key)}:`;
		if (!(value instanceof EncodedList)) text += stringifyJson(value);
		else if (value.parts.length === 0) text += '[]';
		else {
			pieces.push(utf8.encode(text), value);
			text = ']';
		}
	}
	pieces.push(utf8.encode(`${text}}`));
	const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
	let at = 0;
	for (const piece of pieces) {
		const from = at;
		for (const part of piece instanceof EncodedList ? piece.parts : [piece]) {
			bytes.set(part, at);
			at += part.length;
		}
		// The first item's comma is where the list begins.
		if (piece instanceof EncodedList) bytes[from] = OPEN_BRACKET;
	}
	return bytes;
}
