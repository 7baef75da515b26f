/** compact, expire, rewrite-manifests, remove-orphans, vacuum. */
import {
	type CleanupReport,
	compact,
	type CompactResult,
	type ExpireResult,
	expireSnapshots,
	IcebergError,
	loadTable,
	removeOrphans,
	rewriteManifests,
	type RewriteManifestsResult,
	vacuum,
} from '../../index.ts';
import { programJson } from '../cell-text.ts';
import { countOf, durationOf } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { counted, grouped, shortBytes } from '../progress.ts';

interface CompactFlags {
	readonly where?: string;
	readonly targetSize?: string;
	readonly minFiles?: string;
	readonly branch?: string;
}

interface ExpireFlags {
	readonly olderThan?: string;
	readonly retainLast?: string;
}

interface CommonFlags {
	readonly grace?: string;
	readonly dryRun?: boolean;
	readonly json?: boolean;
}

export async function runCompact(
	{ terminal, signal }: CommandContext,
	location: string,
	options: CompactFlags & CommonFlags,
): Promise<void> {
	await using table = await loadTable(location, { signal });
	const result = await compact(table, { ...compactOptions(options), dryRun: options.dryRun === true, signal });
	await terminal.stdout.write(options.json === true ? programJson(result) : compactText(result));
}

export async function runExpire(
	{ terminal, signal }: CommandContext,
	location: string,
	options: ExpireFlags & CommonFlags & { readonly snapshot?: string[]; readonly metadataOnly?: boolean },
): Promise<void> {
	await using table = await loadTable(location, { signal });
	const result = await expireSnapshots(table, {
		...expireOptions(options),
		...graceOption(options),
		...(options.snapshot === undefined ? {} : { snapshotIds: options.snapshot }),
		metadataOnly: options.metadataOnly === true,
		dryRun: options.dryRun === true,
		signal,
	});
	await terminal.stdout.write(options.json === true ? programJson(result) : expireText(result));
}

export async function runRewriteManifests(
	{ terminal, signal }: CommandContext,
	location: string,
	options: { readonly targetSize?: string; readonly force?: boolean; readonly json?: boolean },
): Promise<void> {
	await using table = await loadTable(location, { signal });
	const targetSizeBytes = bytesOf('--target-size', options.targetSize);
	const result = await rewriteManifests(table, {
		...(targetSizeBytes === undefined ? {} : { targetSizeBytes }),
		force: options.force === true,
		signal,
	});
	await terminal.stdout.write(options.json === true ? programJson(result) : manifestsText(result));
}

export async function runRemoveOrphans(
	{ terminal, signal }: CommandContext,
	location: string,
	options: CommonFlags & { readonly olderThan?: string; readonly force?: boolean },
): Promise<void> {
	await using table = await loadTable(location, { signal });
	const olderThanMs = durationOf('--older-than', options.olderThan);
	const result = await removeOrphans(table, {
		...(olderThanMs === undefined ? {} : { olderThanMs }),
		...graceOption(options),
		force: options.force === true,
		dryRun: options.dryRun === true,
		signal,
	});
	await terminal.stdout.write(options.json === true ? programJson(result) : cleanupText(result));
}

export async function runVacuum(
	{ terminal, signal }: CommandContext,
	location: string,
	options: CompactFlags & ExpireFlags & CommonFlags,
): Promise<void> {
	await using table = await loadTable(location, { signal });
	const result = await vacuum(table, {
		compact: compactOptions(options),
		expire: expireOptions(options),
		...graceOption(options),
		dryRun: options.dryRun === true,
		signal,
	});
	if (options.json === true) return terminal.stdout.write(programJson(result));
	await terminal.stdout.write(
		compactText(result.compact) +
			(result.manifests === undefined ? '' : manifestsText(result.manifests)) +
			expireText(result.expire) +
			cleanupText(result.orphans),
	);
}

