/** Values of rows as text. */

/** JSON that keeps integers beyond 2^53 as digits; Maps are arrays of pairs, bytes hexadecimal text. */
export function valueJson(value: unknown): string {
	if (value === null || value === undefined) return 'null';
	switch (typeof value) {
		case 'bigint':
			return value.toString();
		case 'number':
			return Number.isFinite(value) ? numberText(value) : JSON.stringify(String(value));
		case 'object':
			break;
		default:
			return JSON.stringify(value);
	}
	if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('hex'));
	if (value instanceof Map) return valueJson([...value]);
	if (Array.isArray(value)) return `[${value.map(valueJson).join(',')}]`;
	const members = Object.entries(value as object).map(
		([name, member]) => `${JSON.stringify(name)}:${valueJson(member)}`,
	);
	return `{${members.join(',')}}`;
}

/** A cell: text as it is, null as nothing, nested values as JSON. */
export function cellText(value: unknown): string {
	if (value === null || value === undefined) return '';
	if (typeof value === 'string') return value;
	if (typeof value === 'number') return numberText(value);
	if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
	if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
	return valueJson(value);
}

function numberText(value: number): string {
	return Object.is(value, -0) ? '-0' : String(value);
}

/** A line of comma-separated values (RFC 4180). Null is nothing, an empty text a pair of quotes. */
export function csvLine(values: readonly unknown[]): string {
	const cells = values.map((value) => {
		const text = cellText(value);
		const needsQuotes = /[",\r\n]/.test(text) || (text === '' && value === '') || /^\s|\s$/.test(text);
		return needsQuotes ? `"${text.replaceAll('"', '""')}"` : text;
	});
	// a line of one null would be a blank line, which readers skip
	return `${cells.join(',')}\n`;
}

/** JSON for programs: snapshot ids and other long integers as text, which no parser rounds. */
export function programJson(value: unknown): string {
	return `${JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? member.toString() : member), 2)}\n`;
}
