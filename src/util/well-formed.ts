/** True when every surrogate of the text is half of a pair, so that UTF-8 can hold it. */
export function isWellFormed(text: string): boolean {
	// In Node.js since 20, ahead of the library that the compiler targets; constant time for Latin-1 text.
	return (text as string & { isWellFormed(): boolean }).isWellFormed();
}
