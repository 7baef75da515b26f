/** How vectors are put together from leaves: the result of planning, the input of assembling. */
import type { ListType, MapType, NestedField, StructType, Type, Value } from '../../spec/types.ts';
import type { LeafAssembler } from './assemble-leaf.ts';
import type { ShreddedShape } from './decode-variant-shredded.ts';
import type { SchemaNode } from './schema-mapping-file.ts';

/** A leaf of the file that has to be read. */
export interface LeafPlan {
	readonly node: SchemaNode;
	/** definition level of the innermost repeated node above, 0 without one */
	readonly slotLevel: number;
	/** false: only levels are wanted */
	values: boolean;
	/** whether definition levels are wanted */
	levels: boolean;
}

/** How one vector comes about. `leaf` and the like are positions in {@link ReadPlan.leaves}. */
export type ReadNode =
	| { readonly kind: 'leaf'; readonly leaf: number; readonly assemble: LeafAssembler }
	| { readonly kind: 'constant'; readonly type: Type; readonly value: Value }
	| {
			readonly kind: 'struct';
			readonly type: StructType;
			/** definition level from which on the struct is there */
			readonly definitionLevel: number;
			/** whose levels tell which structs are null; `undefined` when none can be */
			readonly levelsOf: number | undefined;
			readonly children: readonly ReadNode[];
	  }
	| (RepeatedNode & { readonly kind: 'list'; readonly type: ListType; readonly element: ReadNode })
	| (RepeatedNode & { readonly kind: 'map'; readonly type: MapType; readonly key: ReadNode; readonly item: ReadNode })
	| (VariantNode & { readonly kind: 'variant'; readonly value: ReadNode })
	/** `group`: a struct of `value` and `typed_value`, as far as they are there */
	| (VariantNode & { readonly kind: 'shredded'; readonly group: ReadNode; readonly shape: ShreddedShape });

interface VariantNode {
	readonly type: Type;
	readonly definitionLevel: number;
	readonly levelsOf: number | undefined;
	readonly metadata: ReadNode;
}

interface RepeatedNode {
	/** definition level from which on the list is there, maybe empty */
	readonly definitionLevel: number;
	/** definition level of an element, maybe null */
	readonly elementDefinitionLevel: number;
	/** repetition level of a further element */
	readonly elementRepetitionLevel: number;
	readonly levelsOf: number;
}

export interface ReadPlan {
	readonly fields: readonly NestedField[];
	readonly columns: readonly ReadNode[];
	readonly leaves: readonly LeafPlan[];
}
