/** What a verification found. */

/** What is wrong with a file or a count. */
export type VerifyProblemKind =
	/** it is not there */
	| 'missing'
	/** its length is not the one that metadata tell */
	| 'length'
	/** it cannot be read as what it should be */
	| 'unreadable'
	/** rows or entries are more or fewer than metadata tell */
	| 'count'
	/** bytes do not have the checksum that stands beside them */
	| 'checksum'
	/** statistics or bounds that the content contradicts: a reader that trusts them may miss rows */
	| 'statistics'
	/** a row that does not belong to its file's partition, or a partition that its summary leaves out */
	| 'partition'
	/** the same file twice in one snapshot */
	| 'duplicate';

export interface VerifyProblem {
	readonly kind: VerifyProblemKind;
	/** the file that is at fault; that of the table where it is none */
	readonly location: string;
	/** what was expected, what was found */
	readonly message: string;
}

/** A file that was not looked into, only at. */
export interface UncheckedFile {
	readonly location: string;
	readonly reason: string;
}

export interface VerifyReport {
	/** true when there is no problem */
	readonly ok: boolean;
	readonly deep: boolean;
	/** undefined for a table without a snapshot */
	readonly snapshotId: bigint | undefined;
	readonly manifestCount: number;
	readonly dataFileCount: number;
	readonly deleteFileCount: number;
	/** rows of the data files, deleted ones included */
	readonly rowCount: number;
	/** bytes of data and delete files */
	readonly sizeBytes: number;
	/** pages of Parquet files whose checksum was compared */
	readonly checksumCount: number;
	/** pages that carry no checksum */
	readonly pagesWithoutChecksum: number;
	/** the first {@link VERIFY_LIST_LIMIT} */
	readonly problems: readonly VerifyProblem[];
	readonly problemCount: number;
	/** the first {@link VERIFY_LIST_LIMIT} */
	readonly unchecked: readonly UncheckedFile[];
	readonly uncheckedCount: number;
}

/** Most problems, and most unchecked files, that a report lists. */
export const VERIFY_LIST_LIMIT = 1_000;

/** Counts and lists under construction. */
export class VerifyFindings {
	manifestCount = 0;
	dataFileCount = 0;
	deleteFileCount = 0;
	rowCount = 0;
	sizeBytes = 0;
	checksumCount = 0;
	pagesWithoutChecksum = 0;
	problemCount = 0;
	uncheckedCount = 0;
	readonly problems: VerifyProblem[] = [];
	readonly unchecked: UncheckedFile[] = [];

	add(kind: VerifyProblemKind, location: string, message: string): void {
		this.problemCount++;
		if (this.problems.length < VERIFY_LIST_LIMIT) this.problems.push({ kind, location, message });
	}

	leave(location: string, reason: string): void {
		this.uncheckedCount++;
		if (this.unchecked.length < VERIFY_LIST_LIMIT) this.unchecked.push({ location, reason });
	}

	report(snapshotId: bigint | undefined, deep: boolean): VerifyReport {
		const { problems, unchecked, problemCount, uncheckedCount } = this;
		return {
			ok: problemCount === 0,
			deep,
			snapshotId,
			manifestCount: this.manifestCount,
			dataFileCount: this.dataFileCount,
			deleteFileCount: this.deleteFileCount,
			rowCount: this.rowCount,
			sizeBytes: this.sizeBytes,
			checksumCount: this.checksumCount,
			pagesWithoutChecksum: this.pagesWithoutChecksum,
			problems,
			problemCount,
			unchecked,
			uncheckedCount,
		};
	}
}
