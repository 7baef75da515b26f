/**
 * A Parquet file's schema as Iceberg fields. Iceberg spec: Parquet (Appendix A); Parquet: LogicalTypes, with its rules
 * for lists and maps of older writers. What Iceberg has no type for becomes an `unsupported` type, so that the rest of
 * the file stays readable.
 */
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { NestedField, Type } from '../../spec/types.ts';
import type { NameToId } from './api.ts';
import {
	ConvertedType,
	EDGE_ALGORITHMS,
	type LogicalType,
	PhysicalType,
	Repetition,
	type SchemaElement,
} from './format.ts';

/** Deepest nesting of groups that is read. */
export const MAX_SCHEMA_DEPTH = 100;

/** An element of the schema tree with its place. Levels are cumulative from the root. */
export interface SchemaNode {
	readonly element: SchemaElement;
	/** names from below the root */
	readonly path: readonly string[];
	/** the definition level from which on this node is present */
	readonly definitionLevel: number;
	readonly repetitionLevel: number;
	readonly children: readonly SchemaNode[];
	/** position of a leaf among all leaves: the index of its chunk in each row group; -1 for groups */
	readonly leafIndex: number;
}

interface FileFieldBase {
	/** from the file or the name mapping; negative and unique where neither has one */
	readonly id: number;
	readonly name: string;
	readonly required: boolean;
	readonly type: Type;
	/** the leaf, or the group that is null when the value is null (the repeated node of an unannotated or 2-level list's element) */
	readonly node: SchemaNode;
}
export interface LeafField extends FileFieldBase {
	readonly shape: 'leaf';
}
export interface StructField extends FileFieldBase {
	readonly shape: 'struct';
	readonly children: readonly FileField[];
}
export interface ListField extends FileFieldBase {
	readonly shape: 'list';
	/** definition level from which on the list is there (maybe empty) */
	readonly definitionLevel: number;
	/** its definition level is that of an element (maybe null), its repetition level that of a next element */
	readonly repeated: SchemaNode;
	readonly element: FileField;
}
export interface MapField extends FileFieldBase {
	readonly shape: 'map';
	readonly definitionLevel: number;
	readonly repeated: SchemaNode;
	readonly key: FileField;
	readonly value: FileField;
}
export interface VariantField extends FileFieldBase {
	readonly shape: 'variant';
	readonly metadata: SchemaNode;
	/** absent when all is shredded */
	readonly value: SchemaNode | undefined;
	/** the shredded form */
	readonly typedValue: SchemaNode | undefined;
}
/** A leaf or group that cannot be read; `type` is `unsupported` and its `json` says what was found. */
export interface UnsupportedField extends FileFieldBase {
	readonly shape: 'unsupported';
}
/** A node of the file as a field of Iceberg. */
export type FileField = LeafField | StructField | ListField | MapField | VariantField | UnsupportedField;

export interface FileSchema {
	readonly root: SchemaNode;
	readonly leaves: readonly SchemaNode[];
	readonly fields: readonly FileField[];
	/** whether any element of the file has a field id */
	readonly hasIds: boolean;
}

/**
 * @param what names the file, for messages
 * @param nameMapping used only when no element has a field id
 * @throws `CORRUPT` for a tree that does not close, or without leaves' types
 */
export function fileSchemaOf(elements: readonly SchemaElement[], what: string, nameMapping?: NameToId): FileSchema {
	const { root, leaves } = schemaTreeOf(elements, what);
	const hasIds = elements.some((element) => (element.fieldId ?? -1) >= 0);
	let unknownIds = 0;
	const idOf = (element: SchemaElement, names: readonly string[]): number => {
		const id = hasIds ? element.fieldId : nameMapping?.(names);
		return id !== undefined && id >= 0 ? id : --unknownIds;
	};
	return { root, leaves, fields: root.children.map((child) => fieldOf(child, [child.element.name], idOf)), hasIds };
}

/** The Iceberg side of a file's field, without the Parquet one. */
export function toNestedField(field: FileField): NestedField {
	return { id: field.id, name: field.name, required: field.required, type: field.type };
}

/** The logical type of an element, from either of its two annotations. */
export function logicalTypeOf(element: SchemaElement): LogicalType | undefined {
	return element.logicalType ?? fromConvertedType(element);
}

