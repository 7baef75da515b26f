import { IcebergError } from '../errors/iceberg-error.ts';
import { nearNames } from './near-names.ts';

/** Most characters of a value that are repeated in a message. */
const DESCRIBED_VALUE_LIMIT = 120;

/** A value in few words, for messages: quoted text, digits, or the name of its class. Never throws; bounded length. */
export function describeValue(value: unknown): string {
	switch (typeof value) {
		case 'string': {
			const shown = value.length > DESCRIBED_VALUE_LIMIT ? `${value.slice(0, DESCRIBED_VALUE_LIMIT)}…` : value;
			return JSON.stringify(shown);
		}
		case 'number':
			return Object.is(value, -0) ? '-0' : String(value);
		case 'bigint': {
			const text = value.toString();
			return text.length > DESCRIBED_VALUE_LIMIT ? `${text.slice(0, DESCRIBED_VALUE_LIMIT)}…` : text;
		}
		case 'boolean':
		case 'undefined':
			return String(value);
		case 'function':
			return 'a function';
		case 'symbol':
			return 'a symbol';
		default:
			return value === null ? 'null' : describeObject(value as object);
	}
}

function describeObject(value: object): string {
	if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : `Date ${value.toISOString()}`;
	if (value instanceof Uint8Array) return `${value.length} bytes`;
	if (Array.isArray(value)) return `an array of ${value.length}`;
	if (value instanceof Map) return `a Map of ${value.size}`;
	if (value instanceof Promise) return 'a Promise';
	const name = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)?.constructor?.name;
	return typeof name === 'string' && name !== '' && name !== 'Object' ? `an object of ${name}` : 'an object';
}

/** The value as it may stand in an error's context: primitives as they are, others described. */
export function valueForContext(value: unknown): unknown {
	const kind = typeof value;
	if (value === null || value === undefined || kind === 'number' || kind === 'bigint' || kind === 'boolean')
		return value;
	if (kind === 'string' && (value as string).length <= DESCRIBED_VALUE_LIMIT) return value;
	return describeValue(value);
}

/**
 * The refusal of one value. `expected` says what would have been accepted; `path` leads to the part of a nested value
 * (`.child`, `[3]`), empty for the value itself.
 */
export function invalidValue(value: unknown, expected: string, path = '', cause?: unknown): IcebergError {
	return refusal(value, expected, `expected ${expected}, found ${describeValue(value)}`, path, cause);
}

/** The refusal of a key that names no field, with the names that are near. */
export function unknownMember(key: string, value: unknown, known: Iterable<string>): IcebergError {
	return refusal(value, 'the name of a field', `no field has this name${nearNames(key, known)}`, `.${key}`);
}

function refusal(value: unknown, expected: string, problem: string, path: string, cause?: unknown): IcebergError {
	const where = path === '' ? '' : `at ${path.startsWith('.') ? path.slice(1) : path}: `;
	return new IcebergError('INVALID_DATA', `${where}${problem}`, {
		context: { value: valueForContext(value), expected, path, problem },
		...(cause === undefined ? {} : { cause }),
	});
}

/** The same refusal, seen from the value that holds it. Errors of other kinds are returned unchanged. */
export function withinValue(error: unknown, segment: string): unknown {
	if (!isValueRefusal(error)) return error;
	const { value, expected, path, problem } = error.context;
	return refusal(value, expected, problem, `${segment}${path}`, error.cause);
}

/** The same refusal with the row and the column; errors of other kinds are returned unchanged. */
export function inRow(error: unknown, row: number, column: string): unknown {
	if (!isValueRefusal(error)) return error;
	const { value, expected, path, problem } = error.context;
	const fullName = `${column}${path}`;
	return new IcebergError('INVALID_DATA', `row ${row}, column '${fullName}': ${problem}`, {
		context: { row, column: fullName, value, expected },
		...(error.cause === undefined ? {} : { cause: error.cause }),
	});
}

interface ValueRefusal extends IcebergError {
	readonly context: {
		readonly value: unknown;
		readonly expected: string;
		readonly path: string;
		readonly problem: string;
	};
}

function isValueRefusal(error: unknown): error is ValueRefusal {
	return (
		error instanceof IcebergError &&
		error.code === 'INVALID_DATA' &&
		typeof error.context.path === 'string' &&
		typeof error.context.problem === 'string'
	);
}
