/** Fields and types of an IPC schema (Arrow format: Schema.fbs). */
import { IcebergError } from '../errors/iceberg-error.ts';
import { ARROW, type ArrowField, type ArrowType } from './arrow-node.ts';
import type { FlatTable } from './flatbuffer.ts';

/** Deepest nesting of types. */
const DEPTH_LIMIT = 64;
/** Most fields at all levels together: a field can be referred to many times by a small message. */
const FIELDS_LIMIT = 100_000;

/** The fields of a schema. @throws `RangeError` for an unsound one; `UNSUPPORTED` for big-endian data */
export function readArrowFields(schema: FlatTable): ArrowField[] {
	if (schema.int16(0) !== 0) throw new IcebergError('UNSUPPORTED', 'Arrow IPC with big-endian numbers');
	return readFields(schema, 1, 0, { left: FIELDS_LIMIT });
}

function readFields(owner: FlatTable, index: number, depth: number, budget: { left: number }): ArrowField[] {
	if (depth > DEPTH_LIMIT) throw new RangeError(`types nested deeper than ${DEPTH_LIMIT}`);
	const fields: ArrowField[] = [];
	for (const field of owner.tables(index)) {
		if (--budget.left < 0) throw new RangeError(`more than ${FIELDS_LIMIT} fields`);
		const children = readFields(field, 5, depth + 1, budget);
		const type = readType(field.uint8(2), field.table(3), children);
		const dictionary = field.table(4);
		fields.push({
			name: field.text(0),
			nullable: field.uint8(1) !== 0,
			type: dictionary === undefined ? type : dictionaryOf(type, dictionary),
		});
	}
	return fields;
}

const PLAIN = { bitWidth: 0, signed: true, precision: 0, scale: 0, unit: 0, timezone: '', stride: 0 } as const;

/** Of a dictionary, `bitWidth` and `signed` are those of its indices. */
function dictionaryOf(type: ArrowType, encoding: FlatTable): ArrowType {
	const indices = encoding.table(1);
	return {
		...PLAIN,
		id: ARROW.dictionary,
		bitWidth: indices?.int32(0) ?? 32,
		signed: indices === undefined || indices.uint8(1) !== 0,
		children: [],
		dictionary: type,
		dictionaryId: encoding.int64(0),
	};
}

const MILLISECOND = 1;

function readType(id: number, table: FlatTable | undefined, children: readonly ArrowField[]): ArrowType {
	const type = { ...PLAIN, id, children };
	switch (id) {
		case ARROW.int:
			return { ...type, bitWidth: table?.int32(0) ?? 0, signed: table !== undefined && table.uint8(1) !== 0 };
		case ARROW.float:
			return { ...type, precision: table?.int16(0) ?? 0 };
		case ARROW.decimal:
			return {
				...type,
				precision: table?.int32(0) ?? 0,
				scale: table?.int32(1) ?? 0,
				bitWidth: table?.int32(2, 128) ?? 128,
			};
		case ARROW.date:
		case ARROW.duration:
			return { ...type, unit: table?.int16(0, MILLISECOND) ?? MILLISECOND };
		case ARROW.time:
			return { ...type, unit: table?.int16(0, MILLISECOND) ?? MILLISECOND, bitWidth: table?.int32(1, 32) ?? 32 };
		case ARROW.timestamp:
			return { ...type, unit: table?.int16(0) ?? 0, timezone: table?.text(1) ?? '' };
		case ARROW.interval:
			return { ...type, unit: table?.int16(0) ?? 0 };
		case ARROW.fixedSizeBinary:
		case ARROW.fixedSizeList: {
			const stride = table?.int32(0) ?? 0;
			if (stride < 0) throw new RangeError(`a width of ${stride}`);
			return { ...type, stride };
		}
		case ARROW.union:
			// mode: 0 sparse, 1 dense
			return { ...type, unit: table?.int16(0) ?? 0 };
		default:
			return type;
	}
}
