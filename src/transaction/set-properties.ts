/** Setting and removing table properties. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { maintenanceProperties } from '../metadata/maintenance-properties.ts';
import { checkProperties, type Properties } from '../metadata/table-properties.ts';
import type { TableUpdate } from '../metadata/table-update.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { Action, ActionResult } from './action.ts';

export class SetPropertiesAction implements Action {
	readonly name = 'set properties';
	readonly #updates: Properties;
	readonly #removals: readonly string[];

	/**
	 * @param removals of properties that are not there do nothing
	 * @throws `INVALID_ARGUMENT`, naming property and value, for nonsense, reserved names, or one both set and removed
	 */
	constructor(updates: Properties, removals: readonly string[] = []) {
		checkProperties(updates);
		maintenanceProperties(updates);
		const both = removals.find((name) => Object.hasOwn(updates, name));
		if (both !== undefined)
			throw new IcebergError('INVALID_ARGUMENT', `the property '${both}' cannot be both set and removed`);
		this.#updates = { ...updates };
		this.#removals = [...removals];
	}

	/** Changes only what is not so already. */
	async apply(base: TableMetadata): Promise<ActionResult> {
		const set = Object.entries(this.#updates).filter(
			([name, value]) => !Object.hasOwn(base.properties, name) || base.properties[name] !== value,
		);
		const removals = this.#removals.filter((name) => Object.hasOwn(base.properties, name));
		const updates: TableUpdate[] = [];
		if (set.length > 0) updates.push({ action: 'set-properties', updates: Object.fromEntries(set) });
		if (removals.length > 0) updates.push({ action: 'remove-properties', removals });
		return { updates, requirements: [], newFiles: [] };
	}

	async committed(): Promise<void> {
		// It writes no files.
	}

	async abandoned(): Promise<void> {
		// It writes no files.
	}
}
