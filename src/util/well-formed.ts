const LONE_SURROGATE = /\p{Surrogate}/u;

/** True when every surrogate of the text is half of a pair, so that UTF-8 can hold it. */
export function isWellFormed(text: string): boolean {
	// With the flag `u` a pair is one code point; only lone halves have the property.
	return !LONE_SURROGATE.test(text);
}
