import {
	type DataFile,
	loadTable,
	partitionPath,
	partitionType,
	schemaToJson,
	type SortOrder,
	stringifyJson,
	type Snapshot,
	type Table,
	transformToString,
} from '../../index.ts';
import { programJson } from '../cell-text.ts';
import { flatColumns } from '../flat-columns.ts';
import { selectorOf, type StateOptions } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { grouped, shortBytes } from '../progress.ts';
import { writeSmallTable } from '../text-table.ts';

interface JsonOption {
	readonly json?: boolean;
}

export async function runSchema(
	{ terminal, signal }: CommandContext,
	location: string,
	options: JsonOption,
): Promise<void> {
	await using table = await loadTable(location, { signal });
	if (options.json === true) {
		await terminal.stdout.write(`${stringifyJson(schemaToJson(table.schema), '  ')}\n`);
		return;
	}
	const rows = flatColumns(table.schema.fields).map(({ id, name, type, required, doc }) => [
		id,
		name,
		type,
		required,
		doc,
	]);
	await writeSmallTable(terminal.stdout, ['id', 'column', 'type', 'null?', 'doc'], rows);
	const partition = partitionText(table);
	const order = sortText(table, table.sortOrder);
	if (partition !== '') await terminal.stdout.write(`\npartitioned by ${partition}\n`);
	if (order !== '') await terminal.stdout.write(`${partition === '' ? '\n' : ''}sorted by ${order}\n`);
}

/** `day(started_at), region` */
function partitionText(table: Table): string {
	return table.spec.fields.map(({ sourceId, transform }) => transformText(table, sourceId, transform)).join(', ');
}

function sortText(table: Table, order: SortOrder): string {
	return order.fields
		.map(({ sourceId, transform, direction, nullOrder }) => {
			const column = transformText(table, sourceId, transform);
			return `${column} ${direction} ${nullOrder.replace('-', ' ')}`;
		})
		.join(', ');
}

function transformText(table: Table, sourceId: number, transform: Parameters<typeof transformToString>[0]): string {
	const column = table.schema.nameOf(sourceId) ?? `column ${sourceId}`;
	const text = transformToString(transform);
	if (transform.kind === 'identity') return column;
	const parameter = /^(\w+)\[(\d+)\]$/.exec(text);
	return parameter === null ? `${text}(${column})` : `${parameter[1]}(${parameter[2]}, ${column})`;
}

export async function runSnapshots(
	{ terminal, signal }: CommandContext,
	location: string,
	options: JsonOption,
): Promise<void> {
	await using table = await loadTable(location, { signal });
	const snapshots = await table.snapshots();
	const current = await table.currentSnapshot();
	if (options.json === true) {
		await terminal.stdout.write(programJson(snapshots.map((snapshot) => snapshotJson(snapshot, current))));
		return;
	}
	const rows = snapshots.map((snapshot) => [
		snapshot.snapshotId === current?.snapshotId ? '*' : '',
		snapshot.snapshotId,
		timeText(snapshot.timestampMs),
		snapshot.summary?.['operation'] ?? null,
		countText(snapshot.summary?.['added-records']),
		countText(snapshot.summary?.['total-records']),
		refsOf(table, snapshot),
	]);
	await writeSmallTable(
		terminal.stdout,
		['', 'snapshot', 'committed', 'operation', 'rows added', 'rows', 'refs'],
		rows,
	);
}

function refsOf(table: Table, snapshot: Snapshot): string {
	return Object.entries(table.refs)
		.filter(([, ref]) => ref.snapshotId === snapshot.snapshotId)
		.map(([name]) => name)
		.join(', ');
}

function snapshotJson(snapshot: Snapshot, current: Snapshot | undefined): Record<string, unknown> {
	return {
		snapshotId: snapshot.snapshotId,
		parentSnapshotId: snapshot.parentSnapshotId ?? null,
		isCurrent: snapshot.snapshotId === current?.snapshotId,
		sequenceNumber: snapshot.sequenceNumber,
		timestampMs: snapshot.timestampMs,
		committedAt: timeText(snapshot.timestampMs),
		schemaId: snapshot.schemaId ?? null,
		manifestList: snapshot.manifestList ?? null,
		summary: snapshot.summary ?? {},
	};
}

function timeText(timestampMs: number): string {
	return new Date(timestampMs).toISOString();
}

function countText(text: string | undefined): bigint | null {
	return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : null;
}

