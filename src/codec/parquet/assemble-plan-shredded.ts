/** Which leaves of a shredded variant to read, and what they mean. Parquet spec: Variant Shredding. */
import { VARIANT_PRIMITIVE } from '../../column/variant-encode.ts';
import type { IcebergError } from '../../errors/iceberg-error.ts';
import type { StructType, Type } from '../../spec/types.ts';
import { leafAssembler } from './assemble-leaf.ts';
import type { ReadNode } from './assemble-nodes.ts';
import type { ShreddedPrimitive, ShreddedShape, ShreddedType } from './decode-variant-shredded.ts';
import { PhysicalType, Repetition, type SchemaElement } from './format.ts';
import { logicalTypeOf, type SchemaNode } from './schema-mapping-file.ts';

/** Where leaves are entered to be read. */
export interface LeafRegistry {
	/** A leaf that is read with its values. */
	leaf(node: SchemaNode, slotLevel: number): number;
	/** A leaf at or below a node, whose levels are read. */
	levelsBelow(node: SchemaNode, slotLevel: number): number;
}

export interface ShreddedPlan {
	/** a struct of `value` and `typed_value`, as far as they are there */
	readonly group: ReadNode;
	readonly shape: ShreddedShape;
}

const BINARY: Type = { kind: 'binary' };
const NO_FIELDS: StructType = { kind: 'struct', fields: [] };

/**
 * @param node the group of `value` and `typed_value`
 * @param slotLevel definition level of the innermost repeated node above
 * @param fail makes the error for a group that is no valid shredding
 * @throws what `fail` makes
 */
export function planShredded(
	registry: LeafRegistry,
	node: SchemaNode,
	slotLevel: number,
	fail: (problem: string) => IcebergError,
): ShreddedPlan {
	if (node.leafIndex >= 0) throw fail(`${node.path.join('.')} is no group`);
	const children: ReadNode[] = [];
	const value = childOf(node, 'value');
	const typedNode = childOf(node, 'typed_value');
	if (value !== undefined) {
		const assemble = leafAssembler(value.element, BINARY, BINARY);
		if (value.element.type !== PhysicalType.BYTE_ARRAY || assemble === undefined)
			throw fail(`${value.path.join('.')} is not binary`);
		children.push({ kind: 'leaf', leaf: registry.leaf(value, slotLevel), assemble });
	}
	let typed: ShreddedType | undefined;
	if (typedNode !== undefined) {
		const found = planTyped(registry, typedNode, slotLevel, fail);
		children.push(found.node);
		typed = found.typed;
	}
	return {
		group: structNode(registry, node, slotLevel, children),
		shape: {
			value: value === undefined ? -1 : 0,
			typedValue: typed === undefined ? -1 : children.length - 1,
			typed,
		},
	};
}

function planTyped(
	registry: LeafRegistry,
	node: SchemaNode,
	slotLevel: number,
	fail: (problem: string) => IcebergError,
): { node: ReadNode; typed: ShreddedType } {
	if (node.element.repetition === Repetition.REPEATED) throw fail(`${node.path.join('.')} is repeated`);
	if (node.leafIndex >= 0) {
		const found = primitiveOf(node.element);
		const assemble = found === undefined ? undefined : leafAssembler(node.element, found.type, found.type);
		if (found === undefined || assemble === undefined)
			throw fail(`${node.path.join('.')} is of a type that no variant has`);
		return {
			node: { kind: 'leaf', leaf: registry.leaf(node, slotLevel), assemble },
			typed: { kind: 'primitive', primitive: found.primitive },
		};
	}
	if (logicalTypeOf(node.element)?.kind === 'list') {
		const repeated = node.children[0];
		const elementNode = repeated?.children[0];
		if (
			node.children.length !== 1 ||
			repeated?.element.repetition !== Repetition.REPEATED ||
			repeated.children.length !== 1 ||
			elementNode === undefined ||
			elementNode.element.repetition === Repetition.REPEATED
		) {
			throw fail(`${node.path.join('.')} is no list of three levels`);
		}
		const level = repeated.definitionLevel;
		const { group, shape } = planShredded(registry, elementNode, level, fail);
		return {
			node: {
				kind: 'list',
				type: { kind: 'list', elementId: 0, elementRequired: false, element: NO_FIELDS },
				definitionLevel: node.definitionLevel,
				elementDefinitionLevel: level,
				elementRepetitionLevel: repeated.repetitionLevel,
				levelsOf: registry.levelsBelow(repeated, level),
				element: group,
			},
			typed: { kind: 'array', element: shape },
		};
	}
	const children: ReadNode[] = [];
	const fields = node.children.map((child) => {
		if (child.element.repetition === Repetition.REPEATED) throw fail(`${child.path.join('.')} is repeated`);
		const { group, shape } = planShredded(registry, child, slotLevel, fail);
		children.push(group);
		return { name: child.element.name, shape };
	});
	return { node: structNode(registry, node, slotLevel, children), typed: { kind: 'object', fields } };
}

