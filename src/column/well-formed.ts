/** True when the text has no lone surrogate, so that it has a UTF-8 form. */
export function isWellFormed(text: string): boolean {
	return (text as string & { isWellFormed(): boolean }).isWellFormed();
}
