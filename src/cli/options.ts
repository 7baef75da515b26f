/** Options that several commands share, turned from text into what the library takes. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import {
	type FormatVersion,
	IcebergError,
	parseJson,
	parseSchemaText,
	type Schema,
	schemaFromJson,
	type SnapshotSelector,
} from '../index.ts';

/** Largest schema file. */
const SCHEMA_FILE_LIMIT_BYTES = 16 * 1024 * 1024;

export interface StateOptions {
	readonly snapshot?: string;
	readonly asOf?: string;
	readonly ref?: string;
}

/** The state that `--snapshot`, `--as-of` or `--ref` name. */
export function selectorOf(options: StateOptions): SnapshotSelector {
	return {
		...(options.snapshot === undefined ? {} : { snapshotId: options.snapshot }),
		...(options.asOf === undefined ? {} : { asOfMs: instantMs(options.asOf) }),
		...(options.ref === undefined ? {} : { ref: options.ref }),
	};
}

/** Milliseconds since 1970 of an ISO time with an offset, of a date (midnight UTC), or of a number of them. */
export function instantMs(text: string): number {
	if (/^\d{9,16}$/.test(text)) return Number(text);
	const isDate = /^\d{4}-\d\d-\d\d$/.test(text);
	const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|[+-]\d\d:?\d\d)$/i.exec(text);
	const parsed = isDate
		? Date.parse(text)
		: match === null
			? Number.NaN
			: Date.parse(`${match[1]}T${match[2]}${match[3]}`);
	if (Number.isNaN(parsed)) {
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`--as-of takes a date, a time with its offset such as 2024-02-29T12:00:00Z, or milliseconds since 1970, not '${text}'`,
		);
	}
	return parsed;
}

/** Parts of a list apart by commas, which may stand inside parentheses: `day(at), bucket(16, id)`. */
export function listOf(text: string | undefined): string[] {
	if (text === undefined) return [];
	const parts: string[] = [];
	let depth = 0;
	let part = '';
	for (const character of text) {
		if (character === '(') depth++;
		else if (character === ')') depth--;
		if (character === ',' && depth === 0) {
			parts.push(part.trim());
			part = '';
		} else part += character;
	}
	parts.push(part.trim());
	return parts.filter((one) => one !== '');
}

/** Names of columns apart by commas. A name with a comma or spaces around it stands in double quotes. */
export function namesOf(text: string | undefined): string[] {
	const parts = (text ?? '').match(/\s*(?:"(?:[^"]|"")*"|[^,"]*)\s*(?:,|$)/g) ?? [];
	return parts
		.map((part) => part.replace(/,$/, '').trim())
		.filter((name) => name !== '')
		.map((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name));
}

/** `key=value` pairs. */
export function propertiesOf(pairs: readonly string[] | undefined): Record<string, string> {
	const properties: Record<string, string> = {};
	for (const pair of pairs ?? []) {
		const at = pair.indexOf('=');
		if (at < 1) throw new IcebergError('INVALID_ARGUMENT', `--property takes key=value, not '${pair}'`);
		properties[pair.slice(0, at)] = pair.slice(at + 1);
	}
	return properties;
}

/** A schema as text, as Iceberg's JSON, or as a file that holds either. */
export function schemaOf(text: string): Schema {
	const isFile = !/[\s,{]/.test(text.trim()) && existsSync(text) && statSync(text).isFile();
	if (isFile && statSync(text).size > SCHEMA_FILE_LIMIT_BYTES)
		throw new IcebergError('LIMIT_EXCEEDED', `${text} is too large to be a schema`);
	const content = isFile ? readFileSync(text, 'utf8') : text;
	if (!content.trimStart().startsWith('{')) return parseSchemaText(content);
	return schemaFromJson(parseJson(content, isFile ? text : 'schema'));
}

export function formatVersionOf(text: string | undefined): FormatVersion | undefined {
	if (text === undefined) return undefined;
	if (text === '1' || text === '2' || text === '3') return Number(text) as FormatVersion;
	throw new IcebergError('INVALID_ARGUMENT', `--format-version is 1, 2 or 3, not '${text}'`);
}

/** A whole number from 0 up. */
export function countOf(option: string, text: string | undefined): number | undefined {
	if (text === undefined) return undefined;
	if (/^\d{1,15}$/.test(text)) return Number(text);
	throw new IcebergError('INVALID_ARGUMENT', `${option} is a whole number, not '${text}'`);
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration such as `500ms`, `30m` or `5d`. */
export function durationOf(option: string, text: string | undefined): number | undefined {
	if (text === undefined) return undefined;
	if (text === '0') return 0;
	const [, count, unit] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(text) ?? [];
	if (count !== undefined && unit !== undefined) return Math.round(Number(count) * (UNIT_MS[unit] as number));
	throw new IcebergError('INVALID_ARGUMENT', `${option} is a duration such as 30m, 12h or 5d, not '${text}'`);
}
