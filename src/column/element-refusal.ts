import { describeValue, valueForContext } from './invalid-value.ts';
import { IcebergError } from '../errors/iceberg-error.ts';

/** The refusal of one element of a vector, before its row is known; an element of an inner vector is told by its owner's. */
export class ElementRefusal extends Error {
	readonly element: number;
	readonly value: unknown;
	readonly expected: string;
	readonly path: string;

	constructor(element: number, value: unknown, expected: string, path = '') {
		super(`expected ${expected}, found ${describeValue(value)}`);
		this.element = element;
		this.value = value;
		this.expected = expected;
		this.path = path;
	}

	/** The same, as a part of element `element` of the vector that holds this one's. */
	within(element: number, segment: string): ElementRefusal {
		return new ElementRefusal(element, this.value, this.expected, `${segment}${this.path}`);
	}
}

/** As an `IcebergError` with row and column; other errors are returned unchanged. */
export function refusalInRow(error: unknown, firstRow: number, column: string): unknown {
	if (!(error instanceof ElementRefusal)) return error;
	const row = firstRow + error.element;
	const fullName = `${column}${error.path}`;
	return new IcebergError('INVALID_DATA', `row ${row}, column '${fullName}': ${error.message}`, {
		context: { row, column: fullName, value: valueForContext(error.value), expected: error.expected },
	});
}

/** Runs a conversion of a list's or map's inner vector; what it refuses is told as part of the owning element. */
export function withOwner<T>(
	offsets: Int32Array,
	length: number,
	path: (index: number) => string,
	convert: () => T,
): T {
	try {
		return convert();
	} catch (error) {
		if (!(error instanceof ElementRefusal)) throw error;
		let owner = 0;
		while (owner < length - 1 && (offsets[owner + 1] as number) <= error.element) owner++;
		throw error.within(owner, path(error.element - (offsets[owner] as number)));
	}
}

/** Runs a conversion of a struct's child. */
export function withChild<T>(name: string, convert: () => T): T {
	try {
		return convert();
	} catch (error) {
		if (!(error instanceof ElementRefusal)) throw error;
		throw error.within(error.element, `.${name}`);
	}
}