function schemaTreeOf(
	elements: readonly SchemaElement[],
	what: string,
): { root: SchemaNode; leaves: readonly SchemaNode[] } {
	const leaves: SchemaNode[] = [];
	let next = 0;
	const fail = (problem: string): never => {
		throw new IcebergError('CORRUPT', `${what}: Parquet schema: ${problem}`, { context: { element: next - 1 } });
	};
	const take = (parent: SchemaNode | undefined, depth: number): SchemaNode => {
		const element = elements[next++] ?? fail('ends before all children are there');
		if (depth > MAX_SCHEMA_DEPTH) fail(`nesting deeper than ${MAX_SCHEMA_DEPTH}`);
		const repetition = parent === undefined ? Repetition.REQUIRED : element.repetition;
		if (repetition === undefined) fail(`'${element.name}' has no repetition`);
		const children: SchemaNode[] = [];
		const isLeaf = parent !== undefined && element.type !== undefined;
		const node: SchemaNode = {
			element,
			path: parent === undefined ? [] : [...parent.path, element.name],
			definitionLevel: (parent?.definitionLevel ?? 0) + (repetition === Repetition.REQUIRED ? 0 : 1),
			repetitionLevel: (parent?.repetitionLevel ?? 0) + (repetition === Repetition.REPEATED ? 1 : 0),
			children,
			leafIndex: isLeaf ? leaves.length : -1,
		};
		if (isLeaf) {
			if ((element.numChildren ?? 0) > 0) fail(`'${element.name}' is a leaf with children`);
			if (element.type === PhysicalType.FIXED_LEN_BYTE_ARRAY && element.typeLength === undefined) {
				fail(`'${element.name}' is fixed but has no length`);
			}
			leaves.push(node);
		} else {
			if (element.numChildren === undefined) fail(`'${element.name}' has neither a type nor children`);
			const count = element.numChildren ?? 0;
			if (count > elements.length - next) fail(`'${element.name}' should have ${count} children`);
			for (let i = 0; i < count; i++) children.push(take(node, depth + 1));
		}
		return node;
	};
	const root = take(undefined, 0);
	if (next !== elements.length) fail(`${elements.length - next} elements more than the tree takes`);
	return { root, leaves };
}

type IdOf = (element: SchemaElement, names: readonly string[]) => number;

/** A node where a field stands: one that is REPEATED by itself is a list of required elements. */
function fieldOf(node: SchemaNode, names: readonly string[], idOf: IdOf): FileField {
	const id = idOf(node.element, names);
	if (node.element.repetition !== Repetition.REPEATED) return valueOf(node, id, names, idOf);
	const elementNames = [...names, 'element'];
	const element = valueOf(node, idOf({ name: 'element' }, elementNames), elementNames, idOf);
	return {
		shape: 'list',
		id,
		name: node.element.name,
		required: true,
		type: listType(element),
		node,
		definitionLevel: node.definitionLevel - 1,
		repeated: node,
		element: { ...element, name: 'element' },
	};
}

/** A node as the value itself, whether or not its parent repeats it. */
function valueOf(node: SchemaNode, id: number, names: readonly string[], idOf: IdOf): FileField {
	const { element } = node;
	const base = {
		id,
		name: element.name,
		required: element.repetition !== Repetition.OPTIONAL,
		node,
	};
	if (node.leafIndex >= 0) {
		const type = leafType(element);
		return { ...base, type, shape: type.kind === 'unsupported' ? 'unsupported' : 'leaf' };
	}
	const logical = logicalTypeOf(element);
	if (logical?.kind === 'list') return listOf(node, names, idOf, base);
	if (logical?.kind === 'map') return mapOf(node, names, idOf, base);
	if (logical?.kind === 'variant') return variantOf(node, base);
	const children = node.children.map((child) => fieldOf(child, [...names, child.element.name], idOf));
	return { ...base, shape: 'struct', type: { kind: 'struct', fields: children.map(toNestedField) }, children };
}

type Base = Pick<FileFieldBase, 'id' | 'name' | 'required' | 'node'>;

function listOf(node: SchemaNode, names: readonly string[], idOf: IdOf, base: Base): FileField {
	const repeated = node.children[0];
	if (node.children.length !== 1 || repeated?.element.repetition !== Repetition.REPEATED) {
		return unsupported(base, 'a LIST that is not one repeated field');
	}
	const elementNames = [...names, 'element'];
	const only = repeated.children[0];
	const element =
		only === undefined || isTwoLevel(node, repeated)
			? valueOf(repeated, idOf(repeated.element, elementNames), elementNames, idOf)
			: fieldOf(only, elementNames, idOf);
	return {
		...base,
		shape: 'list',
		type: listType(element),
		definitionLevel: node.definitionLevel,
		repeated,
		element: { ...element, name: 'element' },
	};
}

