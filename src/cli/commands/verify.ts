import { loadTable, type VerifyReport, verifyTable } from '../../index.ts';
import { programJson } from '../cell-text.ts';
import { EXIT } from '../exit-code.ts';
import { selectorOf, type StateOptions } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { counted, grouped, shortBytes } from '../progress.ts';

export async function runVerify(
	{ terminal, signal }: CommandContext,
	location: string,
	options: StateOptions & { readonly deep?: boolean; readonly json?: boolean },
): Promise<number> {
	await using table = await loadTable(location, { signal });
	const { stderr } = terminal;
	const report = await verifyTable(table, {
		...selectorOf(options),
		deep: options.deep === true,
		signal,
		...(stderr.isTerminal
			? {
					onFile: (count) => {
						void stderr.write(`\r${counted(count, 'file')}\u001b[K`);
					},
				}
			: {}),
	});
	if (stderr.isTerminal) await stderr.write('\r\u001b[K');
	await terminal.stdout.write(
		options.json === true ? programJson({ ...report, snapshotId: report.snapshotId ?? null }) : reportText(report),
	);
	return report.ok ? EXIT.ok : EXIT.failure;
}

function reportText(report: VerifyReport): string {
	if (report.snapshotId === undefined) return 'the table has no snapshot: nothing to verify\n';
	const lines = report.problems.map(({ kind, location, message }) => `${kind}: ${location}: ${message}`);
	const hidden = report.problemCount - report.problems.length;
	if (hidden > 0) lines.push(`and ${grouped(hidden)} more`);
	const pages =
		report.checksumCount > 0
			? counted(report.checksumCount, 'page checksum')
			: 'no page checksums (the writer made none)';
	lines.push(
		`snapshot ${report.snapshotId}: ${counted(report.manifestCount, 'manifest')}, ${counted(report.dataFileCount, 'data file')}, ` +
			`${counted(report.deleteFileCount, 'delete file')}, ${counted(report.rowCount, 'row')}, ${shortBytes(report.sizeBytes)}, ${pages}` +
			`${report.deep ? ', all rows read' : ''}`,
	);
	if (report.uncheckedCount > 0) {
		const [first] = report.unchecked;
		lines.push(
			`not looked into: ${counted(report.uncheckedCount, 'file')}, such as ${first?.location} (${first?.reason})`,
		);
	}
	lines.push(report.ok ? 'sound' : `damaged: ${counted(report.problemCount, 'problem')}`);
	return `${lines.join('\n')}\n`;
}
