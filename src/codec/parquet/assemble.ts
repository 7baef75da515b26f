/**
 * Vectors out of the leaves' values and levels (Parquet spec: Nested Encoding).
 *
 * An entry of a leaf (one repetition and one definition level) stands for a slot of the vector at some depth exactly
 * when its repetition level does not exceed that of the innermost list around that depth (else it continues a deeper
 * list) and its definition level reaches that list's elements (else that list is empty or missing).
 */
import type { Vector } from '../../column/vector.ts';
import { flatten } from '../../column/vector-ops.ts';
import { constantVector } from '../../column/vector-values.ts';
import { flatBytes } from './assemble-leaf.ts';
import type { ReadNode } from './assemble-nodes.ts';
import { corruptPage } from './decode-error.ts';
import { unshred } from './decode-variant-shredded.ts';
import type { LeafBatch } from './reader-leaf.ts';

/** Where in the nesting a vector stands. */
interface Place {
	readonly slots: number;
	/** definition level of the innermost list's elements, 0 outside of lists */
	readonly definitionLevel: number;
	/** repetition level of the innermost list's elements, 0 outside of lists */
	readonly repetitionLevel: number;
}

/** @param leaves in the order of the plan. @throws `CORRUPT` when leaves of one list disagree */
export function assembleColumn(node: ReadNode, leaves: readonly LeafBatch[], rows: number): Vector {
	return assemble(node, leaves, { slots: rows, definitionLevel: 0, repetitionLevel: 0 });
}

function assemble(node: ReadNode, leaves: readonly LeafBatch[], place: Place): Vector {
	switch (node.kind) {
		case 'leaf': {
			const batch = leafAt(leaves, node.leaf);
			checkSlots(batch.slots, place);
			return node.assemble(batch);
		}
		case 'constant':
			return constantVector(node.type, node.value, place.slots);
		case 'struct':
			return {
				layout: 'struct',
				type: node.type,
				length: place.slots,
				...presence(node.definitionLevel, node.levelsOf, leaves, place),
				children: node.children.map((child) => assemble(child, leaves, place)),
			};
		case 'list': {
			const { offsets, inner, ...nulls } = ranges(node, leaves, place);
			const child = assemble(node.element, leaves, inner);
			return { layout: 'list', type: node.type, length: place.slots, ...nulls, offsets, child };
		}
		case 'map': {
			const { offsets, inner, ...nulls } = ranges(node, leaves, place);
			const keys = assemble(node.key, leaves, inner);
			if (keys.nullCount > 0) throw corruptPage('a map has a null key');
			const items = assemble(node.item, leaves, inner);
			return { layout: 'map', type: node.type, length: place.slots, ...nulls, offsets, keys, items };
		}
		case 'variant': {
			const nulls = presence(node.definitionLevel, node.levelsOf, leaves, place);
			const metadata = flatBytes(assemble(node.metadata, leaves, place));
			const value = flatBytes(assemble(node.value, leaves, place));
			if (metadata.nullCount > nulls.nullCount || value.nullCount > nulls.nullCount)
				throw corruptPage('a variant lacks its metadata or value');
			return { layout: 'variant', type: node.type, length: place.slots, ...nulls, metadata, value };
		}
		case 'shredded': {
			const nulls = presence(node.definitionLevel, node.levelsOf, leaves, place);
			const metadata = flatBytes(assemble(node.metadata, leaves, place));
			const group = flatten(assemble(node.group, leaves, place));
			if (group.layout !== 'struct') throw new TypeError(`a ${group.layout} vector where a struct should be`);
			return unshred(node.type, metadata, group, node.shape, nulls);
		}
	}
}

interface Nulls {
	readonly nullCount: number;
	readonly validity: Uint8Array | null;
}

/** Which slots of a group are there. */
function presence(
	definitionLevel: number,
	levelsOf: number | undefined,
	leaves: readonly LeafBatch[],
	place: Place,
): Nulls {
	if (levelsOf === undefined) return { nullCount: 0, validity: null };
	const { definition, repetition, entries } = leafAt(leaves, levelsOf);
	if (definition === undefined) throw new TypeError('levels of a leaf that was read without');
	const validity = new Uint8Array((place.slots + 7) >>> 3);
	let slots = 0;
	let present = 0;
	for (let i = 0; i < entries; i++) {
		const level = definition[i] as number;
		if (level < place.definitionLevel) continue;
		if (repetition !== undefined && (repetition[i] as number) > place.repetitionLevel) continue;
		if (level >= definitionLevel) {
			validity[slots >>> 3] = (validity[slots >>> 3] as number) | (1 << (slots & 7));
			present++;
		}
		slots++;
	}
	checkSlots(slots, place);
	return { nullCount: slots - present, validity: present === slots ? null : validity };
}

/** Offsets of the elements of lists, and which lists are there. */
function ranges(
	node: ReadNode & { kind: 'list' | 'map' },
	leaves: readonly LeafBatch[],
	place: Place,
): Nulls & { readonly offsets: Int32Array; readonly inner: Place } {
	const { definition, repetition, entries } = leafAt(leaves, node.levelsOf);
	if (definition === undefined || repetition === undefined)
		throw new TypeError('levels of a leaf that was read without');
	const { definitionLevel, elementDefinitionLevel, elementRepetitionLevel } = node;
	const offsets = new Int32Array(place.slots + 1);
	const validity = new Uint8Array((place.slots + 7) >>> 3);
	let slots = 0;
	let present = 0;
	let elements = 0;
	for (let i = 0; i < entries; i++) {
		const level = definition[i] as number;
		if (level < place.definitionLevel) continue;
		const repeat = repetition[i] as number;
		if (repeat <= place.repetitionLevel) {
			offsets[slots] = elements;
			if (level >= definitionLevel) {
				validity[slots >>> 3] = (validity[slots >>> 3] as number) | (1 << (slots & 7));
				present++;
			}
			slots++;
		}
		if (level >= elementDefinitionLevel && repeat <= elementRepetitionLevel) elements++;
	}
	checkSlots(slots, place);
	offsets[slots] = elements;
	return {
		nullCount: slots - present,
		validity: present === slots ? null : validity,
		offsets,
		inner: {
			slots: elements,
			definitionLevel: elementDefinitionLevel,
			repetitionLevel: elementRepetitionLevel,
		},
	};
}

function leafAt(leaves: readonly LeafBatch[], index: number): LeafBatch {
	const leaf = leaves[index];
	if (leaf === undefined) throw new TypeError(`no leaf ${index}`);
	return leaf;
}

function checkSlots(slots: number, place: Place): void {
	if (slots !== place.slots)
		throw corruptPage(`the columns of one nested value have ${slots} and ${place.slots} elements`);
}