export async function runFiles(
	{ terminal, signal }: CommandContext,
	location: string,
	options: JsonOption & StateOptions,
): Promise<void> {
	await using table = await loadTable(location, { signal });
	const files = await table.dataFiles(selectorOf(options));
	const partitionOf = partitionTexts(table);
	if (options.json === true) {
		const json = files.map((file) => ({
			location: file.location,
			format: file.format,
			partition: partitionOf(file),
			recordCount: file.recordCount,
			fileSizeInBytes: file.fileSizeInBytes,
			specId: file.specId,
			sortOrderId: file.sortOrderId ?? null,
			splitOffsets: file.splitOffsets ?? [],
		}));
		await terminal.stdout.write(programJson(json));
		return;
	}
	const prefix = `${table.metadata.location}/`;
	const rows = files.map((file) => [
		file.location.startsWith(prefix) ? file.location.slice(prefix.length) : file.location,
		partitionOf(file),
		file.recordCount,
		shortBytes(file.fileSizeInBytes),
	]);
	await writeSmallTable(terminal.stdout, ['file', 'partition', 'rows', 'size'], rows);
}

/** The partition of a file as a path such as `ts_day=2024-02-29/region=north`. */
function partitionTexts(table: Table): (file: DataFile) => string {
	const { schemas, partitionSpecs } = table.metadata;
	const newestFirst = [table.schema, ...schemas.toReversed()];
	const byId = new Map(
		partitionSpecs.map((spec) => [spec.specId, { spec, type: partitionType(spec, ...newestFirst) }] as const),
	);
	return ({ specId, partition }) => {
		const found = byId.get(specId);
		return found === undefined ? '' : partitionPath(found.spec, found.type, partition);
	};
}

export async function runInfo(
	{ terminal, signal }: CommandContext,
	location: string,
	options: JsonOption,
): Promise<void> {
	await using table = await loadTable(location, { signal });
	const snapshot = await table.currentSnapshot();
	const summary = snapshot?.summary ?? {};
	const count = (key: string): number | null => (/^\d+$/.test(summary[key] ?? '') ? Number(summary[key]) : null);
	const info = {
		location: table.metadata.location,
		metadataLocation: table.metadataLocation,
		formatVersion: table.formatVersion,
		uuid: table.uuid ?? null,
		lastUpdated: timeText(table.metadata.lastUpdatedMs),
		columns: table.schema.fields.length,
		partitionedBy: partitionText(table),
		sortedBy: sortText(table, table.sortOrder),
		currentSnapshotId: snapshot?.snapshotId ?? null,
		snapshots: table.metadata.snapshots.length,
		rows: snapshot === undefined ? 0 : count('total-records'),
		dataFiles: snapshot === undefined ? 0 : count('total-data-files'),
		deleteFiles: snapshot === undefined ? 0 : count('total-delete-files'),
		sizeBytes: snapshot === undefined ? 0 : count('total-files-size'),
		refs: Object.fromEntries(Object.entries(table.refs).map(([name, ref]) => [name, ref.snapshotId])),
		properties: table.properties,
	};
	if (options.json === true) {
		await terminal.stdout.write(programJson(info));
		return;
	}
	const number = (value: number | null): string => (value === null ? 'not told by the snapshot' : grouped(value));
	const lines: [string, string][] = [
		['location', info.location],
		['metadata', info.metadataLocation],
		['format version', String(info.formatVersion)],
		['uuid', info.uuid ?? 'none'],
		['last updated', info.lastUpdated],
		['columns', String(info.columns)],
		['partitioned by', info.partitionedBy === '' ? 'nothing' : info.partitionedBy],
		['sorted by', info.sortedBy === '' ? 'nothing' : info.sortedBy],
		['snapshot', info.currentSnapshotId === null ? 'none' : `${info.currentSnapshotId} (of ${info.snapshots})`],
		['rows', number(info.rows)],
		['data files', number(info.dataFiles)],
		['delete files', number(info.deleteFiles)],
		['size', info.sizeBytes === null ? number(null) : shortBytes(info.sizeBytes)],
		...Object.entries(info.refs).map(([name, id]): [string, string] => [`ref ${name}`, String(id)]),
		...Object.entries(info.properties).map(([key, value]): [string, string] => [key, value]),
	];
	const width = Math.max(...lines.map(([label]) => label.length));
	await terminal.stdout.write(lines.map(([label, text]) => `${label.padEnd(width)}  ${text}\n`).join(''));
}