function structNode(
	registry: LeafRegistry,
	node: SchemaNode,
	slotLevel: number,
	children: readonly ReadNode[],
): ReadNode {
	const { definitionLevel } = node;
	return {
		kind: 'struct',
		type: NO_FIELDS,
		definitionLevel,
		levelsOf: definitionLevel > slotLevel ? registry.levelsBelow(node, slotLevel) : undefined,
		children,
	};
}

function childOf(node: SchemaNode, name: string): SchemaNode | undefined {
	return node.children.find((child) => child.element.name === name);
}

/** Parquet spec: Variant Shredding, table of shredded value types. `undefined` for what may not be shredded. */
function primitiveOf(element: SchemaElement): { type: Type; primitive: ShreddedPrimitive } | undefined {
	const { type: physical } = element;
	const logical = logicalTypeOf(element);
	const made = (type: Type, id: number, width: number, scale = 0): { type: Type; primitive: ShreddedPrimitive } => ({
		type,
		primitive: { id, width, scale },
	});
	switch (logical?.kind) {
		case undefined:
			return plainPrimitiveOf(physical);
		case 'integer':
			return integerOf(physical, logical.bitWidth, logical.isSigned);
		case 'decimal': {
			const { precision, scale } = logical;
			if (precision < 1 || precision > 38 || scale < 0 || scale > precision) return undefined;
			const type: Type = { kind: 'decimal', precision, scale };
			if (physical === PhysicalType.INT32) return made(type, VARIANT_PRIMITIVE.decimal4, 5, scale);
			if (physical === PhysicalType.INT64) return made(type, VARIANT_PRIMITIVE.decimal8, 9, scale);
			const isBytes = physical === PhysicalType.FIXED_LEN_BYTE_ARRAY || physical === PhysicalType.BYTE_ARRAY;
			return isBytes ? made(type, VARIANT_PRIMITIVE.decimal16, 17, scale) : undefined;
		}
		case 'date':
			return physical === PhysicalType.INT32 ? made({ kind: 'date' }, VARIANT_PRIMITIVE.date, 4) : undefined;
		case 'time':
			if (logical.unit !== 'micros' || physical !== PhysicalType.INT64) return undefined;
			return made({ kind: 'time' }, VARIANT_PRIMITIVE.time, 8);
		case 'timestamp': {
			if (logical.unit === 'millis' || physical !== PhysicalType.INT64) return undefined;
			const isUtc = logical.isAdjustedToUtc;
			if (logical.unit === 'nanos') {
				return isUtc
					? made({ kind: 'timestamptz_ns' }, VARIANT_PRIMITIVE.timestamptzNanos, 8)
					: made({ kind: 'timestamp_ns' }, VARIANT_PRIMITIVE.timestampntzNanos, 8);
			}
			return isUtc
				? made({ kind: 'timestamptz' }, VARIANT_PRIMITIVE.timestamptz, 8)
				: made({ kind: 'timestamp' }, VARIANT_PRIMITIVE.timestampntz, 8);
		}
		case 'string':
			return physical === PhysicalType.BYTE_ARRAY ? made(BINARY, VARIANT_PRIMITIVE.string, 0) : undefined;
		case 'uuid':
			if (physical !== PhysicalType.FIXED_LEN_BYTE_ARRAY || element.typeLength !== 16) return undefined;
			return made({ kind: 'uuid' }, VARIANT_PRIMITIVE.uuid, 16);
		default:
			return undefined;
	}
}

function plainPrimitiveOf(physical: number | undefined): { type: Type; primitive: ShreddedPrimitive } | undefined {
	const made = (kind: 'boolean' | 'float' | 'double' | 'binary', id: number, width: number) => ({
		type: { kind },
		primitive: { id, width, scale: 0 },
	});
	switch (physical) {
		case PhysicalType.BOOLEAN:
			return made('boolean', VARIANT_PRIMITIVE.true, 0);
		case PhysicalType.INT32:
			return integerOf(physical, 32, true);
		case PhysicalType.INT64:
			return integerOf(physical, 64, true);
		case PhysicalType.FLOAT:
			return made('float', VARIANT_PRIMITIVE.float, 4);
		case PhysicalType.DOUBLE:
			return made('double', VARIANT_PRIMITIVE.double, 8);
		case PhysicalType.BYTE_ARRAY:
			return made('binary', VARIANT_PRIMITIVE.binary, 0);
		default:
			return undefined;
	}
}

function integerOf(
	physical: number | undefined,
	bitWidth: number,
	isSigned: boolean,
): { type: Type; primitive: ShreddedPrimitive } | undefined {
	if (!isSigned || physical !== (bitWidth === 64 ? PhysicalType.INT64 : PhysicalType.INT32)) return undefined;
	const id = {
		8: VARIANT_PRIMITIVE.int8,
		16: VARIANT_PRIMITIVE.int16,
		32: VARIANT_PRIMITIVE.int32,
		64: VARIANT_PRIMITIVE.int64,
	}[bitWidth];
	if (id === undefined) return undefined;
	return { type: { kind: bitWidth === 64 ? 'long' : 'int' }, primitive: { id, width: bitWidth / 8, scale: 0 } };
}
