/** Types and fields between Arrow and Iceberg. Iceberg spec: Appendix A, by way of PyIceberg's mapping to Arrow. */
import type { DataType, Field } from '@uwdata/flechette';
import { IcebergError } from '../errors/iceberg-error.ts';
import { typeToString } from '../spec/type-text.ts';
import type { NestedField, Type } from '../spec/types.ts';
import { ARROW, type ArrowField, type ArrowType, arrowSourceOf } from './arrow-node.ts';
import { arrowTypeText } from './arrow-type-text.ts';

type Flechette = typeof import('@uwdata/flechette');

/** Key of field metadata under which Arrow writers keep field ids. */
export const FIELD_ID_KEY = 'PARQUET:field_id';

/** Arrow fields of Iceberg fields, with their ids as metadata. @throws `UNSUPPORTED` for types this version does not know */
export function arrowFieldsOf(flechette: Flechette, fields: readonly NestedField[]): Field[] {
	return fields.map((field) => arrowField(flechette, field.name, field.type, !field.required, field.id));
}

function arrowField(flechette: Flechette, name: string, type: Type, nullable: boolean, id: number): Field {
	return flechette.field(name, arrowType(flechette, type), nullable, new Map([[FIELD_ID_KEY, String(id)]])) as Field;
}

/** The Arrow type whose layout a vector of `type` has. */
export function arrowType(flechette: Flechette, type: Type): DataType {
	switch (type.kind) {
		case 'boolean':
			return flechette.bool();
		case 'int':
			return flechette.int32();
		case 'long':
			return flechette.int64();
		case 'float':
			return flechette.float32();
		case 'double':
			return flechette.float64();
		case 'decimal':
			return flechette.decimal(type.precision, type.scale, 128);
		case 'date':
			return flechette.dateDay();
		case 'time':
			return flechette.timeMicrosecond();
		case 'timestamp':
			return flechette.timestamp(flechette.TimeUnit.MICROSECOND);
		case 'timestamptz':
			return flechette.timestamp(flechette.TimeUnit.MICROSECOND, 'UTC');
		case 'timestamp_ns':
			return flechette.timestamp(flechette.TimeUnit.NANOSECOND);
		case 'timestamptz_ns':
			return flechette.timestamp(flechette.TimeUnit.NANOSECOND, 'UTC');
		case 'string':
			return flechette.utf8();
		case 'uuid':
			return flechette.fixedSizeBinary(16);
		case 'fixed':
			return flechette.fixedSizeBinary(type.length);
		case 'binary':
		case 'geometry':
		case 'geography':
			return flechette.binary();
		case 'variant':
			return flechette.struct([
				flechette.field('metadata', flechette.binary(), false) as Field,
				flechette.field('value', flechette.binary(), false) as Field,
			]);
		case 'unknown':
			return flechette.nullType();
		case 'struct':
			return flechette.struct(arrowFieldsOf(flechette, type.fields));
		case 'list':
			return flechette.list(arrowField(flechette, 'element', type.element, !type.elementRequired, type.elementId));
		case 'map':
			return flechette.map(
				arrowField(flechette, 'key', type.key, false, type.keyId),
				arrowField(flechette, 'value', type.value, !type.valueRequired, type.valueId),
			);
		case 'unsupported':
			throw new IcebergError('UNSUPPORTED', `this version does not know the type ${typeToString(type)}`);
	}
}

/**
 * The Iceberg fields that hold an Arrow table's columns without loss; ids count up from 1, columns first, then nested
 * ones. Arrow's nullability becomes `required`. Unsigned 64-bit integers become `decimal(20, 0)`, seconds and milliseconds
 * microseconds, dates in milliseconds whole days (others are refused when the values are read).
 * @throws `INVALID_ARGUMENT` for what is no Arrow data; `INVALID_SCHEMA` for types without a counterpart, naming the column
 */
