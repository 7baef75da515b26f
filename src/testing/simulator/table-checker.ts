/** Watches the files of one table, as a stranger, and compares each committed state with what the clients were told. */
import type { Json } from '../../util/json.ts';
import { InvariantViolation } from './invariants.ts';
import { type Ledger, type Operation, textOf } from './ledger.ts';
import {
	BrokenReference,
	type JsonObject,
	type OutsideReader,
	type SeenRow,
	type SeenSnapshot,
	versionOf,
} from './outside-reader.ts';
import type { SimDisk, SimFile, SimNode } from './sim-disk.ts';

/** What another engine put into the metadata, which every later version must have. */
export interface ForeignFact {
	readonly description: string;
	holds(metadata: JsonObject): boolean;
}

/** A committed state. */
interface Version {
	readonly number: number;
	readonly path: string;
	readonly file: SimFile;
	readonly metadata: JsonObject;
	/** of its current snapshot's rows */
	readonly rowsHash: string;
}

export interface CheckerOptions {
	readonly disk: SimDisk;
	readonly reader: OutsideReader;
	readonly ledger: Ledger;
	/** the table's folder */
	readonly table: string;
	/**
	 * Look whether what is relied upon is durable at the moment when it is relied upon. Without it, only a power loss that
	 * hits at the right time shows what is not.
	 */
	readonly checkDurability: boolean;
}

interface Acknowledged {
	readonly operation: Operation;
	readonly seenVersion: number;
}

export class TableChecker {
	readonly #options: CheckerOptions;
	/** changes of names since the last check, in order */
	#appeared: { readonly number: number; readonly path: string; readonly file: SimFile }[] = [];
	#acknowledged: Operation[] = [];
	#violation: InvariantViolation | undefined;
	readonly #versions = new Map<number, Version>();
	#newest = 0;
	/** how often each row is in the newest state */
	#rowCounts = new Map<number, number>();
	#dataFiles = new Set<string>();
	/** snapshots of the newest state */
	#snapshots = new Map<string, SeenSnapshot>();
	/** how many snapshots of the newest state reach a path */
	#reached = new Map<string, number>();
	readonly #rowsHashOfSnapshot = new Map<string, string>();
	/** the version in which an operation's rows were first seen */
	readonly #firstSeen = new Map<number, number>();
	readonly #foreign: ForeignFact[] = [];

	constructor(options: CheckerOptions) {
		this.#options = options;
	}

	/** newest committed version */
	get newestVersion(): number {
		return this.#newest;
	}

	get newestMetadata(): JsonObject | undefined {
		return this.#versions.get(this.#newest)?.metadata;
	}

	/** rows in the newest state */
	get rowCount(): number {
		return this.#rowCounts.size;
	}

