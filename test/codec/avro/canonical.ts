/** Engine values in the corpus' canonical JSON, see its README. */
import type { MapValue, StructValue, Type, Value } from '../../../src/spec/types.ts';
import { formatValue } from '../../../src/spec/value-text.ts';

export function canonical(type: Type, value: Value): unknown {
	if (value === null) return null;
	switch (type.kind) {
		case 'boolean':
		case 'int':
			return value;
		case 'float':
		case 'double':
			return Number.isFinite(value as number) ? value : String(value);
		case 'struct':
			return Object.fromEntries(
				type.fields.map((field, i) => [field.name, canonical(field.type, (value as StructValue)[i] ?? null)]),
			);
		case 'list':
			return (value as readonly Value[]).map((element) => canonical(type.element, element));
		case 'map':
			return (value as MapValue)
				.map(([key, item]) => [canonical(type.key, key), canonical(type.value, item)])
				.sort((a, b) => compareCodePoints(JSON.stringify(a[0]), JSON.stringify(b[0])));
		default:
			return formatValue(type, value);
	}
}

/** Order of code points, which UTF-16 units do not have. */
export function compareCodePoints(a: string, b: string): number {
	return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
