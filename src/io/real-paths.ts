/** Real paths of folders, remembered for moments: each write asks for those of its folder and of all roots. */
import type { Clock } from '../util/ports.ts';
import type { FsLooks } from './fs-looks.ts';

/** ms for which links in a path are taken to lead where they led. */
const REMEMBERED_MS = 1_000;
const MAX_REMEMBERED_PATHS = 1_024;

export class RealPaths implements Pick<FsLooks, 'realPath'> {
	readonly #looks: FsLooks;
	readonly #clock: Clock;
	readonly #remembered = new Map<string, string>();
	#sinceMs = 0;

	constructor(looks: FsLooks, clock: Clock) {
		this.#looks = looks;
		this.#clock = clock;
	}

	realPath(path: string): string {
		const nowMs = this.#clock.monotonicMs();
		if (nowMs - this.#sinceMs >= REMEMBERED_MS || this.#remembered.size >= MAX_REMEMBERED_PATHS) {
			this.#remembered.clear();
			this.#sinceMs = nowMs;
		}
		let real = this.#remembered.get(path);
		if (real === undefined) {
			real = this.#looks.realPath(path);
			this.#remembered.set(path, real);
		}
		return real;
	}

	/** Folders were removed: in their places may be others. */
	clear(): void {
		this.#remembered.clear();
	}
}
