/**
 * Compiles a writer's Avro schema and a wanted Iceberg type to a function from bytes to engine values. Fields are
 * matched by field id at every level. Iceberg spec: Appendix A, Avro; Column Projection; Schema Evolution (promotions).
 */
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { ListType, MapType, NestedField, StructType, Type, Value } from '../../spec/types.ts';
import type { AvroCursor } from './cursor.ts';
import { compilePrimitive, type Decode } from './decode-primitive.ts';
import { AVRO_ZERO_WIDTH_LIMIT } from './limits.ts';
import { type AvroArray, type AvroField, type AvroRecord, type AvroSchema, asOptional, minimumSize } from './schema.ts';
import { compileSkip, type Skip } from './skip.ts';

export interface DecoderOptions {
	/** for messages */
	readonly location: string;
	/**
	 * The value of a wanted field that the file does not have. Default: its `initialDefault`, else null.
	 * Iceberg spec: Column Projection
	 */
	readonly missing?: (field: NestedField) => Value;
	/** Ids for a file that has none at all: the path of names to the id. Iceberg spec: Name Mapping Serialization */
	readonly nameToId?: (path: readonly string[]) => number | undefined;
}

/** Decodes rows of a file as values of `struct`, in the order of its fields. @throws `CORRUPT` where types do not fit */
export function compileStructDecoder(
	schema: AvroSchema,
	struct: StructType,
	options: DecoderOptions,
): (cursor: AvroCursor) => Value[] {
	if (schema.kind !== 'record') throw mismatch(options.location, 'rows', schema, struct);
	return new DecoderCompiler(schema, options).struct(schema, struct, []);
}

/** An error about a column of a file whose type is not what was expected. */
export function mismatch(location: string, name: string, schema: AvroSchema, type: Type): IcebergError {
	const found = 'logicalType' in schema ? `${schema.kind} (${schema.logicalType})` : schema.kind;
	return new IcebergError(
		'CORRUPT',
		`corrupt Avro file ${location}: '${name}' is of the Avro type ${found}, which cannot be read as ${type.kind}`,
		{ context: { location, column: name, found, expected: type.kind } },
	);
}

class DecoderCompiler {
	readonly #options: DecoderOptions;
	readonly #byName: ((path: readonly string[]) => number | undefined) | undefined;

	constructor(schema: AvroSchema, options: DecoderOptions) {
		this.#options = options;
		this.#byName = hasIds(schema, new Set()) ? undefined : options.nameToId;
	}

	struct(schema: AvroRecord, type: StructType, path: readonly string[]): (cursor: AvroCursor) => Value[] {
		const positions = new Map(type.fields.map((field, index) => [field.id, index]));
		const targets: number[] = [];
		const decoders: (Decode | undefined)[] = [];
		const skips: (Skip | undefined)[] = [];
		const found = new Set<number>();
		for (const field of schema.fields) {
			const fieldPath = [...path, field.icebergName];
			const id = this.#fieldId(field, fieldPath);
			const index = id === undefined ? undefined : positions.get(id);
			if (index === undefined || found.has(index)) {
				targets.push(-1);
				decoders.push(undefined);
				skips.push(compileSkip(field.type));
				continue;
			}
			found.add(index);
			const wanted = type.fields[index] as NestedField;
			targets.push(index);
			decoders.push(this.nullable(field.type, wanted.type, fieldPath, wanted.required));
			skips.push(undefined);
		}
		const template = type.fields.map((field, index): Value => {
			if (found.has(index)) return null;
			return this.#options.missing === undefined ? (field.initialDefault ?? null) : this.#options.missing(field);
		});
		const count = targets.length;
		return (cursor) => {
			const values = template.slice();
			for (let i = 0; i < count; i++) {
				const decode = decoders[i];
				if (decode === undefined) (skips[i] as Skip)(cursor);
				else values[targets[i] as number] = decode(cursor);
			}
			return values;
		};
	}

