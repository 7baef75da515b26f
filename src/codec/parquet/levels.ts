/**
 * Definition and repetition levels from Arrow-layout vectors (Parquet: Nested Encoding). The levels of a column are made
 * on the way down its path: each optional node marks what is null, each repetition spreads its lists out.
 */
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { Vector } from '../../column/vector.ts';

/** Entries of a node: a level pair each, and for those that are present a position in the node's vector. */
export interface Levels {
	readonly entries: number;
	/** `null`: all 0 (no repetition so far), so that each entry is a row */
	readonly repetition: Uint8Array | null;
	/** `null`: all entries are present; else one is present when its level is `presentLevel` */
	readonly definition: Uint8Array | null;
	readonly presentLevel: number;
	/** position of each present entry; `null`: they are consecutive from `base` */
	readonly positions: Int32Array | null;
	readonly base: number;
	/** entries that are present */
	readonly present: number;
}

/** `rowCount` rows of top-level vectors, from row `from` on. */
export function rootLevels(from: number, rowCount: number): Levels {
	return {
		entries: rowCount,
		repetition: null,
		definition: null,
		presentLevel: 0,
		positions: null,
		base: from,
		present: rowCount,
	};
}

/** Where a value came from, for messages. */
export interface LevelsContext {
	/** position of the batch's first row in the file */
	readonly firstRow: number;
	/** row of the batch where the slice starts */
	readonly from: number;
}

/**
 * Applies a node's own nullability. @throws `INVALID_DATA` for a null in a required field
 */
export function applyValidity(
	levels: Levels,
	vector: Vector,
	optional: boolean,
	name: string,
	context: LevelsContext,
): Levels {
	const { validity } = vector;
	const withoutNulls = validity === null || vector.nullCount === 0;
	if (!optional) {
		if (!withoutNulls) checkRequired(levels, validity, name, context);
		return levels;
	}
	const presentLevel = levels.presentLevel + 1;
	if (withoutNulls) {
		return { ...levels, presentLevel, definition: raise(levels, presentLevel) };
	}
	return markNulls(levels, validity, presentLevel);
}

function raise(levels: Levels, presentLevel: number): Uint8Array | null {
	const { definition } = levels;
	if (definition === null) return null;
	const raised = definition.slice();
	for (let i = 0; i < raised.length; i++) if (raised[i] === presentLevel - 1) raised[i] = presentLevel;
	return raised;
}

function markNulls(levels: Levels, validity: Uint8Array, presentLevel: number): Levels {
	const { entries, base } = levels;
	const before = levels.definition;
	const from = levels.positions;
	const definition = new Uint8Array(entries);
	const positions = new Int32Array(levels.present);
	let seen = 0;
	let present = 0;
	if (before === null && from === null) {
		for (let i = 0; i < entries; i++) {
			const position = base + i;
			const bit = ((validity[position >>> 3] as number) >>> (position & 7)) & 1;
			definition[i] = presentLevel - 1 + bit;
			// overwritten by the next one when this is null
			positions[present] = position;
			present += bit;
		}
	}
	for (let i = before === null && from === null ? entries : 0; i < entries; i++) {
		if (before !== null && before[i] !== presentLevel - 1) {
			definition[i] = before[i] as number;
			continue;
		}
		const position = from === null ? base + seen : (from[seen] as number);
		seen++;
		if ((((validity[position >>> 3] as number) >>> (position & 7)) & 1) === 1) {
			definition[i] = presentLevel;
			positions[present++] = position;
		} else definition[i] = presentLevel - 1;
	}
	if (present === entries) return { ...levels, presentLevel, definition: null };
	return { ...levels, definition, presentLevel, positions: positions.subarray(0, present), present };
}

function checkRequired(levels: Levels, validity: Uint8Array, name: string, context: LevelsContext): void {
	const { positions, base, present } = levels;
	for (let i = 0; i < present; i++) {
		const position = positions === null ? base + i : (positions[i] as number);
		if ((((validity[position >>> 3] as number) >>> (position & 7)) & 1) === 1) continue;
		const row = context.firstRow + context.from + rowOf(levels, i);
		throw new IcebergError('INVALID_DATA', `row ${row}: required field '${name}' is null`, {
			context: { row, column: name },
		});
	}
}

/** The row, counted within the slice, of the `n`th present entry. */
function rowOf(levels: Levels, n: number): number {
	let row = -1;
	let seen = 0;
	for (let i = 0; i < levels.entries; i++) {
		if (levels.repetition === null || levels.repetition[i] === 0) row++;
		if (levels.definition !== null && levels.definition[i] !== levels.presentLevel) continue;
		if (seen++ === n) break;
	}
	return row;
}

/** Spreads out the lists or maps that `offsets` delimit; the result's positions are those of their elements. */
export function expandLists(levels: Levels, offsets: Int32Array, repetitionLevel: number): Levels {
	const { entries, presentLevel, base } = levels;
	const { repetition: outerRepetition, definition: outerDefinition, positions: outerPositions } = levels;
	let total = entries;
	let elements = 0;
	for (let i = 0; i < levels.present; i++) {
		const position = outerPositions === null ? base + i : (outerPositions[i] as number);
		const length = (offsets[position + 1] as number) - (offsets[position] as number);
		elements += length;
		if (length > 1) total += length - 1;
	}
	const repetition = new Uint8Array(total);
	const definition = elements === total ? null : new Uint8Array(total);
	// consecutive lists have consecutive elements
	const positions = outerPositions === null ? null : new Int32Array(elements);
	let seen = 0;
	let to = 0;
	let element = 0;
	for (let i = 0; i < entries; i++) {
		const outer = outerRepetition === null ? 0 : (outerRepetition[i] as number);
		if (outerDefinition !== null && outerDefinition[i] !== presentLevel) {
			repetition[to] = outer;
			if (definition !== null) definition[to] = outerDefinition[i] as number;
			to++;
			continue;
		}
		const position = outerPositions === null ? base + seen : (outerPositions[seen] as number);
		seen++;
		const start = offsets[position] as number;
		const length = (offsets[position + 1] as number) - start;
		repetition[to] = outer;
		if (length === 0) {
			if (definition !== null) definition[to] = presentLevel;
			to++;
			continue;
		}
		for (let k = 1; k < length; k++) repetition[to + k] = repetitionLevel;
		if (definition !== null) definition.fill(presentLevel + 1, to, to + length);
		if (positions !== null) for (let k = 0; k < length; k++) positions[element + k] = start + k;
		to += length;
		element += length;
	}
	return {
		entries: total,
		repetition,
		definition,
		presentLevel: presentLevel + 1,
		positions,
		base: outerPositions === null ? (offsets[base] ?? 0) : 0,
		present: elements,
	};
}
