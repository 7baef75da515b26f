/**
 * How far each journal is folded into the table: one table property, in the same metadata file as the snapshot that holds
 * the rows, so that the swap makes rows and position one atom.
 */
import { IcebergError } from '../errors/iceberg-error.ts';
import { type Properties, textProperty } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { JournalPosition } from './journal-format-tail.ts';

/** Table property: `<namespace>/<generation>` of the last leader, then `<journal>:<record>:<offset>` for each journal. */
export const JOURNALS_PROPERTY = 'datashard.journals';
/** Key of the summary of snapshots that hold rows of journals. */
export const FOLDED_KEY = 'datashard.folded';

/** How far a journal is folded. */
export interface FoldedTo extends JournalPosition {
	/** true when what follows was damaged: nothing more is read from it */
	readonly setAside?: boolean;
}

export const JOURNAL_START: FoldedTo = { seq: 0, offset: 0 };

/** Which leader folded last: within one namespace the higher generation leads. */
export interface LeaderMark {
	/** hosts and containers that can talk to each other have the same one */
	readonly namespace: string;
	readonly generation: number;
}

export interface FoldState {
	readonly leader: LeaderMark | undefined;
	/** journals that have been folded in part, by id */
	readonly positions: ReadonlyMap<string, FoldedTo>;
}

const NO_STATE: FoldState = { leader: undefined, positions: new Map() };
const LEADER = /^([0-9a-z]{1,32})\/(\d{1,9})$/;
const ENTRY = /^([0-9a-z-]{1,80}):(\d{1,15}):(\d{1,15})(!?)$/;

let parsed: { readonly text: string; readonly state: FoldState } = { text: '', state: NO_STATE };

/**
 * @returns undefined when the table has no such property: nothing was ever folded, or another engine has removed it
 * @throws `CORRUPT` when something else than this library has written the property: what was folded cannot be told then
 */
export function foldStateOf(properties: Properties, location: string): FoldState | undefined {
	const text = textProperty(properties, JOURNALS_PROPERTY);
	if (text === undefined) return undefined;
	if (parsed.text !== text) parsed = { text, state: parse(text, location) };
	return parsed.state;
}

function parse(text: string, location: string): FoldState {
	const [first = '', ...entries] = text.split(' ');
	const leader = LEADER.exec(first);
	if (leader === null) throw altered(first, location);
	const positions = new Map<string, FoldedTo>();
	for (const entry of entries) {
		const [, id, record, offset, mark] = ENTRY.exec(entry) ?? [];
		if (id === undefined || positions.has(id)) throw altered(entry, location);
		const place = { seq: Number(record), offset: Number(offset) };
		positions.set(id, mark === '!' ? { ...place, setAside: true } : place);
	}
	return { leader: { namespace: leader[1] as string, generation: Number(leader[2]) }, positions };
}

export function foldStateText(leader: LeaderMark, positions: ReadonlyMap<string, FoldedTo>): string {
	let text = `${leader.namespace}/${leader.generation}`;
	for (const [id, { seq, offset, setAside }] of positions)
		text += ` ${id}:${seq}:${offset}${setAside === true ? '!' : ''}`;
	return text;
}

/** True when rows of journals are in the table's history. */
export function hasFolds(metadata: TableMetadata): boolean {
	return metadata.snapshots.some(({ summary }) => summary?.[FOLDED_KEY] !== undefined);
}

export function samePosition(a: FoldedTo, b: FoldedTo): boolean {
	return a.seq === b.seq && a.offset === b.offset && a.setAside === b.setAside;
}

function altered(part: string, location: string): IcebergError {
	return new IcebergError(
		'CORRUPT',
		`the property '${JOURNALS_PROPERTY}' of ${location} holds '${part.slice(0, 60)}', which tells no position: ` +
			'which journaled rows the table has cannot be told. Restore the value that the metadata file before has',
		{ context: { location, property: JOURNALS_PROPERTY } },
	);
}
