import { runStress, type StressProgress, type StressReport } from '../../testing.ts';
import { programJson } from '../cell-text.ts';
import { EXIT } from '../exit-code.ts';
import { countOf, durationOf, propertiesOf } from '../options.ts';
import type { CommandContext } from '../program.ts';
import { grouped, shortNumber } from '../progress.ts';
import { stressText } from '../stress-text.ts';

interface StressFlags {
	readonly processes?: string;
	readonly operations?: string;
	readonly duration?: string;
	readonly inFlight?: string;
	readonly until: 'committed' | 'journaled';
	readonly warmUp?: string;
	readonly location?: string;
	readonly property?: readonly string[];
	readonly keep?: boolean;
	readonly compare: 'plain-files' | 'none';
	readonly cpuProf?: string;
	readonly json?: boolean;
}

export async function runStressCommand({ terminal, signal }: CommandContext, flags: StressFlags): Promise<number> {
	const { stderr, stdout } = terminal;
	let drawing = Promise.resolve();
	const onProgress = (progress: StressProgress): void => {
		drawing = drawing.then(() => stderr.write(`\r${progressLine(progress).slice(0, stderr.width - 1)}\u001b[K`));
	};
	const numbers = {
		processes: countOf('--processes', flags.processes),
		operations: countOf('--operations', flags.operations),
		durationMs: durationOf('--duration', flags.duration),
		inFlight: countOf('--in-flight', flags.inFlight),
		warmUp: countOf('--warm-up', flags.warmUp),
	};
	const given = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined));
	try {
		const report = await runStress({
			...given,
			until: flags.until,
			...(flags.location === undefined ? {} : { location: flags.location }),
			...(flags.cpuProf === undefined ? {} : { cpuProfFolder: flags.cpuProf }),
			...(flags.compare === 'none' ? { compareMs: 0 } : {}),
			...(stderr.isTerminal ? { onProgress } : {}),
			properties: propertiesOf(flags.property),
			keep: flags.keep === true,
			signal,
		});
		await clear();
		await stdout.write(flags.json === true ? programJson(report) : stressText(report));
		return exitCodeFor(report);
	} finally {
		await clear();
	}

	async function clear(): Promise<void> {
		await drawing;
		if (stderr.isTerminal) await stderr.write('\r\u001b[K');
	}
}

function exitCodeFor(report: StressReport): number {
	return report.ok ? EXIT.ok : EXIT.failure;
}

function progressLine(progress: StressProgress): string {
	const { phase, acknowledged, expected, failed, ratePerSecond, p50, p99, max } = progress;
	if (acknowledged === 0 && progress.elapsedMs === 0) return `${phase} …`;
	const of = expected === undefined ? '' : ` of ${grouped(expected)}`;
	const failures = failed === 0 ? '' : `, ${grouped(failed)} failed`;
	const times = `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(0)} ms`;
	return `${phase}: ${grouped(acknowledged)}${of}${failures}, ${shortNumber(ratePerSecond)} rows/s, ${times}`;
}