	/** To be called at once for each change of a name. */
	nameChanged(path: string, before: SimNode | undefined, after: SimNode | undefined): void {
		const { table } = this.#options;
		if (!path.startsWith(`${table}/`)) return;
		if (before !== undefined && after !== before && (this.#reached.get(path) ?? 0) > 0)
			this.#fail(7, `${path} was ${after === undefined ? 'deleted' : 'replaced'}, and a retained snapshot reaches it`);
		const folder = `${table}/metadata/`;
		const number = path.startsWith(folder) ? versionOf(path.slice(folder.length)) : undefined;
		if (number === undefined) return;
		if (before !== undefined && number === this.#newest && this.#versions.get(number)?.file === before)
			this.#fail(5, `${path}, the newest version, was ${after === undefined ? 'deleted' : 'replaced'}`);
		if (before !== undefined && after !== undefined)
			this.#fail(5, `${path} was there, and something else took its place`);
		if (after?.kind === 'file' && before === undefined) this.#appeared.push({ number, path, file: after });
	}

	/** Whether the newest state has all rows of an operation. */
	has(operation: Operation): boolean {
		return operation.rows.every(({ id }) => this.#rowCounts.has(id));
	}

	/** A client has been told that its rows are in the table. */
	acknowledged(operation: Operation): void {
		this.#acknowledged.push(operation);
	}

	/** From now on the metadata must have it. */
	expectForeign(fact: ForeignFact): void {
		this.#foreign.push(fact);
	}

	/** Takes in what happened since the last call. @throws {@link InvariantViolation} */
	async check(): Promise<void> {
		if (this.#violation !== undefined) throw this.#violation;
		if (this.#appeared.length > 0) {
			const appeared = this.#appeared;
			this.#appeared = [];
			for (const { number, path, file } of appeared) await this.#takeVersion(number, path, file);
		}
		if (this.#acknowledged.length === 0) return;
		const acknowledged = this.#acknowledged;
		this.#acknowledged = [];
		for (const operation of acknowledged) this.#checkAcknowledged({ operation, seenVersion: this.#newest });
	}

	/** After a power loss: everything is looked at anew. @throws {@link InvariantViolation} */
	async powerLost(): Promise<void> {
		const { reader, table } = this.#options;
		reader.forget();
		this.#appeared = [];
		this.#acknowledged = [];
		this.#violation = undefined;
		const newest = Math.max(0, ...reader.versions(table).keys());
		for (const number of this.#versions.keys()) if (number > newest) this.#versions.delete(number);
		for (const [operation, version] of this.#firstSeen) if (version > newest) this.#firstSeen.delete(operation);
		this.#rowCounts = new Map();
		this.#dataFiles = new Set();
		this.#snapshots = new Map();
		this.#reached = new Map();
		this.#newest = newest;
		const path = reader.versions(table).get(newest);
		if (path === undefined) {
			if (this.#options.ledger.operations.some(({ acknowledged }) => acknowledged))
				throw new InvariantViolation(1, 'after the power loss there is no metadata file');
			return;
		}
		await this.#takeState(newest, path, reader.file(path, undefined), undefined);
		for (const operation of this.#options.ledger.operations) if (operation.acknowledged) this.#checkPresent(operation);
	}

	/** What must hold when nothing is under way. @throws {@link InvariantViolation} */
	async checkAtRest(): Promise<void> {
		await this.check();
		const { ledger, reader, table } = this.#options;
		for (const operation of ledger.operations) {
			if (operation.acknowledged || operation.promised) this.#checkPresent(operation);
			if (operation.failed) this.#checkAbsent(operation);
		}
		for (const { files, id } of this.#snapshots.values()) {
			for (const [path, length] of files) this.#file(path, length, `snapshot ${id}`);
		}
		const byHint = reader.versionByHint(table);
		if (byHint !== undefined && byHint !== this.#newest)
			throw new InvariantViolation(5, `the hint leads to version ${byHint}, and ${this.#newest} is the newest`);
	}

	/**
	 * Compares what a scan gave with the states that were current while it was planned.
	 * @throws {@link InvariantViolation}
	 */
	checkScan(rows: readonly { readonly id: number }[], fromVersion: number, toVersion: number): void {
		const found = hashOf(rows.map(({ id }) => id));
		const states: Version[] = [];
		for (let number = fromVersion; number <= toVersion; number++) {
			const version = this.#versions.get(number);
			if (version === undefined || version.rowsHash === found) return;
			states.push(version);
		}
		const expected = states.map(({ number, rowsHash }) => `${number}: ${rowsHash}`).join('; ');
		throw new InvariantViolation(4, `a scan gave ${found}, and the states that it may have had are ${expected}`);
	}

	/** Compares what a read of an earlier snapshot gave with what it had when it was committed. */
	checkTimeTravel(snapshotId: string, rows: readonly { readonly id: number }[]): void {
		const expected = this.#rowsHashOfSnapshot.get(snapshotId);
		const found = hashOf(rows.map(({ id }) => id));
		if (expected !== undefined && expected !== found)
			throw new InvariantViolation(4, `snapshot ${snapshotId} gave ${found}, and has ${expected}`);
	}

	async #takeVersion(number: number, path: string, file: SimFile): Promise<void> {
		const { disk } = this.#options;
		if (number <= this.#newest) return this.#takeGhost(number, file);
		if (number !== this.#newest + 1)
			throw new InvariantViolation(5, `${path} appeared, and the newest version is ${this.#newest}`);
		if (this.#options.checkDurability && !file.isDurable)
			throw new InvariantViolation(1, `${path} was put in place before its content was durable`);
		await this.#takeState(number, path, file, this.#versions.get(number - 1));
		if (!this.#options.checkDurability) return;
		for (const { files, id } of this.#newSnapshots(number)) {
			for (const reached of files.keys())
				if (!disk.isDurable(reached))
					throw new InvariantViolation(6, `version ${number} has snapshot ${id}, and ${reached} is not durable yet`);
		}
	}

	/** An old name that had become free. Its writer must find out; no reader is led to it. */
	#takeGhost(number: number, file: SimFile): void {
		if (number === this.#newest && this.#versions.get(number)?.file !== file)
			throw new InvariantViolation(5, `version ${number} appeared twice, and nothing came after it`);
	}

	async #takeState(number: number, path: string, file: SimFile, before: Version | undefined): Promise<void> {
		const metadata = this.#metadata(path);
		const known = this.#snapshots;
		const next = new Map<string, SeenSnapshot>();
		for (const json of arrayOf(metadata['snapshots'])) {
			const id = String(json['snapshot-id']);
			next.set(id, known.get(id) ?? (await this.#readSnapshot(json, path)));
		}
		for (const [id, snapshot] of known) if (!next.has(id)) this.#count(snapshot, -1);
		for (const [id, snapshot] of next) if (!known.has(id)) this.#count(snapshot, 1);
		this.#snapshots = next;
		this.#newest = number;
		const current = next.get(String(metadata['current-snapshot-id']));
		const touched = await this.#takeRows(number, new Set(current?.dataFiles ?? []));
		const rowsHash = hashOf(this.#rowCounts.keys());
		if (current !== undefined) this.#rowsHashOfSnapshot.set(current.id, rowsHash);
		const version: Version = { number, path, file, metadata, rowsHash };
		this.#versions.set(number, version);
		if (before !== undefined) this.#checkSuccession(before, version, known);
		for (const operation of touched) this.#checkWhole(operation, number);
		for (const { description, holds } of this.#foreign)
			if (!holds(metadata)) throw new InvariantViolation(10, `version ${number} has no ${description} any more`);
	}

	async #readSnapshot(json: JsonObject, path: string): Promise<SeenSnapshot> {
		try {
			const snapshot = await this.#options.reader.snapshot(json);
			for (const [file, length] of snapshot.files) this.#options.reader.file(file, length);
			return snapshot;
		} catch (error) {
			if (!(error instanceof BrokenReference)) throw error;
			throw new InvariantViolation(6, `${path}, snapshot ${String(json['snapshot-id'])}: ${error.message}`);
		}
	}

	/** Brings the rows up to date. Returns the operations whose rows came or went. */
	async #takeRows(number: number, dataFiles: Set<string>): Promise<Set<Operation>> {
		const { ledger } = this.#options;
		const touched = new Set<Operation>();
		const change = async (path: string, by: number): Promise<void> => {
			for (const { id, op, text } of await this.#rows(path, number)) {
				const operation = ledger.get(op);
				if (operation === undefined || text !== textOf(id, op))
					throw new InvariantViolation(2, `${path} has a row that nobody appended: ${id} of ${op}, '${text}'`);
				touched.add(operation);
				const count = (this.#rowCounts.get(id) ?? 0) + by;
				if (count === 0) this.#rowCounts.delete(id);
				else this.#rowCounts.set(id, count);
				if (by > 0 && !this.#firstSeen.has(op)) this.#firstSeen.set(op, number);
			}
		};
		const gone = [...this.#dataFiles].filter((path) => !dataFiles.has(path));
		for (const path of dataFiles) if (!this.#dataFiles.has(path)) await change(path, 1);
		for (const path of gone) await change(path, -1);
		this.#dataFiles = dataFiles;
		return touched;
	}

	#checkWhole(operation: Operation, number: number): void {
		const counts = operation.rows.map(({ id }) => this.#rowCounts.get(id) ?? 0);
		const twice = counts.findIndex((count) => count > 1);
		if (twice >= 0)
			throw new InvariantViolation(
				2,
				`version ${number} has row ${operation.rows[twice]?.id} of ${describe(operation)} ${counts[twice]} times`,
			);
		const present = counts.filter((count) => count === 1).length;
		if (present !== 0 && present !== counts.length)
			throw new InvariantViolation(
				3,
				`version ${number} has ${present} of the ${counts.length} rows of ${describe(operation)}`,
			);
		if (present === 0)
			throw new InvariantViolation(
				1,
				`version ${number} has lost the rows of ${describe(operation)}, which were in it before`,
			);
		if (operation.failed) this.#checkAbsent(operation);
	}

	#checkAcknowledged({ operation, seenVersion }: Acknowledged): void {
		this.#checkPresent(operation);
		if (!this.#options.checkDurability) return;
		const first = this.#firstSeen.get(operation.id) ?? seenVersion;
		for (let number = seenVersion; number >= first; number--) {
			const version = this.#versions.get(number);
			if (version !== undefined && this.#options.disk.isDurable(version.path)) return;
		}
		throw new InvariantViolation(
			1,
			`${describe(operation)} was acknowledged, and no version from ${first} to ${seenVersion}, which have its rows, is durable`,
		);
	}

	#checkPresent(operation: Operation): void {
		const missing = operation.rows.find(({ id }) => !this.#rowCounts.has(id));
		if (missing !== undefined)
			throw new InvariantViolation(
				1,
				`${describe(operation)} was acknowledged, and version ${this.#newest} has no row ${missing.id}`,
			);
	}

	#checkAbsent(operation: Operation): void {
		const present = operation.rows.find(({ id }) => this.#rowCounts.has(id));
		if (present !== undefined)
			throw new InvariantViolation(
				3,
				`${describe(operation)} was told to have failed, and version ${this.#newest} has row ${present.id}`,
			);
	}

	#checkSuccession(before: Version, version: Version, known: ReadonlyMap<string, SeenSnapshot>): void {
		const { number, metadata } = version;
		const wrong = (found: string): InvariantViolation => new InvariantViolation(5, `version ${number}: ${found}`);
		if (metadata['table-uuid'] !== before.metadata['table-uuid']) throw wrong('it is another table');
		const logged = arrayOf(metadata['metadata-log']).at(-1)?.['metadata-file'];
		if (logged !== before.path) throw wrong(`it was made from ${String(logged)}, not from ${before.path}`);
		if (Number(metadata['last-updated-ms']) < Number(before.metadata['last-updated-ms']))
			throw wrong('its time went back');
		const isV1 = metadata['format-version'] === 1;
		const last = sequenceNumber(before.metadata);
		if (sequenceNumber(metadata) < last) throw wrong('the last sequence number went back');
		let parent = stringOf(before.metadata['current-snapshot-id']);
		let highest = last;
		for (const snapshot of this.#newSnapshots(number, known)) {
			if (!isV1 && snapshot.sequenceNumber <= highest)
				throw wrong(`snapshot ${snapshot.id} has sequence number ${snapshot.sequenceNumber}, after ${highest}`);
			if (snapshot.parentId !== parent)
				throw wrong(`snapshot ${snapshot.id} has parent ${snapshot.parentId}, and ${parent} was current`);
			parent = snapshot.id;
			highest = snapshot.sequenceNumber;
		}
	}

	/** Snapshots that a version added, in their order. */
	#newSnapshots(number: number, known?: ReadonlyMap<string, SeenSnapshot>): SeenSnapshot[] {
		const before = this.#versions.get(number - 1)?.metadata;
		const isKnown =
			known ?? new Map(arrayOf(before?.['snapshots']).map((json) => [String(json['snapshot-id']), undefined]));
		return [...this.#snapshots.values()].filter(({ id }) => !isKnown.has(id));
	}

	#count(snapshot: SeenSnapshot, by: number): void {
		for (const path of snapshot.files.keys()) {
			const count = (this.#reached.get(path) ?? 0) + by;
			if (count === 0) this.#reached.delete(path);
			else this.#reached.set(path, count);
		}
	}

	#metadata(path: string): JsonObject {
		try {
			return this.#options.reader.metadata(path);
		} catch (error) {
			if (!(error instanceof BrokenReference)) throw error;
			throw new InvariantViolation(1, `the newest version cannot be read: ${error.message}`);
		}
	}

	async #rows(path: string, number: number): Promise<readonly SeenRow[]> {
		try {
			return await this.#options.reader.rows(path);
		} catch (error) {
			if (!(error instanceof BrokenReference)) throw error;
			throw new InvariantViolation(6, `version ${number}: ${error.message}`);
		}
	}

	#file(path: string, length: number | undefined, of: string): void {
		try {
			this.#options.reader.file(path, length);
		} catch (error) {
			if (!(error instanceof BrokenReference)) throw error;
			throw new InvariantViolation(6, `${of}: ${error.message}`);
		}
	}

	#fail(invariant: number, found: string): void {
		this.#violation ??= new InvariantViolation(invariant, found);
	}
}

function describe(operation: Operation): string {
	return `${operation.kind} ${operation.id}`;
}

function arrayOf(json: Json | undefined): readonly JsonObject[] {
	return Array.isArray(json) ? (json as unknown as JsonObject[]) : [];
}

function stringOf(json: Json | undefined): string | undefined {
	return json === undefined || json === null || String(json) === '-1' ? undefined : String(json);
}

function sequenceNumber(metadata: JsonObject): bigint {
	return BigInt((metadata['last-sequence-number'] as number | bigint | undefined) ?? 0);
}

/** Tells sets of rows apart: their number, their sum and the sum of their squares. */
function hashOf(ids: Iterable<number>): string {
	let count = 0;
	let sum = 0;
	let mixed = 0;
	for (const id of ids) {
		count++;
		sum += id;
		mixed = (mixed + Math.imul(id ^ (id >>> 15), 0x2c1b3c6d)) >>> 0;
	}
	return `${count} rows (${sum}/${mixed})`;
}