	nullable(schema: AvroSchema, type: Type, path: readonly string[], required: boolean): Decode {
		if (type.kind === 'unknown') {
			const skip = compileSkip(schema);
			return (cursor) => {
				skip(cursor);
				return null;
			};
		}
		const optional = asOptional(schema);
		if (optional === undefined) {
			throw new IcebergError(
				'UNSUPPORTED',
				`the column '${path.join('.')}' of ${this.#options.location} is a union of several types, which Iceberg does not have`,
				{ context: { location: this.#options.location, column: path.join('.') } },
			);
		}
		const name = path.join('.');
		const nullError = (cursor: AvroCursor, position: number): IcebergError =>
			cursor.corrupt(`null in the required column '${name}'`, position);
		if (optional.type === undefined) {
			const inUnion = optional.nullBranch >= 0;
			return (cursor) => {
				const start = cursor.position;
				if (inUnion && cursor.readInt() !== 0) throw cursor.corrupt('a branch that the union does not have', start);
				if (required) throw nullError(cursor, start);
				return null;
			};
		}
		const decode = this.#value(optional.type, type, path);
		const { nullBranch, valueBranch } = optional;
		if (valueBranch < 0) return decode;
		return (cursor) => {
			const start = cursor.position;
			const branch = cursor.readInt();
			if (branch === valueBranch) return decode(cursor);
			if (branch !== nullBranch) throw cursor.corrupt('a branch that the union does not have', start);
			if (required) throw nullError(cursor, start);
			return null;
		};
	}

	#value(schema: AvroSchema, type: Type, path: readonly string[]): Decode {
		const { location } = this.#options;
		switch (type.kind) {
			case 'struct':
				if (schema.kind === 'record') return this.struct(schema, type, path);
				break;
			case 'list':
				if (schema.kind === 'array') return this.#list(schema, type, path);
				break;
			case 'map':
				if (schema.kind === 'map') return this.#stringMap(schema.values, type, path);
				if (schema.kind === 'array') return this.#pairs(schema, type, path);
				break;
			case 'variant':
				if (schema.kind === 'record') return this.#variant(schema, path);
				break;
			default: {
				const decode = compilePrimitive(schema, type);
				if (decode !== undefined) return decode;
			}
		}
		throw mismatch(location, path.join('.'), schema, type);
	}

	#list(schema: AvroArray, type: ListType, path: readonly string[]): Decode {
		const size = minimumSize(schema.items);
		const element = this.nullable(schema.items, type.element, [...path, 'element'], type.elementRequired);
		return (cursor) => {
			const values: Value[] = [];
			for (let count = cursor.readBlockCount(size); count > 0; count = cursor.readBlockCount(size)) {
				if (size === 0 && values.length + count > AVRO_ZERO_WIDTH_LIMIT) {
					throw cursor.corrupt(`a list of more than ${AVRO_ZERO_WIDTH_LIMIT} nulls`);
				}
				for (let i = 0; i < count; i++) values.push(element(cursor));
			}
			return values;
		};
	}

	#stringMap(valueSchema: AvroSchema, type: MapType, path: readonly string[]): Decode {
		const key = this.#value({ kind: 'string' }, type.key, [...path, 'key']);
		const value = this.nullable(valueSchema, type.value, [...path, 'value'], type.valueRequired);
		return pairsDecoder(1 + minimumSize(valueSchema), key, value);
	}

	/** An array of records of a key and a value. Iceberg spec: Appendix A, Avro, `map` */
	#pairs(schema: AvroArray, type: MapType, path: readonly string[]): Decode {
		const record = schema.items;
		const [keyField, valueField] = record.kind === 'record' ? record.fields : [];
		if (record.kind !== 'record' || record.fields.length !== 2 || keyField === undefined || valueField === undefined) {
			throw mismatch(this.#options.location, path.join('.'), schema, type);
		}
		const key = this.nullable(keyField.type, type.key, [...path, 'key'], true);
		const value = this.nullable(valueField.type, type.value, [...path, 'value'], type.valueRequired);
		return pairsDecoder(minimumSize(record), key, value);
	}

	#variant(schema: AvroRecord, path: readonly string[]): Decode {
		const parts = schema.fields.map((field) => {
			const part = field.name === 'metadata' || field.name === 'value' ? field.name : undefined;
			return { part, skip: compileSkip(field.type), binary: field.type.kind === 'bytes' };
		});
		for (const name of ['metadata', 'value']) {
			if (!parts.some((part) => part.part === name && part.binary)) {
				throw mismatch(this.#options.location, path.join('.'), schema, { kind: 'variant' });
			}
		}
		const empty = new Uint8Array(0);
		return (cursor) => {
			let metadata: Uint8Array = empty;
			let value: Uint8Array = empty;
			for (const { part, skip } of parts) {
				if (part === 'metadata') metadata = cursor.readBytes();
				else if (part === 'value') value = cursor.readBytes();
				else skip(cursor);
			}
			return { metadata, value };
		};
	}

	#fieldId(field: AvroField, path: readonly string[]): number | undefined {
		return field.fieldId ?? this.#byName?.(path);
	}
}

function pairsDecoder(minimum: number, key: Decode, value: Decode): Decode {
	const size = Math.max(1, minimum);
	return (cursor) => {
		const pairs: [Value, Value][] = [];
		for (let count = cursor.readBlockCount(size); count > 0; count = cursor.readBlockCount(size)) {
			for (let i = 0; i < count; i++) pairs.push([key(cursor), value(cursor)]);
		}
		return pairs;
	};
}

function hasIds(schema: AvroSchema, seen: Set<AvroSchema>): boolean {
	if (seen.has(schema)) return false;
	seen.add(schema);
	switch (schema.kind) {
		case 'record':
			return schema.fields.some((field) => field.fieldId !== undefined || hasIds(field.type, seen));
		case 'array':
			return schema.elementId !== undefined || hasIds(schema.items, seen);
		case 'map':
			return schema.keyId !== undefined || schema.valueId !== undefined || hasIds(schema.values, seen);
		case 'union':
			return schema.branches.some((branch) => hasIds(branch, seen));
		default:
			return false;
	}
}
