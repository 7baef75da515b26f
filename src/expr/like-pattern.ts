/** SQL's LIKE patterns, as far as a prefix can answer them. */

export type LikePattern =
	| { readonly kind: 'prefix' | 'exact'; readonly text: string }
	| { readonly kind: 'unsupported' };

/** `abc%` is a prefix, `abc` exact; a backslash makes the character after it plain. */
export function likePrefix(pattern: string): LikePattern {
	let text = '';
	for (let i = 0; i < pattern.length; i++) {
		const char = pattern[i] as string;
		if (char === '\\') {
			if (i + 1 >= pattern.length) return { kind: 'unsupported' };
			text += pattern[++i];
		} else if (char === '%') {
			return /^%+$/.test(pattern.slice(i)) ? { kind: 'prefix', text } : { kind: 'unsupported' };
		} else if (char === '_') return { kind: 'unsupported' };
		else text += char;
	}
	return { kind: 'exact', text };
}
