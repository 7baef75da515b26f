/** Where new data files go. Iceberg: Configuration, `write.data.path`, `write.object-storage.*`. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { joinLocation, withoutTrailingSlash } from '../io/location.ts';
import { booleanProperty, type Properties, TABLE_PROPERTY, textProperty } from '../metadata/table-properties.ts';
import { partitionPath } from '../spec/partition-path.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { StructType, StructValue } from '../spec/types.ts';
import { murmur3Bytes } from '../util/murmur3.ts';

export interface DataLocations {
	/** @param type the spec's partition type */
	newDataLocation(fileName: string, spec: PartitionSpec, type: StructType, partition: StructValue): string;
}

/** Longest name of a partition's folder; file systems take 255 bytes. Such paths are ASCII. */
const PARTITION_NAME_LIMIT_BYTES = 200;
/** Longest path of a partition below the data folder; most file systems take 4,096 bytes in all. */
const PARTITION_PATH_LIMIT_BYTES = 1_500;

const HASH_BITS = 20;
const HASH_FOLDER_BITS = 4;
const HASH_FOLDERS = 3;

/**
 * The layout that a table's properties ask for: `data/<partition>/<file>`, or with `write.object-storage.enabled` folders
 * named by a hash of the file's name, which spreads load over the prefixes of an object store.
 * @throws `UNSUPPORTED` for a layout of the user's own (`write.location-provider.impl`)
 */
export function dataLocations(tableLocation: string, properties: Properties): DataLocations {
	const impl = textProperty(properties, 'write.location-provider.impl');
	if (impl !== undefined)
		throw new IcebergError(
			'UNSUPPORTED',
			`write.location-provider.impl is the Java class '${impl}', which cannot be run here`,
			{
				context: { property: 'write.location-provider.impl', value: impl },
			},
		);
	const table = withoutTrailingSlash(tableLocation);
	return booleanProperty(properties, 'write.object-storage.enabled', false)
		? objectStorageLocations(table, properties)
		: folderLocations(dataFolder(table, properties, ['write.folder-storage.path']));
}

function dataFolder(table: string, properties: Properties, legacyNames: readonly string[]): string {
	for (const name of [TABLE_PROPERTY.dataPath, ...legacyNames]) {
		const folder = textProperty(properties, name);
		if (folder !== undefined) return withoutTrailingSlash(folder);
	}
	return joinLocation(table, 'data');
}

function folderLocations(folder: string): DataLocations {
	return {
		newDataLocation: (fileName, spec, type, partition) => {
			const path = folderOf(spec, type, partition);
			return path === '' ? joinLocation(folder, fileName) : joinLocation(folder, path, fileName);
		},
	};
}

function objectStorageLocations(table: string, properties: Properties): DataLocations {
	const folder = dataFolder(table, properties, ['write.object-storage.path', 'write.folder-storage.path']);
	const withPartitions = booleanProperty(properties, 'write.object-storage.partitioned-paths', true);
	// Outside of the table's folder several tables may share the place, so its last two names are kept.
	const context = folder.startsWith(table) ? undefined : table.split('/').slice(-2).join('/');
	return {
		newDataLocation: (fileName, spec, type, partition) => {
			const path = withPartitions ? folderOf(spec, type, partition) : '';
			const name = path === '' ? fileName : `${path}/${fileName}`;
			const hash = hashFolders(name);
			if (context !== undefined) return joinLocation(folder, hash, context, name);
			return withPartitions ? joinLocation(folder, hash, name) : joinLocation(folder, `${hash}-${name}`);
		},
	};
}

/**
 * The folder of a partition. Long names are cut and end in a hash of the whole: no engine reads them, and files of two
 * partitions may share a folder.
 */
function folderOf(spec: PartitionSpec, type: StructType, partition: StructValue): string {
	const path = partitionPath(spec, type, partition);
	if (path.length <= PARTITION_NAME_LIMIT_BYTES) return path;
	const cut = path.split('/').map((name) => shortened(name, name, PARTITION_NAME_LIMIT_BYTES));
	return shortened(cut.join('/'), path, PARTITION_PATH_LIMIT_BYTES);
}

function shortened(name: string, whole: string, limit: number): string {
	if (name.length <= limit) return name;
	const hash = hashOf(whole).toString(16).padStart(8, '0');
	const head = name.slice(0, limit - hash.length - 1).replace(/(%[0-9A-F]?|\/)$/, '');
	return `${head}~${hash}`;
}

function hashOf(text: string): number {
	return murmur3Bytes(new TextEncoder().encode(text)) >>> 0;
}

/** `1001/1001/1001/10011001`: three folders of four bits, and the rest of twenty. */
function hashFolders(name: string): string {
	const bits = hashOf(name).toString(2).padStart(32, '0').slice(-HASH_BITS);
	const parts: string[] = [];
	for (let i = 0; i < HASH_FOLDERS; i += 1) parts.push(bits.slice(i * HASH_FOLDER_BITS, (i + 1) * HASH_FOLDER_BITS));
	return [...parts, bits.slice(HASH_FOLDERS * HASH_FOLDER_BITS)].join('/');
}
