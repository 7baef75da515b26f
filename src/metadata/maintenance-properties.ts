/** Table properties of the maintenance that a table does by itself. `docs/maintenance.md` has what each one bounds. */
import { booleanProperty, integerProperty, type Properties, textProperty } from './table-properties.ts';

export const MAINTENANCE_PROPERTY = {
	enabled: 'datashard.maintenance.enabled',
	dutyPercent: 'datashard.maintenance.duty-percent',
	thinningEnabled: 'datashard.maintenance.thinning.enabled',
	keepNewest: 'datashard.maintenance.thinning.keep-newest',
	compactionEnabled: 'datashard.maintenance.compaction.enabled',
	fanIn: 'datashard.maintenance.compaction.fan-in',
	rowBufferBytes: 'datashard.maintenance.compaction.row-buffer-bytes',
	deletionEnabled: 'datashard.maintenance.deletion.enabled',
	graceMs: 'datashard.maintenance.deletion.grace-ms',
	dataGraceMs: 'datashard.maintenance.deletion.data-grace-ms',
	leastGraceMs: 'datashard.maintenance.deletion.least-grace-ms',
	leastMetadataGraceMs: 'datashard.maintenance.deletion.least-metadata-grace-ms',
	budgetBytes: 'datashard.maintenance.deletion.budget-bytes',
	sweepIntervalMs: 'datashard.maintenance.deletion.sweep-interval-ms',
} as const;

const MAX_MS = 10 * 365 * 86_400_000;
const MAX_BUFFER_BYTES = 1024 * 1024 * 1024;

export interface ThinningProperties {
	readonly enabled: boolean;
	/** newest snapshots of each branch that stay, whatever their age */
	readonly keepNewest: number;
}

export interface MaintenanceProperties {
	/** false: nothing at all is done in the background, nor is history thinned */
	readonly enabled: boolean;
	/** most of the time of its thread that maintenance takes, percent */
	readonly dutyPercent: number;
	readonly thinning: ThinningProperties;
	readonly compaction: {
		readonly enabled: boolean;
		/** files of one level from which on they are put together */
		readonly fanIn: number;
		/** bytes of appended rows that are kept in memory, to be merged without being read back; 0: none */
		readonly rowBufferBytes: number;
	};
	readonly deletion: {
		readonly enabled: boolean;
		/** how long a file stays after the last snapshot that reached it was removed, ms */
		readonly graceMs: number;
		/** the same for data and delete files, ms */
		readonly dataGraceMs: number;
		/** what that of data and delete files shrinks to while there is more such garbage than the budget, ms */
		readonly leastGraceMs: number;
		/** the same for manifests and manifest lists, which a reader reads first, ms */
		readonly leastMetadataGraceMs: number;
		/** bytes of garbage up to which the grace does not shrink; twice the live bytes of data, half of metadata, if that is more */
		readonly budgetBytes: number;
		/** how often the folders are looked through for files of writers that are gone, ms */
		readonly sweepIntervalMs: number;
	};
}

/** @throws `INVALID_ARGUMENT`, naming property and value */
export function thinningProperties(properties: Properties): ThinningProperties {
	return {
		enabled:
			booleanProperty(properties, MAINTENANCE_PROPERTY.enabled, true) &&
			booleanProperty(properties, MAINTENANCE_PROPERTY.thinningEnabled, true),
		keepNewest: integerProperty(properties, MAINTENANCE_PROPERTY.keepNewest, 20, { min: 1, max: 100_000 }),
	};
}

/** @throws `INVALID_ARGUMENT`, naming property and value */
export function maintenanceProperties(properties: Properties): MaintenanceProperties {
	const duration = (name: string, fallback: number): number =>
		integerProperty(properties, name, fallback, { max: MAX_MS });
	const graceMs = duration(MAINTENANCE_PROPERTY.graceMs, 60_000);
	const leastGraceMs = Math.min(graceMs, duration(MAINTENANCE_PROPERTY.leastGraceMs, 5_000));
	// Who asks for a longer least grace asks for it for all files.
	const isLeastAsked = textProperty(properties, MAINTENANCE_PROPERTY.leastGraceMs) !== undefined;
	const leastMetadataGraceMs = Math.min(
		graceMs,
		duration(MAINTENANCE_PROPERTY.leastMetadataGraceMs, isLeastAsked ? leastGraceMs : 2_000),
	);
	return {
		enabled: booleanProperty(properties, MAINTENANCE_PROPERTY.enabled, true),
		dutyPercent: integerProperty(properties, MAINTENANCE_PROPERTY.dutyPercent, 25, { min: 1, max: 100 }),
		thinning: thinningProperties(properties),
		compaction: {
			enabled: booleanProperty(properties, MAINTENANCE_PROPERTY.compactionEnabled, true),
			fanIn: integerProperty(properties, MAINTENANCE_PROPERTY.fanIn, 8, { min: 2, max: 64 }),
			rowBufferBytes: integerProperty(properties, MAINTENANCE_PROPERTY.rowBufferBytes, 16 * 1024 * 1024, {
				max: MAX_BUFFER_BYTES,
			}),
		},
		deletion: {
			enabled: booleanProperty(properties, MAINTENANCE_PROPERTY.deletionEnabled, true),
			graceMs,
			dataGraceMs: duration(MAINTENANCE_PROPERTY.dataGraceMs, graceMs),
			leastGraceMs,
			leastMetadataGraceMs,
			budgetBytes: integerProperty(properties, MAINTENANCE_PROPERTY.budgetBytes, 512 * 1024),
			sweepIntervalMs: integerProperty(properties, MAINTENANCE_PROPERTY.sweepIntervalMs, 60_000, {
				min: 1_000,
				max: MAX_MS,
			}),
		},
	};
}
