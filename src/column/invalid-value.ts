import { IcebergError } from '../errors/iceberg-error.ts';

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
	if (value === null || kind === 'number' || kind === 'bigint' || kind === 'boolean') return value;
	if (kind === 'string' && (value as string).length <= DESCRIBED_VALUE_LIMIT) return value;
	return describeValue(value);
}

/**
 * The refusal of one value. `expected` says what would have been accepted; `path` leads to the part of a nested value
 * (`.child`, `[3]`), empty for the value itself.
 */
export function invalidValue(value: unknown, expected: string, path = '', cause?: unknown): IcebergError {
	const where = path === '' ? '' : `at ${path.startsWith('.') ? path.slice(1) : path}: `;
	return new IcebergError('INVALID_DATA', `${where}expected ${expected}, found ${describeValue(value)}`, {
		context: { value: valueForContext(value), expected, path, found: describeValue(value) },
		...(cause === undefined ? {} : { cause }),
	});
}

/** The same refusal, seen from the value that holds it. Errors of other kinds are returned unchanged. */
export function withinValue(error: unknown, segment: string): unknown {
	if (!(error instanceof IcebergError) || error.code !== 'INVALID_DATA') return error;
	const { value, expected, path, found } = error.context;
	if (typeof expected !== 'string' || typeof path !== 'string') return error;
	const whole = `${segment}${path}`;
	const shown = whole.startsWith('.') ? whole.slice(1) : whole;
	return new IcebergError('INVALID_DATA', `at ${shown}: expected ${expected}, found ${String(found)}`, {
		context: { value, expected, path: whole, found },
		...(error.cause === undefined ? {} : { cause: error.cause }),
	});
}
