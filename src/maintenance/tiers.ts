/** Which small files of a partition are put together next, so that no row is rewritten often. Pure. */

export interface TierFile {
	readonly rowCount: number;
	readonly sizeBytes: number;
}

export interface TierLimits {
	/** files of one level from which on they are put together */
	readonly fanIn: number;
	readonly targetSizeBytes: number;
	/** most files of one choice */
	readonly maxFiles: number;
}

/** Levels by rows, not bytes: of small files most is overhead, and ten of them put together are hardly larger than one. */
export function levelOf(rowCount: number, fanIn: number): number {
	let level = 0;
	for (let rows = fanIn; rows <= rowCount; rows *= fanIn) level++;
	return level;
}

/**
 * Files to put together; `undefined` when it is too early. A level is full when it has `fanIn` files, those below it taken
 * together counting as one where they have rows enough. The highest full level is taken with all below it: so each row
 * moves up by a level at least whenever it is rewritten, and of each level there are fewer than `fanIn` files afterwards.
 *
 * Where all of that is more than a file of the target size takes, the smallest files come first; files that fill one are
 * put together in any case.
 */
export function chooseTier<T extends TierFile>(files: readonly T[], limits: TierLimits): readonly T[] | undefined {
	const { fanIn, targetSizeBytes, maxFiles } = limits;
	const levels: { files: T[]; rowCount: number }[] = [];
	let sizeBytes = 0;
	for (const file of files) {
		const level = levelOf(file.rowCount, fanIn);
		while (levels.length <= level) levels.push({ files: [], rowCount: 0 });
		const at = levels[level] as (typeof levels)[number];
		at.files.push(file);
		at.rowCount += file.rowCount;
		sizeBytes += file.sizeBytes;
	}
	let full = -1;
	let below = 0;
	let countBelow = 0;
	levels.forEach((level, i) => {
		const carried = below >= fanIn ** i ? 1 : 0;
		countBelow += level.files.length;
		// A choice that is cut short must fill its level by itself.
		const fits = countBelow <= maxFiles || full < 0;
		if (level.files.length > 0 && level.files.length + carried >= fanIn && fits) full = i;
		below += level.rowCount;
	});
	if (full < 0) {
		if (sizeBytes < targetSizeBytes || files.length < 2) return undefined;
		full = levels.length - 1;
	}
	const chosen: T[] = [];
	let chosenBytes = 0;
	for (const file of levels.slice(0, full + 1).flatMap((level) => level.files)) {
		if (chosen.length >= maxFiles || (chosen.length >= 2 && chosenBytes >= targetSizeBytes)) break;
		chosen.push(file);
		chosenBytes += file.sizeBytes;
	}
	return chosen;
}
