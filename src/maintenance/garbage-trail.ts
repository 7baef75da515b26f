/**
 * What the commits of this thread made garbage of, and when it may go: exactly the difference of what removed snapshots reached
 * and retained ones reach, without reading either. Pure.
 *
 * Along one line of commits a file is reached from the snapshot that brought it to the one before that which dropped it. Each
 * file that was dropped waits with a retained snapshot of that range; when that one is removed, with another of the range;
 * when there is none, nothing reaches the file any more, nor ever will.
 */
import type { CleanedFileKind } from './cleanup-report.ts';

export interface DroppedFile {
	readonly location: string;
	readonly kind: CleanedFileKind;
	readonly sizeBytes: number;
	/** sequence number from which on snapshots may reach it */
	readonly bornAt: number;
	/** sequence number of the first snapshot that does not reach it any more */
	readonly droppedAt: number;
}

export interface GarbageFile {
	readonly location: string;
	readonly kind: CleanedFileKind;
	readonly sizeBytes: number;
	/** by a clock that does not go back, ms */
	readonly sinceMs: number;
}

/** `content`: data and delete files */
export type GarbageSort = 'content' | 'metadata';

/** Files that wait with retained snapshots, at most; what is beyond is left for a look through the folders. */
export const WAITING_LIMIT = 200_000;

export class GarbageTrail {
	/** by the sequence number of a retained snapshot that reaches them */
	readonly #waiting = new Map<number, DroppedFile[]>();
	#fresh: DroppedFile[] = [];
	#waitingCount = 0;
	readonly #content = new GarbageQueue();
	readonly #metadata = new GarbageQueue();

	/** files that some retained snapshot still reaches */
	get waitingCount(): number {
		return this.#waitingCount + this.#fresh.length;
	}

	get garbageBytes(): number {
		return this.#content.sizeBytes + this.#metadata.sizeBytes;
	}

	/** Of one sort. */
	amount(sort: GarbageSort): { readonly count: number; readonly sizeBytes: number } {
		return this.#queue(sort);
	}

	drop(file: DroppedFile): void {
		if (this.waitingCount < WAITING_LIMIT) this.#fresh.push(file);
	}

	/** Files that are known to be garbage, however that was found out. */
	add(file: GarbageFile): void {
		this.#queueOf(file.kind).add(file);
	}

	/** @param retained sequence numbers of all snapshots that the table has, ascending */
	settle(retained: readonly number[], nowMs: number): void {
		const here = new Set(retained);
		const files = this.#fresh;
		this.#fresh = [];
		for (const [at, waiting] of this.#waiting) {
			if (here.has(at)) continue;
			this.#waiting.delete(at);
			this.#waitingCount -= waiting.length;
			for (const file of waiting) files.push(file);
		}
		for (const file of files) {
			const at = lastBelow(retained, file.droppedAt);
			if (at === undefined || at < file.bornAt) {
				const { location, kind, sizeBytes } = file;
				this.add({ location, kind, sizeBytes, sinceMs: nowMs });
				continue;
			}
			const waiting = this.#waiting.get(at);
			if (waiting === undefined) this.#waiting.set(at, [file]);
			else waiting.push(file);
			this.#waitingCount++;
		}
	}

	/** Forgets what waits: the commits are not in one line any more. What is garbage stays so. */
	forget(): void {
		this.#waiting.clear();
		this.#fresh = [];
		this.#waitingCount = 0;
	}

	/** The garbage of a sort that is oldest; `undefined` without any. */
	oldest(sort: GarbageSort): GarbageFile | undefined {
		return this.#queue(sort).first;
	}

	/** Takes up to `limit` files of a sort that were garbage by `sinceMs`, oldest first. */
	take(sort: GarbageSort, limit: number, sinceMs: number): readonly GarbageFile[] {
		const queue = this.#queue(sort);
		const files: GarbageFile[] = [];
		for (let file = queue.first; file !== undefined && files.length < limit; file = queue.first) {
			if (file.sinceMs > sinceMs) break;
			files.push(file);
			queue.shift();
		}
		return files;
	}

	#queue(sort: GarbageSort): GarbageQueue {
		return sort === 'content' ? this.#content : this.#metadata;
	}

	#queueOf(kind: CleanedFileKind): GarbageQueue {
		return kind === 'data' || kind === 'deletes' ? this.#content : this.#metadata;
	}
}

/** First in, first out. */
class GarbageQueue {
	#files: GarbageFile[] = [];
	#taken = 0;
	#sizeBytes = 0;

	get count(): number {
		return this.#files.length - this.#taken;
	}

	get sizeBytes(): number {
		return this.#sizeBytes;
	}

	get first(): GarbageFile | undefined {
		return this.#files[this.#taken];
	}

	add(file: GarbageFile): void {
		this.#files.push(file);
		this.#sizeBytes += file.sizeBytes;
	}

	shift(): void {
		this.#sizeBytes -= this.first?.sizeBytes ?? 0;
		this.#taken++;
		if (this.#taken < 1_000 || this.#taken * 2 < this.#files.length) return;
		this.#files = this.#files.slice(this.#taken);
		this.#taken = 0;
	}
}

/** The greatest of ascending numbers that is less than `limit`. */
function lastBelow(ascending: readonly number[], limit: number): number | undefined {
	let low = 0;
	let high = ascending.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((ascending[middle] as number) < limit) low = middle + 1;
		else high = middle;
	}
	return ascending[low - 1];
}
