/** The corpus' canonical rows as the lines that a scan prints, and in the spelling of its checksums. */
import { createHash } from 'node:crypto';
import type { NestedField, Type } from '../../src/index.ts';
import type { Loose } from '../support/corpus.ts';

/** A canonical row as a scan prints it: longs are JSON integers there, text in the corpus. */
export function printedLine(row: Loose, fields: readonly NestedField[]): string {
	return objectText(row, fields, (value, type) => printed(value, type));
}

function printed(value: Loose, type: Type): string {
	if (value === null) return 'null';
	switch (type.kind) {
		case 'long':
			return String(BigInt(value));
		case 'float':
		case 'double':
			if (typeof value === 'string') return JSON.stringify(value);
			return Object.is(value, -0) ? '-0' : String(Number(value));
		default:
			return nested(value, type, printed);
	}
}

/** A canonical row in the bytes that the corpus' checksums were made of. */
export function checksumLine(row: Loose, fields: readonly NestedField[]): string {
	return objectText(row, fields, (value, type) => checksummed(value, type));
}

function checksummed(value: Loose, type: Type): string {
	if (value === null) return 'null';
	if (type.kind === 'float' || type.kind === 'double')
		return typeof value === 'string' ? JSON.stringify(value) : javaDouble(Number(value));
	if (type.kind === 'long') return JSON.stringify(String(value));
	return nested(value, type, checksummed);
}

function nested(value: Loose, type: Type, text: (value: Loose, type: Type) => string): string {
	switch (type.kind) {
		case 'struct':
			return objectText(value, type.fields, text);
		case 'list':
			return `[${value.map((item: Loose) => text(item, type.element)).join(',')}]`;
		case 'map':
			return `[${value.map(([key, item]: Loose[]) => `[${text(key, type.key)},${text(item, type.value)}]`).join(',')}]`;
		case 'variant':
			return variantText(value, text === checksummed ? javaDouble : String);
		default:
			return JSON.stringify(value);
	}
}

function variantText(value: Loose, number: (value: number) => string): string {
	if (Array.isArray(value)) return `[${value.map((item) => variantText(item, number)).join(',')}]`;
	if (typeof value !== 'object' || value === null)
		return typeof value === 'bigint' ? String(value) : JSON.stringify(value);
	if ((value.t === 'float' || value.t === 'double') && typeof value.v !== 'string')
		return `{"t":"${value.t}","v":${Object.is(value.v, -0) ? '-0' : number(Number(value.v))}}`;
	return `{${Object.keys(value)
		.map((key) => `${JSON.stringify(key)}:${variantText(value[key], number)}`)
		.join(',')}}`;
}

function objectText(row: Loose, fields: readonly NestedField[], text: (value: Loose, type: Type) => string): string {
	return `{${fields.map((field) => `${JSON.stringify(field.name)}:${text(row[field.name] ?? null, field.type)}`).join(',')}}`;
}

/** As Java's `Double.toString` spells it. */
export function javaDouble(value: number): string {
	if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
	const size = Math.abs(value);
	// it gives at least two digits, those that come closest
	if (size === Number.MIN_VALUE) return value < 0 ? '-4.9E-324' : '4.9E-324';
	const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
	if (size < 1e-3 || size >= 1e7) return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
	return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** The checksum of rows as the corpus makes it. */
export function checksumOf(lines: readonly string[]): string {
	const hash = createHash('sha256');
	for (const line of [...lines].sort(byCodePoint)) hash.update(`${line}\n`);
	return hash.digest('hex');
}

function byCodePoint(a: string, b: string): number {
	return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