/** Parquet: Lists, backward-compatibility rules: whether the repeated node is the element itself. */
function isTwoLevel(list: SchemaNode, repeated: SchemaNode): boolean {
	if (repeated.leafIndex >= 0 || repeated.children.length > 1) return true;
	const name = repeated.element.name;
	if (name === 'array' || name === `${list.element.name}_tuple`) return true;
	return repeated.children[0]?.element.repetition === Repetition.REPEATED;
}

function listType(element: FileField): Type {
	return { kind: 'list', elementId: element.id, elementRequired: element.required, element: element.type };
}

function mapOf(node: SchemaNode, names: readonly string[], idOf: IdOf, base: Base): FileField {
	const repeated = node.children[0];
	const [keyNode, valueNode] = repeated?.children ?? [];
	if (
		node.children.length !== 1 ||
		repeated?.element.repetition !== Repetition.REPEATED ||
		repeated.children.length !== 2 ||
		keyNode === undefined ||
		valueNode === undefined
	) {
		return unsupported(base, 'a MAP that is not one repeated group of key and value');
	}
	const key = fieldOf(keyNode, [...names, 'key'], idOf);
	const value = fieldOf(valueNode, [...names, 'value'], idOf);
	return {
		...base,
		shape: 'map',
		type: {
			kind: 'map',
			keyId: key.id,
			key: key.type,
			valueId: value.id,
			valueRequired: value.required,
			value: value.type,
		},
		definitionLevel: node.definitionLevel,
		repeated,
		key: { ...key, name: 'key' },
		value: { ...value, name: 'value' },
	};
}

function variantOf(node: SchemaNode, base: Base): FileField {
	const child = (name: string): SchemaNode | undefined => node.children.find((c) => c.element.name === name);
	const metadata = child('metadata');
	if (metadata?.element.type !== PhysicalType.BYTE_ARRAY) return unsupported(base, 'a VARIANT without metadata');
	const value = child('value');
	if (value !== undefined && value.element.type !== PhysicalType.BYTE_ARRAY) {
		return unsupported(base, 'a VARIANT whose value is not binary');
	}
	return {
		...base,
		shape: 'variant',
		type: { kind: 'variant' },
		metadata,
		value,
		typedValue: child('typed_value'),
	};
}

function unsupported(base: Base, found: string): UnsupportedField {
	return { ...base, shape: 'unsupported', type: unsupportedType(found) };
}

function unsupportedType(found: string): Type {
	return { kind: 'unsupported', json: `Parquet: ${found}` };
}

function leafType(element: SchemaElement): Type {
	const logical = logicalTypeOf(element);
	switch (logical?.kind) {
		case undefined:
		case 'interval':
		case 'map':
		case 'list':
		case 'variant':
			return physicalType(element);
		case 'string':
		case 'enum':
		case 'json':
			return typed(element, logical, { kind: 'string' }, PhysicalType.BYTE_ARRAY);
		case 'bson':
			return typed(element, logical, { kind: 'binary' }, PhysicalType.BYTE_ARRAY);
		case 'unknown':
			return { kind: 'unknown' };
		case 'date':
			return typed(element, logical, { kind: 'date' }, PhysicalType.INT32);
		case 'uuid':
			if (element.typeLength !== 16) return misfit(element, logical);
			return typed(element, logical, { kind: 'uuid' }, PhysicalType.FIXED_LEN_BYTE_ARRAY);
		case 'float16':
			if (element.typeLength !== 2) return misfit(element, logical);
			return typed(element, logical, { kind: 'float' }, PhysicalType.FIXED_LEN_BYTE_ARRAY);
		case 'decimal':
			return decimalType(element, logical);
		case 'time':
			return typed(
				element,
				logical,
				{ kind: 'time' },
				logical.unit === 'millis' ? PhysicalType.INT32 : PhysicalType.INT64,
			);
		case 'timestamp': {
			const nanos = logical.unit === 'nanos';
			const kind = logical.isAdjustedToUtc
				? nanos
					? 'timestamptz_ns'
					: 'timestamptz'
				: nanos
					? 'timestamp_ns'
					: 'timestamp';
			return typed(element, logical, { kind }, PhysicalType.INT64);
		}
		case 'integer':
			return integerType(element, logical);
		case 'geometry':
			return typed(element, logical, { kind: 'geometry', crs: logical.crs ?? DEFAULT_CRS }, PhysicalType.BYTE_ARRAY);
		case 'geography': {
			const algorithm = EDGE_ALGORITHMS[logical.algorithm ?? 0];
			if (algorithm === undefined) return unsupportedType(`GEOGRAPHY with the algorithm ${logical.algorithm}`);
			return typed(
				element,
				logical,
				{ kind: 'geography', crs: logical.crs ?? DEFAULT_CRS, algorithm },
				PhysicalType.BYTE_ARRAY,
			);
		}
		case 'unrecognised':
			return unsupportedType(`the logical type ${logical.id}`);
	}
}

