/** Iceberg types as Avro schemas with Iceberg's attributes. Iceberg spec: Appendix A, Avro. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { NestedField, PrimitiveType, StructType, Type } from '../../spec/types.ts';

/** Avro schema as JSON. */
export type AvroJson = string | AvroJson[] | { [key: string]: AvroJson | number | boolean | null };

/**
 * A record schema for a struct. Nested records are named `r<field id>`, optional fields are unions with null and default
 * to it; names that Avro does not allow are sanitised, the original stands in `iceberg-field-name`.
 * @throws `UNSUPPORTED` for a type that this version does not know
 */
export function avroSchemaOf(struct: StructType, recordName: string): AvroJson {
	return new SchemaWriter().record(struct, recordName);
}

/** Fewest bytes that hold each decimal of a precision (1 to 38) in two's complement. */
export function decimalBytes(precision: number): number {
	return Math.ceil((precision * Math.log2(10) + 1) / 8);
}

/** The name as it is, if Avro allows it; else with other characters as `_x` and their code in hexadecimal. */
export function sanitizeAvroName(name: string): string {
	if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
	let sanitized = '';
	for (let i = 0; i < name.length; i++) {
		const char = name[i] as string;
		if (/[A-Za-z_]/.test(char)) sanitized += char;
		else if (/[0-9]/.test(char)) sanitized += i === 0 ? `_${char}` : char;
		else sanitized += `_x${char.charCodeAt(0).toString(16).toUpperCase()}`;
	}
	return sanitized === '' ? '_' : sanitized;
}

class SchemaWriter {
	/** Avro names are defined once in a file; readers that do not resolve references get a name each. */
	readonly #names = new Set<string>();

	record(struct: StructType, name: string): AvroJson {
		const fieldNames = new Set<string>();
		return {
			type: 'record',
			name: this.#unique(name),
			fields: struct.fields.map((field) => this.#field(field, fieldNames)),
		};
	}

	#field(field: NestedField, taken: Set<string>): AvroJson {
		let name = sanitizeAvroName(field.name);
		if (taken.has(name)) name = `${name}_${field.id}`;
		taken.add(name);
		const type = this.#type(field.type, field.id);
		return {
			name,
			type: field.required ? type : optional(type),
			...(field.doc === undefined ? {} : { doc: field.doc }),
			...(field.required ? {} : { default: null }),
			'field-id': field.id,
			...(name === field.name ? {} : { 'iceberg-field-name': field.name }),
		};
	}

	#type(type: Type, id: number): AvroJson {
		switch (type.kind) {
			case 'struct':
				return this.record(type, `r${id}`);
			case 'list': {
				const element = this.#type(type.element, type.elementId);
				return {
					type: 'array',
					items: type.elementRequired ? element : optional(element),
					'element-id': type.elementId,
				};
			}
			case 'map': {
				const key = this.#type(type.key, type.keyId);
				const value = this.#type(type.value, type.valueId);
				const valueType = type.valueRequired ? value : optional(value);
				if (type.key.kind === 'string') {
					return { type: 'map', values: valueType, 'key-id': type.keyId, 'value-id': type.valueId };
				}
				return {
					type: 'array',
					items: {
						type: 'record',
						name: this.#unique(`k${type.keyId}_v${type.valueId}`),
						fields: [
							{ name: 'key', type: key, 'field-id': type.keyId },
							{
								name: 'value',
								type: valueType,
								...(type.valueRequired ? {} : { default: null }),
								'field-id': type.valueId,
							},
						],
					},
					logicalType: 'map',
				};
			}
			default:
				return this.#primitive(type, id);
		}
	}

	#primitive(type: PrimitiveType, id: number): AvroJson {
		switch (type.kind) {
			case 'boolean':
			case 'int':
			case 'long':
			case 'float':
			case 'double':
			case 'string':
				return type.kind;
			case 'unknown':
				return 'null';
			case 'binary':
			case 'geometry':
			case 'geography':
				return 'bytes';
			case 'date':
				return { type: 'int', logicalType: 'date' };
			case 'time':
				return { type: 'long', logicalType: 'time-micros' };
			case 'timestamp':
			case 'timestamptz':
				return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': type.kind === 'timestamptz' };
			case 'timestamp_ns':
			case 'timestamptz_ns':
				return { type: 'long', logicalType: 'timestamp-nanos', 'adjust-to-utc': type.kind === 'timestamptz_ns' };
			case 'uuid':
				return { type: 'fixed', name: this.#unique('uuid_fixed', id), size: 16, logicalType: 'uuid' };
			case 'fixed':
				return { type: 'fixed', name: this.#unique(`fixed_${type.length}`, id), size: type.length };
			case 'decimal':
				return {
					type: 'fixed',
					name: this.#unique(`decimal_${type.precision}_${type.scale}`, id),
					size: decimalBytes(type.precision),
					logicalType: 'decimal',
					precision: type.precision,
					scale: type.scale,
				};
			case 'variant':
				return {
					type: 'record',
					name: this.#unique(`r${id}`),
					logicalType: 'variant',
					fields: [
						{ name: 'metadata', type: 'bytes' },
						{ name: 'value', type: 'bytes' },
					],
				};
			case 'unsupported':
				throw new IcebergError('UNSUPPORTED', `the column ${id} is of a type that cannot be written to Avro`, {
					context: { fieldId: id },
				});
		}
	}

	#unique(name: string, id?: number): string {
		const candidate = this.#names.has(name) && id !== undefined ? `${name}_${id}` : name;
		if (this.#names.has(candidate)) {
			throw new IcebergError('INVALID_SCHEMA', `two types of an Avro file would be named '${candidate}'`, {
				context: { name: candidate },
			});
		}
		this.#names.add(candidate);
		return candidate;
	}
}

/** `unknown` is null already, and a union may hold null once. */
function optional(type: AvroJson): AvroJson {
	return type === 'null' ? type : ['null', type];
}
