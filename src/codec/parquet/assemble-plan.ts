/**
 * What is wanted, matched to what the file has: which leaves to read, and how vectors are put together from them.
 * Iceberg spec: Column Projection; Schema Evolution.
 */
import { IcebergError } from '../../errors/iceberg-error.ts';
import { typeToString } from '../../spec/type-text.ts';
import type { ListType, MapType, NestedField, StructType, Type } from '../../spec/types.ts';
import type { ParquetProjection } from './api.ts';
import { leafAssembler } from './assemble-leaf.ts';
import type { LeafPlan, ReadNode, ReadPlan } from './assemble-nodes.ts';
import { type LeafRegistry, planShredded } from './assemble-plan-shredded.ts';
import { PhysicalType } from './format.ts';
import type { FileField, ListField, MapField, SchemaNode, StructField, VariantField } from './schema-mapping-file.ts';

/**
 * @param what names the file, for messages
 * @throws `UNSUPPORTED` for a column that the file has in a form that cannot become the wanted type, `CORRUPT` for a required column
 *   without default that the file lacks
 */
export function planRead(fields: readonly FileField[], projection: ParquetProjection, what: string): ReadPlan {
	const planner = new Planner(projection, what);
	const columns = planner.children(fields, projection.fields, '', 0);
	return { fields: projection.fields, columns, leaves: planner.leaves };
}

class Planner {
	readonly leaves: LeafPlan[] = [];
	readonly #byIndex = new Map<number, number>();
	readonly #defaults: ParquetProjection['defaults'];
	readonly #what: string;

	constructor(projection: ParquetProjection, what: string) {
		this.#defaults = projection.defaults;
		this.#what = what;
	}

	/** `slotLevel`: definition level of the innermost repeated node above. */
	children(found: readonly FileField[], wanted: readonly NestedField[], prefix: string, slotLevel: number): ReadNode[] {
		const byId = new Map<number, FileField>();
		for (const field of found) {
			if (byId.has(field.id))
				throw new IcebergError('CORRUPT', `${this.#what}: field id ${field.id} is there twice, in '${prefix}'`, {
					context: { fieldId: field.id },
				});
			byId.set(field.id, field);
		}
		return wanted.map((field) => {
			const path = prefix === '' ? field.name : `${prefix}.${field.name}`;
			const match = byId.get(field.id);
			return match === undefined ? this.#missing(field, path) : this.#node(match, field.type, path, slotLevel);
		});
	}

