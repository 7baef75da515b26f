/**
 * An Iceberg schema as a Parquet schema, with field ids at every level, and as the tree that the writer walks.
 * Iceberg spec: Parquet (Appendix A), Data Type Mappings.
 */
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { Schema } from '../../spec/schema.ts';
import { schemaToJson } from '../../spec/schema-json.ts';
import { typeToString } from '../../spec/type-text.ts';
import type { NestedField, Type } from '../../spec/types.ts';
import { stringifyJson } from '../../util/json.ts';
import { ConvertedType, EDGE_ALGORITHMS, PhysicalType, Repetition, type SchemaElement } from './format.ts';

/** How values of a leaf compare in statistics; `none`: no min and max are kept. */
export type StatisticsOrder = 'signed' | 'float' | 'unsigned-bytes' | 'signed-bytes' | 'none';

/** A column of the file. */
export interface WriteLeaf {
	readonly index: number;
	/** the Iceberg type; `binary` for the parts of a variant */
	readonly type: Type;
	/** absent for the parts of a variant */
	readonly fieldId: number | undefined;
	readonly physical: PhysicalType;
	/** bytes of a FIXED_LEN_BYTE_ARRAY, else 0 */
	readonly typeLength: number;
	readonly path: readonly string[];
	readonly maxDefinitionLevel: number;
	readonly maxRepetitionLevel: number;
	readonly order: StatisticsOrder;
	/** the variant column that this leaf stands for in the metrics: set on its `metadata` */
	readonly variantFieldId: number | undefined;
}

interface WriteNodeBase {
	/** the Iceberg name in full, for messages */
	readonly name: string;
	readonly optional: boolean;
}
/** A field of the schema that is stored. Levels follow from walking down: an optional node and a repetition add one each. */
export type WriteNode =
	| (WriteNodeBase & { readonly shape: 'leaf'; readonly leaf: WriteLeaf })
	| (WriteNodeBase & { readonly shape: 'struct'; readonly children: readonly WriteChild[] })
	| (WriteNodeBase & { readonly shape: 'list'; readonly element: WriteNode })
	| (WriteNodeBase & { readonly shape: 'map'; readonly key: WriteNode; readonly value: WriteNode })
	| (WriteNodeBase & { readonly shape: 'variant'; readonly metadata: WriteLeaf; readonly value: WriteLeaf });

export interface WriteChild {
	/** position among the struct's fields; fields of type `unknown` are not stored */
	readonly index: number;
	readonly node: WriteNode;
}

export interface WriteSchema {
	/** depth first, the root first */
	readonly elements: readonly SchemaElement[];
	readonly leaves: readonly WriteLeaf[];
	readonly columns: readonly WriteChild[];
	/** the Iceberg schema, as the file's key-value metadata carry it */
	readonly icebergJson: string;
}

/** @throws `UNSUPPORTED` for a struct or schema without any field that is stored, and for types that Parquet cannot hold */
export function writeSchemaOf(schema: Schema): WriteSchema {
	let found = writeSchemas.get(schema);
	if (found === undefined) {
		found = buildWriteSchema(schema);
		writeSchemas.set(schema, found);
	}
	return found;
}

/** Small appends write many files of one schema object. */
const writeSchemas = new WeakMap<Schema, WriteSchema>();

function buildWriteSchema(schema: Schema): WriteSchema {
	const elements: SchemaElement[] = [];
	const leaves: WriteLeaf[] = [];
	const builder = new Builder(elements, leaves);
	const stored = storedFields(schema.fields, 'the schema');
	elements.push({ name: 'table', numChildren: stored.length });
	const columns = builder.children(stored, [], '', 0, 0);
	return { elements, leaves, columns, icebergJson: stringifyJson(schemaToJson(schema)) };
}

/** Fewest bytes of a two's complement number of `precision` digits. */
export function decimalRequiredBytes(precision: number): number {
	const bits = (10n ** BigInt(precision)).toString(2).length + 1;
	return Math.ceil(bits / 8);
}

class Builder {
	readonly #elements: SchemaElement[];
	readonly #leaves: WriteLeaf[];

	constructor(elements: SchemaElement[], leaves: WriteLeaf[]) {
		this.#elements = elements;
		this.#leaves = leaves;
	}

