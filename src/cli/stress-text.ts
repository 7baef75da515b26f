/** What a stress test found, for people. */
import type { StressReport } from '../testing.ts';
import { counted, grouped, shortBytes } from './progress.ts';

export function stressText(report: StressReport): string {
	const { appends, table, visibility, inFlight } = report;
	const { latencyMs: latency, ageing } = appends;
	const processes = report.processes === 1 ? '1 process' : `${grouped(report.processes)} processes`;
	const atOnce = inFlight > 1 ? `, ${grouped(inFlight)} in flight` : '';
	const lines: [string, string][] = [
		[
			'rate',
			`${grouped(Math.round(appends.ratePerSecond))} rows/s: ${counted(latency.count, 'append')} in ` +
				`${seconds(appends.elapsedMs)}, ${appends.cpuMsEach.toFixed(2)} ms of processor time each`,
		],
		[
			'latency',
			`p50 ${ms(latency.p50)}, p99 ${ms(latency.p99)}, max ${ms(latency.max)}; longest silence ${ms(appends.longestGapMs)}`,
		],
	];
	if (ageing !== undefined)
		lines.push([
			'ageing',
			`the last 1,000 appends took ${ratio(ageing.timeRatio)} the time of those from 1,000 to 2,000, ` +
				`and ${ratio(ageing.latencyRatio)} their latency`,
		]);
	lines.push(
		['rows', checkText(report.check)],
		['visible', `longest lag ${ms(visibility.longestLagMs)} in ${counted(visibility.lookCount, 'look')}`],
		[
			'read',
			`opened and read in ${ms(table.readMs)}; the same rows appended at once: ${ms(table.readAtOnceMs)} ` +
				`(${ratio(table.readRatio)})`,
		],
		['on disk', diskText(table)],
		['history', historyText(table)],
		['verify', verifyText(table.verify)],
	);
	const parts = [`${processes}, each one record at a time${atOnce}, until ${report.until}`, section(lines)];
	if (report.plainFiles !== undefined) parts.push('', ...plainText(report.plainFiles));
	parts.push('', verdict(report));
	return `${parts.join('\n')}\n`;
}

function checkText(check: StressReport['check']): string {
	const kinds = [
		['lost', check.lost],
		['doubled', check.doubled],
		['altered', check.altered],
		['that nobody was told of', check.unacknowledged],
		['of failed appends', check.failedButThere],
		['of no writer', check.foreign],
	] as const;
	const wrong = kinds.filter(([, { count }]) => count > 0).map(([kind, { count }]) => `${grouped(count)} ${kind}`);
	const there = `${grouped(check.acknowledgedCount)} acknowledged, ${grouped(check.rowCount)} there`;
	return wrong.length === 0 ? `${there}, each exactly once and as it was appended` : `${there}: ${wrong.join(', ')}`;
}

function diskText(table: StressReport['table']): string {
	const { disk, unreferencedFileCount } = table;
	const parts = [
		`data ${shortBytes(table.liveDataBytes)} in ${counted(table.liveDataFileCount, 'file')}`,
		`with older snapshots ${shortBytes(disk.data.sizeBytes)} in ${counted(disk.data.fileCount, 'file')}`,
		`metadata ${shortBytes(disk.metadata.sizeBytes)} in ${counted(disk.metadata.fileCount, 'file')} ` +
			`(${ratio(table.metadataRatio)} the data)`,
	];
	const left = [
		...(disk.journals.fileCount === 0 ? [] : [counted(disk.journals.fileCount, 'journal')]),
		...(disk.temporary.fileCount === 0 ? [] : [counted(disk.temporary.fileCount, 'temporary file')]),
		...(unreferencedFileCount === 0 ? [] : [`${counted(unreferencedFileCount, 'file')} that nothing refers to`]),
	];
	return [...parts, ...(left.length === 0 ? [] : [`left over: ${left.join(', ')}`])].join('; ');
}

function verifyText(verify: StressReport['table']['verify']): string {
	return verify.ok ? `sound, ${counted(verify.rowCount, 'row')}` : counted(verify.problemCount, 'problem');
}

function historyText(table: StressReport['table']): string {
	const { snapshotCount, oldestSequenceNumber, newestSequenceNumber } = table;
	if (snapshotCount === 0) return 'no snapshot';
	const reach = oldestSequenceNumber === 1 ? 'back to the first' : `back to number ${grouped(oldestSequenceNumber)}`;
	return `${counted(snapshotCount, 'snapshot')} of ${grouped(newestSequenceNumber)}, ${reach}`;
}

function plainText(plain: NonNullable<StressReport['plainFiles']>): string[] {
	const there = plain.rowCount === undefined ? 'the file is no JSON any more' : `${grouped(plain.rowCount)} there`;
	const times = `p50 ${ms(plain.latencyMs.p50)}, max ${ms(plain.latencyMs.max)}`;
	return [
		`The same with a plain JSON file that each append reads and writes, for ${seconds(plain.elapsedMs)}`,
		section([
			['rate', `${grouped(Math.round(plain.ratePerSecond))} rows/s, ${times}`],
			['rows', `${grouped(plain.acknowledgedCount)} acknowledged, ${there}: ${grouped(plain.lostCount)} lost`],
			['failed', `${counted(plain.failureCount, 'append')} met a half-written file`],
		]),
	];
}

function verdict(report: StressReport): string {
	const where = report.kept ? [`The table is in ${report.location}`] : [];
	if (report.ok) return ['Nothing lost, nothing twice.', ...where].join('\n');
	return ['NOT as it must be:', ...report.problems.map((problem) => `  ${problem}`), ...where].join('\n');
}

function section(lines: readonly (readonly [string, string])[]): string {
	const width = Math.max(...lines.map(([name]) => name.length));
	return lines.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join('\n');
}

function ms(value: number): string {
	return `${value < 10 ? value.toFixed(1) : grouped(Math.round(value))} ms`;
}

function seconds(value: number): string {
	return `${(value / 1000).toFixed(1)} s`;
}

function ratio(value: number): string {
	return `${value.toFixed(2)} x`;
}