export function schemaFromArrow(input: unknown): NestedField[] {
	const source = arrowSourceOf(input);
	if (source === undefined) throw new IcebergError('INVALID_ARGUMENT', 'this is no Arrow table or record batch');
	const ids = { next: source.fields.length + 1 };
	return source.fields.map((field, i) => ({
		id: i + 1,
		name: field.name,
		required: !field.nullable && field.type.id !== ARROW.null,
		type: icebergType(field.type, field.name, ids),
	}));
}

function icebergType(type: ArrowType, path: string, ids: { next: number }): Type {
	const simple = icebergPrimitive(type);
	if (simple !== undefined) return simple;
	switch (type.id) {
		case ARROW.dictionary:
			if (type.dictionary !== undefined) return icebergType(type.dictionary, path, ids);
			break;
		case ARROW.struct: {
			const first = ids.next;
			ids.next += type.children.length;
			return {
				kind: 'struct',
				fields: type.children.map((child, i) => ({
					id: first + i,
					name: child.name,
					required: !child.nullable && child.type.id !== ARROW.null,
					type: icebergType(child.type, `${path}.${child.name}`, ids),
				})),
			};
		}
		case ARROW.list:
		case ARROW.largeList:
		case ARROW.fixedSizeList:
		case ARROW.listView:
		case ARROW.largeListView: {
			const element = type.children[0] as ArrowField;
			const elementId = ids.next++;
			return {
				kind: 'list',
				elementId,
				elementRequired: !element.nullable && element.type.id !== ARROW.null,
				element: icebergType(element.type, `${path}.element`, ids),
			};
		}
		case ARROW.map: {
			const [key, value] = (type.children[0] as ArrowField).type.children as [ArrowField, ArrowField];
			const keyId = ids.next++;
			const valueId = ids.next++;
			return {
				kind: 'map',
				keyId,
				key: icebergType(key.type, `${path}.key`, ids),
				valueId,
				valueRequired: !value.nullable && value.type.id !== ARROW.null,
				value: icebergType(value.type, `${path}.value`, ids),
			};
		}
		default:
	}
	throw new IcebergError('INVALID_SCHEMA', `column '${path}': Iceberg has no type for Arrow's ${arrowTypeText(type)}`, {
		context: { column: path, type: arrowTypeText(type) },
	});
}

const NS = 3;

function icebergPrimitive(type: ArrowType): Type | undefined {
	switch (type.id) {
		case ARROW.null:
			return { kind: 'unknown' };
		case ARROW.bool:
			return { kind: 'boolean' };
		case ARROW.int:
			if (type.bitWidth < 32 || (type.bitWidth === 32 && type.signed)) return { kind: 'int' };
			return type.bitWidth === 32 || type.signed ? { kind: 'long' } : { kind: 'decimal', precision: 20, scale: 0 };
		case ARROW.float:
			return { kind: type.precision === 2 ? 'double' : 'float' };
		case ARROW.decimal:
			// scales outside of 0 to the precision have no counterpart
			return type.precision <= 38 && type.scale >= 0 && type.scale <= type.precision
				? { kind: 'decimal', precision: type.precision, scale: type.scale }
				: undefined;
		case ARROW.date:
			return { kind: 'date' };
		case ARROW.time:
			return type.unit === NS ? undefined : { kind: 'time' };
		case ARROW.timestamp:
			if (type.unit === NS) return { kind: type.timezone === '' ? 'timestamp_ns' : 'timestamptz_ns' };
			return { kind: type.timezone === '' ? 'timestamp' : 'timestamptz' };
		case ARROW.utf8:
		case ARROW.largeUtf8:
		case ARROW.utf8View:
			return { kind: 'string' };
		case ARROW.binary:
		case ARROW.largeBinary:
		case ARROW.binaryView:
			return { kind: 'binary' };
		case ARROW.fixedSizeBinary:
			return { kind: 'fixed', length: type.stride };
		default:
			return undefined;
	}
}