	children(
		fields: readonly StoredField[],
		path: readonly string[],
		prefix: string,
		definitionLevel: number,
		repetitionLevel: number,
	): WriteChild[] {
		return fields.map(({ field, index }) => ({
			index,
			node: this.#node(
				field,
				path,
				prefix === '' ? field.name : `${prefix}.${field.name}`,
				definitionLevel,
				repetitionLevel,
			),
		}));
	}

	#node(
		field: NestedField,
		parentPath: readonly string[],
		name: string,
		parentDefinitionLevel: number,
		repetitionLevel: number,
	): WriteNode {
		const { type } = field;
		const optional = !field.required;
		const path = [...parentPath, field.name];
		const level = parentDefinitionLevel + (optional ? 1 : 0);
		const group = {
			name: field.name,
			repetition: optional ? Repetition.OPTIONAL : Repetition.REQUIRED,
			fieldId: field.id,
		};
		switch (type.kind) {
			case 'struct': {
				const stored = storedFields(type.fields, `column '${name}'`);
				this.#elements.push({ ...group, numChildren: stored.length });
				const children = this.children(stored, path, name, level, repetitionLevel);
				return { shape: 'struct', name, optional, children };
			}
			case 'list': {
				const annotation = { convertedType: ConvertedType.LIST, logicalType: { kind: 'list' } } as const;
				this.#elements.push({ ...group, ...annotation, numChildren: 1 });
				this.#elements.push({ name: 'list', repetition: Repetition.REPEATED, numChildren: 1 });
				const element = this.#part(
					{ id: type.elementId, name: 'element', required: type.elementRequired, type: type.element },
					[...path, 'list'],
					name,
					level + 1,
					repetitionLevel + 1,
				);
				return { shape: 'list', name, optional, element };
			}
			case 'map': {
				const annotation = { convertedType: ConvertedType.MAP, logicalType: { kind: 'map' } } as const;
				this.#elements.push({ ...group, ...annotation, numChildren: 1 });
				this.#elements.push({ name: 'key_value', repetition: Repetition.REPEATED, numChildren: 2 });
				const below = [...path, 'key_value'];
				const key = this.#part(
					{ id: type.keyId, name: 'key', required: true, type: type.key },
					below,
					name,
					level + 1,
					repetitionLevel + 1,
				);
				const value = this.#part(
					{ id: type.valueId, name: 'value', required: type.valueRequired, type: type.value },
					below,
					name,
					level + 1,
					repetitionLevel + 1,
				);
				return { shape: 'map', name, optional, key, value };
			}
			case 'variant': {
				this.#elements.push({
					...group,
					numChildren: 2,
					logicalType: { kind: 'variant', specificationVersion: 1 },
				});
				const part = (partName: string): WriteLeaf => {
					const repetition = Repetition.REQUIRED;
					this.#elements.push({ name: partName, type: PhysicalType.BYTE_ARRAY, repetition });
					return this.#addLeaf({
						type: { kind: 'binary' },
						fieldId: undefined,
						physical: PhysicalType.BYTE_ARRAY,
						typeLength: 0,
						path: [...path, partName],
						maxDefinitionLevel: level,
						maxRepetitionLevel: repetitionLevel,
						order: 'none',
						variantFieldId: partName === 'metadata' ? field.id : undefined,
					});
				};
				return { shape: 'variant', name, optional, metadata: part('metadata'), value: part('value') };
			}
			default: {
				const storage = storageOf(type, name);
				this.#elements.push({ ...group, ...storage.element });
				const leaf = this.#addLeaf({
					type,
					fieldId: field.id,
					physical: storage.element.type,
					typeLength: storage.element.typeLength ?? 0,
					path,
					maxDefinitionLevel: level,
					maxRepetitionLevel: repetitionLevel,
					order: storage.order,
					variantFieldId: undefined,
				});
				return { shape: 'leaf', name, optional, leaf };
			}
		}
	}

	/** A list's element or a map's key or value. */
	#part(
		field: NestedField,
		path: readonly string[],
		parentName: string,
		definitionLevel: number,
		repetitionLevel: number,
	): WriteNode {
		const name = `${parentName}.${field.name}`;
		if (field.type.kind === 'unknown') {
			throw new IcebergError('UNSUPPORTED', `'${name}' is of type unknown, which Parquet cannot hold in a list or map`);
		}
		return this.#node(field, path, name, definitionLevel, repetitionLevel);
	}

	#addLeaf(leaf: Omit<WriteLeaf, 'index'>): WriteLeaf {
		const added = { ...leaf, index: this.#leaves.length };
		this.#leaves.push(added);
		return added;
	}
}

interface StoredField {
	readonly field: NestedField;
	readonly index: number;
}

