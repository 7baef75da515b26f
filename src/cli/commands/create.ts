import { createTable, dropTable, IcebergError } from '../../index.ts';
import { programJson } from '../cell-text.ts';
import { formatVersionOf, listOf, propertiesOf, schemaOf } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { counted } from '../progress.ts';

export interface NewTableOptions {
	readonly schema?: string;
	readonly partitionBy?: string;
	readonly sortBy?: string;
	readonly property?: readonly string[];
	readonly formatVersion?: string;
}

/** What `createTable` takes beside place and schema. */
export function tableOptions(options: NewTableOptions): {
	partitionBy: string[];
	sortBy: string[];
	properties: Record<string, string>;
	formatVersion?: 1 | 2 | 3;
} {
	const formatVersion = formatVersionOf(options.formatVersion);
	return {
		partitionBy: listOf(options.partitionBy),
		sortBy: listOf(options.sortBy),
		properties: propertiesOf(options.property),
		...(formatVersion === undefined ? {} : { formatVersion }),
	};
}

export async function runCreate(
	{ terminal, signal }: CommandContext,
	location: string,
	options: NewTableOptions & { readonly json?: boolean },
): Promise<void> {
	const table = await createTable(location, schemaOf(options.schema ?? ''), { ...tableOptions(options), signal });
	try {
		const { uuid, metadataLocation } = table;
		const result = { location: table.location, uuid, metadataLocation };
		await terminal.stdout.write(
			options.json === true
				? programJson(result)
				: `created ${table.location} with ${counted(table.schema.fields.length, 'column')}\n`,
		);
	} finally {
		await table.close();
	}
}

export async function runDrop(
	{ terminal, signal }: CommandContext,
	location: string,
	options: { readonly yes?: boolean; readonly json?: boolean },
): Promise<void> {
	if (options.yes !== true)
		throw new IcebergError('INVALID_ARGUMENT', `drop deletes all files of ${location}; say --yes if that is wanted`);
	const { deletedFileCount, keptFiles, keptFileCount } = await dropTable(location, { signal });
	if (options.json === true) {
		await terminal.stdout.write(programJson({ deletedFileCount, keptFileCount, keptFiles }));
		return;
	}
	await terminal.stdout.write(`dropped ${location}: ${deletedFileCount} files deleted\n`);
	if (keptFileCount > 0)
		await terminal.stdout.write(`${keptFileCount} files that are not the table's were kept, such as ${keptFiles[0]}\n`);
}
