/** Bytes as lower-case hexadecimal text. */

const DIGITS = '0123456789abcdef';

/** Two lower-case digits a byte. */
export function toHex(bytes: Uint8Array): string {
	let text = '';
	for (let i = 0; i < bytes.length; i++) {
		const byte = bytes[i] as number;
		text += (DIGITS[byte >> 4] as string) + (DIGITS[byte & 15] as string);
	}
	return text;
}

/** The bytes of hexadecimal text in either case; `undefined` when it is none. */
export function fromHex(text: string): Uint8Array | undefined {
	if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
	const bytes = new Uint8Array(text.length / 2);
	for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
	return bytes;
}
