/** Raising a table's format version. Iceberg spec: Format Versioning. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FormatVersion, TableMetadata } from '../spec/table-metadata.ts';
import { MAX_FORMAT_VERSION } from '../spec/table-metadata-json.ts';
import type { Action, ActionResult } from './action.ts';

export class UpgradeFormatAction implements Action {
	readonly name = 'upgrade format version';
	readonly #formatVersion: FormatVersion;

	/** @throws `UNSUPPORTED` for a version that there is not */
	constructor(formatVersion: number) {
		if (!Number.isInteger(formatVersion) || formatVersion < 1 || formatVersion > MAX_FORMAT_VERSION)
			throw new IcebergError(
				'UNSUPPORTED',
				`there is no format version ${String(formatVersion)} (there are 1 to ${MAX_FORMAT_VERSION})`,
			);
		this.#formatVersion = formatVersion as FormatVersion;
	}

	/** Does nothing for a table that has the version. @throws `UNSUPPORTED` for one that has a newer one */
	async apply(base: TableMetadata): Promise<ActionResult> {
		if (base.formatVersion > this.#formatVersion)
			throw new IcebergError(
				'UNSUPPORTED',
				`a table of format version ${base.formatVersion} cannot go back to ${this.#formatVersion}`,
			);
		return {
			updates:
				base.formatVersion === this.#formatVersion
					? []
					: [{ action: 'upgrade-format-version', formatVersion: this.#formatVersion }],
			requirements: [],
			newFiles: [],
		};
	}

	async committed(): Promise<void> {
		// It writes no files.
	}

	async abandoned(): Promise<void> {
		// It writes no files.
	}
}
