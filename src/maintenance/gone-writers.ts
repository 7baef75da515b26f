/** Writers of files that are known to be gone, and to have left nothing that somebody else may still commit. */
import type { FileIO } from '../io/file-io.ts';
import { baseName, joinLocation, JOURNAL_FOLDER } from '../io/location.ts';
import { identityText, type Processes, writerOf } from '../util/process-identity.ts';

const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;
const IDENTITY = /(?<![0-9a-z])[0-9a-f]{8}-[0-9a-z]{1,7}-[0-9a-z]{1,13}(?![0-9a-z])/;

export class GoneWriters {
	readonly #io: FileIO;
	readonly #tableLocation: string;
	readonly #processes: Processes;
	/** by the identity's text */
	readonly #verdicts = new Map<string, Promise<boolean>>();

	constructor(io: FileIO, tableLocation: string, processes: Processes) {
		this.#io = io;
		this.#tableLocation = tableLocation;
		this.#processes = processes;
	}

	/** True when nobody will refer to the file who does not do so now. */
	async wrote(fileName: string): Promise<boolean> {
		const writer = writerOf(fileName);
		if (writer === undefined) return false;
		const text = identityText(writer);
		let verdict = this.#verdicts.get(text);
		if (verdict === undefined) {
			// Only once it is gone: until then it may begin a journal.
			verdict = this.#processes.isGone(writer) === true ? this.#hasNoJournal(text) : Promise.resolve(false);
			this.#verdicts.set(text, verdict);
		}
		return verdict;
	}

	/** A journal that does not tell whose it is may be anybody's. */
	async #hasNoJournal(writer: string): Promise<boolean> {
		const folder = joinLocation(this.#tableLocation, JOURNAL_FOLDER);
		for await (const { location } of this.#io.list(folder)) {
			const owner = IDENTITY.exec(baseName(location).replaceAll(UUID, ''))?.[0];
			if (owner === undefined || owner === writer) return false;
		}
		return true;
	}
}