	#missing(field: NestedField, path: string): ReadNode {
		const value = this.#defaults?.(field) ?? null;
		if (value === null && field.required) {
			throw new IcebergError(
				'CORRUPT',
				`${this.#what}: the required column '${path}' (field id ${field.id}) is not in the file and has no default`,
				{ context: { column: path, fieldId: field.id } },
			);
		}
		return { kind: 'constant', type: field.type, value };
	}

	#node(found: FileField, wanted: Type, path: string, slotLevel: number): ReadNode {
		if (wanted.kind === 'unsupported') throw this.#mismatch(found, wanted, path);
		if (wanted.kind === 'unknown' || found.type.kind === 'unknown')
			return { kind: 'constant', type: wanted, value: null };
		if (found.shape === 'leaf') {
			const assemble = leafAssembler(found.node.element, found.type, wanted);
			if (assemble === undefined) throw this.#mismatch(found, wanted, path);
			return { kind: 'leaf', leaf: this.#leaf(found.node, slotLevel, true, false), assemble };
		}
		if (wanted.kind === 'struct' && found.shape === 'struct') return this.#struct(found, wanted, path, slotLevel);
		if (wanted.kind === 'list' && found.shape === 'list') return this.#list(found, wanted, path);
		if (wanted.kind === 'map' && found.shape === 'map') return this.#map(found, wanted, path);
		if (wanted.kind === 'variant') {
			const variant = found.shape === 'variant' ? found : unannotatedVariant(found);
			if (variant !== undefined) return this.#variant(variant, wanted, path, slotLevel);
		}
		throw this.#mismatch(found, wanted, path);
	}

	#struct(found: StructField, wanted: StructType, path: string, slotLevel: number): ReadNode {
		const children = this.children(found.children, wanted.fields, path, slotLevel);
		const { definitionLevel } = found.node;
		return {
			kind: 'struct',
			type: wanted,
			definitionLevel,
			levelsOf: definitionLevel > slotLevel ? this.#levelsBelow(found.node, slotLevel, path) : undefined,
			children,
		};
	}

	#list(found: ListField, wanted: ListType, path: string): ReadNode {
		const { definitionLevel, repetitionLevel } = found.repeated;
		const element = this.#node(found.element, wanted.element, `${path}.element`, definitionLevel);
		return {
			kind: 'list',
			type: wanted,
			definitionLevel: found.definitionLevel,
			elementDefinitionLevel: definitionLevel,
			elementRepetitionLevel: repetitionLevel,
			levelsOf: this.#levelsBelow(found.repeated, definitionLevel, path),
			element,
		};
	}

	#map(found: MapField, wanted: MapType, path: string): ReadNode {
		const { definitionLevel, repetitionLevel } = found.repeated;
		const key = this.#node(found.key, wanted.key, `${path}.key`, definitionLevel);
		const item = this.#node(found.value, wanted.value, `${path}.value`, definitionLevel);
		return {
			kind: 'map',
			type: wanted,
			definitionLevel: found.definitionLevel,
			elementDefinitionLevel: definitionLevel,
			elementRepetitionLevel: repetitionLevel,
			levelsOf: this.#levelsBelow(found.repeated, definitionLevel, path),
			key,
			item,
		};
	}

	#variant(found: VariantField, wanted: Type, path: string, slotLevel: number): ReadNode {
		const { definitionLevel } = found.node;
		const binary: Type = { kind: 'binary' };
		const part = (node: SchemaNode): ReadNode => {
			const assemble = leafAssembler(node.element, binary, binary);
			if (assemble === undefined) throw this.#mismatch(found, wanted, path);
			return { kind: 'leaf', leaf: this.#leaf(node, slotLevel, true, false), assemble };
		};
		const metadata = part(found.metadata);
		const base = {
			type: wanted,
			definitionLevel,
			metadata,
			levelsOf: definitionLevel > slotLevel ? this.#levelsBelow(found.node, slotLevel, path) : undefined,
		};
		if (found.value !== undefined && found.typedValue === undefined)
			return { kind: 'variant', ...base, value: part(found.value) };
		const registry: LeafRegistry = {
			leaf: (node, level) => this.#leaf(node, level, true, false),
			levelsBelow: (node, level) => this.#levelsBelow(node, level, path),
		};
		const plan = planShredded(
			registry,
			found.node,
			slotLevel,
			(problem) =>
				new IcebergError('UNSUPPORTED', `${this.#what}: the shredded variant '${path}' cannot be read: ${problem}`, {
					context: { column: path },
				}),
		);
		return { kind: 'shredded', ...base, ...plan };
	}

	/** Enters a leaf, or adds to what it is read for. */
	#leaf(node: SchemaNode, slotLevel: number, values: boolean, levels: boolean): number {
		const known = this.#byIndex.get(node.leafIndex);
		const plan = known === undefined ? undefined : this.leaves[known];
		if (known !== undefined && plan !== undefined) {
			plan.values ||= values;
			plan.levels ||= levels;
			return known;
		}
		this.#byIndex.set(node.leafIndex, this.leaves.length);
		return this.leaves.push({ node, slotLevel, values, levels }) - 1;
	}

	/**
	 * A leaf at or below `node` whose levels tell about `node`: one that is read anyway, else the one with the fewest lists
	 * in between.
	 */
	#levelsBelow(node: SchemaNode, slotLevel: number, path: string): number {
		const below = leavesBelow(node);
		const read = below.find((leaf) => this.#byIndex.has(leaf.leafIndex));
		const best =
			read ??
			below.reduce<SchemaNode | undefined>(
				(a, b) => (a === undefined || b.repetitionLevel < a.repetitionLevel ? b : a),
				undefined,
			);
		if (best === undefined)
			throw new IcebergError('UNSUPPORTED', `${this.#what}: column '${path}' is a group without any leaf`, {
				context: { column: path },
			});
		return this.#leaf(best, slotLevelOf(node, best, slotLevel), false, true);
	}

	#mismatch(found: FileField, wanted: Type, path: string): IcebergError {
		const detail = found.type.kind === 'unsupported' ? String(found.type.json) : typeToString(found.type);
		return new IcebergError(
			'UNSUPPORTED',
			`${this.#what}: column '${path}' is ${detail} in the file and cannot be read as ${typeToString(wanted)}`,
			{ context: { column: path, fieldId: found.id } },
		);
	}
}

/** A group of binary `metadata` and `value` that lacks the annotation, as older writers made it. */
function unannotatedVariant(found: FileField): VariantField | undefined {
	if (found.shape !== 'struct') return undefined;
	const child = (name: string): SchemaNode | undefined => found.node.children.find((c) => c.element.name === name);
	const metadata = child('metadata');
	const value = child('value');
	if (metadata?.element.type !== PhysicalType.BYTE_ARRAY) return undefined;
	if (value !== undefined && value.element.type !== PhysicalType.BYTE_ARRAY) return undefined;
	return { ...found, shape: 'variant', metadata, value, typedValue: child('typed_value') };
}

function leavesBelow(node: SchemaNode): SchemaNode[] {
	return node.leafIndex >= 0 ? [node] : node.children.flatMap(leavesBelow);
}

/** The definition level of the innermost repeated node between `node` and the leaf, or `slotLevel` if there is none. */
function slotLevelOf(node: SchemaNode, leaf: SchemaNode, slotLevel: number): number {
	let level = slotLevel;
	let at = node;
	while (at !== leaf) {
		const next = at.children.find((child) => leavesBelow(child).includes(leaf));
		if (next === undefined) break;
		if (next.repetitionLevel > at.repetitionLevel) level = next.definitionLevel;
		at = next;
	}
	return level;
}