const DEFAULT_CRS = 'OGC:CRS84';

function physicalType(element: SchemaElement): Type {
	switch (element.type) {
		case PhysicalType.BOOLEAN:
			return { kind: 'boolean' };
		case PhysicalType.INT32:
			return { kind: 'int' };
		case PhysicalType.INT64:
			return { kind: 'long' };
		case PhysicalType.INT96:
			return { kind: 'timestamptz' };
		case PhysicalType.FLOAT:
			return { kind: 'float' };
		case PhysicalType.DOUBLE:
			return { kind: 'double' };
		case PhysicalType.FIXED_LEN_BYTE_ARRAY:
			return { kind: 'fixed', length: element.typeLength ?? 0 };
		default:
			return { kind: 'binary' };
	}
}

function decimalType(element: SchemaElement, logical: LogicalType & { kind: 'decimal' }): Type {
	const { precision, scale } = logical;
	const fits =
		element.type === PhysicalType.INT32 ||
		element.type === PhysicalType.INT64 ||
		element.type === PhysicalType.FIXED_LEN_BYTE_ARRAY ||
		element.type === PhysicalType.BYTE_ARRAY;
	if (!fits) return misfit(element, logical);
	if (precision < 1 || precision > 38 || scale < 0 || scale > precision) {
		return unsupportedType(`DECIMAL(${precision}, ${scale})`);
	}
	return { kind: 'decimal', precision, scale };
}

function integerType(element: SchemaElement, logical: LogicalType & { kind: 'integer' }): Type {
	const { bitWidth, isSigned } = logical;
	if (bitWidth === 64) {
		// no integer type holds them all; 20 digits do
		if (!isSigned) return typed(element, logical, { kind: 'decimal', precision: 20, scale: 0 }, PhysicalType.INT64);
		return typed(element, logical, { kind: 'long' }, PhysicalType.INT64);
	}
	if (bitWidth !== 8 && bitWidth !== 16 && bitWidth !== 32) return unsupportedType(`INT of ${bitWidth} bits`);
	const kind = bitWidth === 32 && !isSigned ? 'long' : 'int';
	return typed(element, logical, { kind }, PhysicalType.INT32);
}

function typed(element: SchemaElement, logical: LogicalType, type: Type, physical: PhysicalType): Type {
	return element.type === physical ? type : misfit(element, logical);
}

function misfit(element: SchemaElement, logical: LogicalType): Type {
	return unsupportedType(`${logical.kind} stored as physical type ${element.type}`);
}

function fromConvertedType(element: SchemaElement): LogicalType | undefined {
	switch (element.convertedType) {
		case ConvertedType.UTF8:
			return { kind: 'string' };
		case ConvertedType.MAP:
		case ConvertedType.MAP_KEY_VALUE:
			return { kind: 'map' };
		case ConvertedType.LIST:
			return { kind: 'list' };
		case ConvertedType.ENUM:
			return { kind: 'enum' };
		case ConvertedType.DECIMAL:
			return { kind: 'decimal', precision: element.precision ?? 0, scale: element.scale ?? 0 };
		case ConvertedType.DATE:
			return { kind: 'date' };
		case ConvertedType.TIME_MILLIS:
			return { kind: 'time', isAdjustedToUtc: true, unit: 'millis' };
		case ConvertedType.TIME_MICROS:
			return { kind: 'time', isAdjustedToUtc: true, unit: 'micros' };
		case ConvertedType.TIMESTAMP_MILLIS:
			return { kind: 'timestamp', isAdjustedToUtc: true, unit: 'millis' };
		case ConvertedType.TIMESTAMP_MICROS:
			return { kind: 'timestamp', isAdjustedToUtc: true, unit: 'micros' };
		case ConvertedType.UINT_8:
		case ConvertedType.UINT_16:
		case ConvertedType.UINT_32:
		case ConvertedType.UINT_64:
			return { kind: 'integer', bitWidth: 8 << (element.convertedType - ConvertedType.UINT_8), isSigned: false };
		case ConvertedType.INT_8:
		case ConvertedType.INT_16:
		case ConvertedType.INT_32:
		case ConvertedType.INT_64:
			return { kind: 'integer', bitWidth: 8 << (element.convertedType - ConvertedType.INT_8), isSigned: true };
		case ConvertedType.JSON:
			return { kind: 'json' };
		case ConvertedType.BSON:
			return { kind: 'bson' };
		case ConvertedType.INTERVAL:
			return { kind: 'interval' };
		default:
			return undefined;
	}
}