function storedFields(fields: readonly NestedField[], what: string): StoredField[] {
	const stored = fields.flatMap((field, index) => (field.type.kind === 'unknown' ? [] : [{ field, index }]));
	if (stored.length === 0) {
		throw new IcebergError('UNSUPPORTED', `${what} has no field that is stored, which Parquet cannot represent`);
	}
	return stored;
}

interface Storage {
	readonly element: Omit<SchemaElement, 'name' | 'type'> & { readonly type: PhysicalType };
	readonly order: StatisticsOrder;
}

function storageOf(type: Type, name: string): Storage {
	switch (type.kind) {
		case 'boolean':
			return { element: { type: PhysicalType.BOOLEAN }, order: 'signed' };
		case 'int':
			return { element: { type: PhysicalType.INT32 }, order: 'signed' };
		case 'long':
			return { element: { type: PhysicalType.INT64 }, order: 'signed' };
		case 'float':
			return { element: { type: PhysicalType.FLOAT }, order: 'float' };
		case 'double':
			return { element: { type: PhysicalType.DOUBLE }, order: 'float' };
		case 'date': {
			const logicalType = { kind: 'date' } as const;
			return {
				element: { type: PhysicalType.INT32, convertedType: ConvertedType.DATE, logicalType },
				order: 'signed',
			};
		}
		case 'time': {
			const logicalType = { kind: 'time', isAdjustedToUtc: false, unit: 'micros' } as const;
			return { element: { type: PhysicalType.INT64, logicalType }, order: 'signed' };
		}
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns': {
			const isAdjustedToUtc = type.kind.startsWith('timestamptz');
			const unit = type.kind.endsWith('_ns') ? 'nanos' : 'micros';
			// the old annotation means UTC, and there is none for nanoseconds
			const converted = isAdjustedToUtc && unit === 'micros' ? { convertedType: ConvertedType.TIMESTAMP_MICROS } : {};
			const logicalType = { kind: 'timestamp', isAdjustedToUtc, unit } as const;
			return { element: { type: PhysicalType.INT64, ...converted, logicalType }, order: 'signed' };
		}
		case 'decimal': {
			const { precision, scale } = type;
			const logicalType = { kind: 'decimal', precision, scale } as const;
			const annotation = { convertedType: ConvertedType.DECIMAL, precision, scale, logicalType };
			if (precision <= 9) return { element: { type: PhysicalType.INT32, ...annotation }, order: 'signed' };
			if (precision <= 18) return { element: { type: PhysicalType.INT64, ...annotation }, order: 'signed' };
			const typeLength = decimalRequiredBytes(precision);
			return {
				element: { type: PhysicalType.FIXED_LEN_BYTE_ARRAY, typeLength, ...annotation },
				order: 'signed-bytes',
			};
		}
		case 'string': {
			const logicalType = { kind: 'string' } as const;
			return {
				element: { type: PhysicalType.BYTE_ARRAY, convertedType: ConvertedType.UTF8, logicalType },
				order: 'unsigned-bytes',
			};
		}
		case 'uuid':
			return {
				element: { type: PhysicalType.FIXED_LEN_BYTE_ARRAY, typeLength: 16, logicalType: { kind: 'uuid' } },
				order: 'unsigned-bytes',
			};
		case 'fixed':
			return {
				element: { type: PhysicalType.FIXED_LEN_BYTE_ARRAY, typeLength: type.length },
				order: 'unsigned-bytes',
			};
		case 'binary':
			return { element: { type: PhysicalType.BYTE_ARRAY }, order: 'unsigned-bytes' };
		// Parquet gives no order to shapes, so they have no min and max
		case 'geometry':
			return {
				element: { type: PhysicalType.BYTE_ARRAY, logicalType: { kind: 'geometry', crs: type.crs } },
				order: 'none',
			};
		case 'geography': {
			const algorithm = (EDGE_ALGORITHMS as readonly string[]).indexOf(type.algorithm);
			if (algorithm < 0) {
				throw new IcebergError('UNSUPPORTED', `column '${name}': Parquet has no edge algorithm '${type.algorithm}'`);
			}
			return {
				element: {
					type: PhysicalType.BYTE_ARRAY,
					logicalType: { kind: 'geography', crs: type.crs, algorithm },
				},
				order: 'none',
			};
		}
		default:
			throw new IcebergError(
				'UNSUPPORTED',
				`column '${name}': type ${typeToString(type)} cannot be written to Parquet`,
			);
	}
}
