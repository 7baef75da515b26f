/**
 * Bounds cut to a width, so that long values do not swell manifests. Iceberg spec: Data File Fields (lower_bounds,
 * upper_bounds); Parquet spec: truncated statistics.
 */
import type { Type, Value } from './types.ts';

const MAX_CODE_POINT = 0x10ffff;

/**
 * A lower bound not above `value`: its first `width` characters (code points) or bytes. Values of other types than
 * string, binary and fixed come back as they are.
 */
export function truncateLower(type: Type, value: Value, width: number): Value {
	if (type.kind === 'string') return truncateText(value as string, width);
	if (type.kind === 'binary' || type.kind === 'fixed') {
		const bytes = value as Uint8Array;
		return bytes.length <= width ? bytes : bytes.slice(0, width);
	}
	return value;
}

/**
 * An upper bound not below `value`: where it is cut to `width` characters or bytes, the last one that can be is raised
 * by one. `undefined` when none can be: there is no bound then.
 */
export function truncateUpper(type: Type, value: Value, width: number): Value | undefined {
	if (type.kind === 'string') return truncateTextUp(value as string, width);
	if (type.kind === 'binary' || type.kind === 'fixed') return truncateBytesUp(value as Uint8Array, width);
	return value;
}

/** The first `width` code points of a text. */
export function truncateText(text: string, width: number): string {
	// A text has at least half as many code points as UTF-16 units and at most as many.
	if (text.length <= width) return text;
	let end = 0;
	for (let points = 0; points < width && end < text.length; points++) {
		end += (text.codePointAt(end) as number) > 0xffff ? 2 : 1;
	}
	return text.slice(0, end);
}

function truncateTextUp(text: string, width: number): string | undefined {
	const cut = truncateText(text, width);
	if (cut.length === text.length) return text;
	const points = Array.from(cut, (character) => character.codePointAt(0) as number);
	for (let i = points.length - 1; i >= 0; i--) {
		const point = points[i] as number;
		if (point === MAX_CODE_POINT) continue;
		// The surrogates' numbers stand for no characters: after U+D7FF comes U+E000.
		const next = point === 0xd7ff ? 0xe000 : point + 1;
		return String.fromCodePoint(...points.slice(0, i), next);
	}
	return undefined;
}

function truncateBytesUp(bytes: Uint8Array, width: number): Uint8Array | undefined {
	if (bytes.length <= width) return bytes;
	for (let i = width - 1; i >= 0; i--) {
		if (bytes[i] === 0xff) continue;
		const bound = bytes.slice(0, i + 1);
		bound[i] = (bound[i] as number) + 1;
		return bound;
	}
	return undefined;
}