function compactOptions(options: CompactFlags) {
	const targetFileSizeBytes = bytesOf('--target-size', options.targetSize);
	const minInputFiles = countOf('--min-files', options.minFiles);
	return {
		...(options.where === undefined ? {} : { where: options.where }),
		...(targetFileSizeBytes === undefined ? {} : { targetFileSizeBytes }),
		...(minInputFiles === undefined ? {} : { minInputFiles }),
		...(options.branch === undefined ? {} : { branch: options.branch }),
	};
}

function expireOptions(options: ExpireFlags) {
	const olderThanMs = durationOf('--older-than', options.olderThan);
	const retainLast = countOf('--retain-last', options.retainLast);
	return {
		...(olderThanMs === undefined ? {} : { olderThanMs }),
		...(retainLast === undefined ? {} : { retainLast }),
	};
}

function graceOption(options: CommonFlags): { graceMs?: number } {
	const graceMs = durationOf('--grace', options.grace);
	return graceMs === undefined ? {} : { graceMs };
}

function compactText(result: CompactResult): string {
	const files = counted(result.rewrittenFileCount, 'file');
	const lines: string[] = [];
	if (result.rewrittenFileCount === 0) lines.push('compact: no small files to put together');
	else if (result.dryRun)
		lines.push(
			`compact: would rewrite ${files}, ${shortBytes(result.rewrittenBytes)}, ${counted(result.rowCount, 'row')}`,
		);
	else
		lines.push(
			`compact: ${files}, ${shortBytes(result.rewrittenBytes)}, became ${counted(result.addedFileCount, 'file')}, ` +
				`${shortBytes(result.addedBytes)}, with the same ${counted(result.rowCount, 'row')}`,
		);
	const [first] = result.skipped;
	if (first !== undefined)
		lines.push(`left ${counted(result.skippedCount, 'small file')}, such as ${first.location}: ${first.reason}`);
	return `${lines.join('\n')}\n`;
}

function manifestsText(result: RewriteManifestsResult): string {
	return result.committed
		? `manifests: ${grouped(result.rewrittenManifestCount)} became ${grouped(result.addedManifestCount)}\n`
		: 'manifests: nothing to gain\n';
}

function expireText(result: ExpireResult): string {
	const would = result.dryRun ? 'would remove' : 'removed';
	const lines = [`expire: ${would} ${counted(result.snapshots.length, 'snapshot')}`];
	for (const ref of result.refs) lines.push(`${would} the branch or tag '${ref}': it is past its age`);
	if (result.pendingUntilMs !== undefined)
		lines.push(
			`files of ${counted(result.pendingSnapshotCount, 'removed snapshot')} stay for readers that may still need them; ` +
				`a run after ${new Date(result.pendingUntilMs).toISOString()} deletes them`,
		);
	return `${lines.join('\n')}\n${cleanupText(result)}`;
}

function cleanupText(result: CleanupReport): string {
	const { files, fileCount, sizeBytes, kept, keptCount, dryRun } = result;
	const lines = files.map((file) => `${dryRun ? 'would delete' : 'deleted'} ${file.location}: ${file.reason}`);
	if (fileCount > files.length) lines.push(`and ${grouped(fileCount - files.length)} more`);
	for (const file of kept) lines.push(`kept ${file.location}: ${file.reason}`);
	if (keptCount > kept.length) lines.push(`and ${grouped(keptCount - kept.length)} more`);
	lines.push(`${counted(fileCount, 'file')} ${dryRun ? 'to delete' : 'deleted'}, ${shortBytes(sizeBytes)}`);
	return `${lines.join('\n')}\n`;
}

const UNIT_BYTES: Readonly<Record<string, number>> = { '': 1, k: 1000, m: 1e6, g: 1e9 };

function bytesOf(option: string, text: string | undefined): number | undefined {
	if (text === undefined) return undefined;
	const [, count, unit] = /^(\d{1,12}) ?([kmg]?)b?$/i.exec(text) ?? [];
	if (count !== undefined && unit !== undefined) return Number(count) * (UNIT_BYTES[unit.toLowerCase()] as number);
	throw new IcebergError('INVALID_ARGUMENT', `${option} is a number of bytes such as 8388608 or 128MB, not '${text}'`);
}
