/** A progress bar on a terminal. */
import { type ImportSource, systemClock } from '../index.ts';
import type { Terminal } from './terminal.ts';

const REDRAW_MS = 100;
const BAR_CHARACTERS = 24;

/** Draws how far an import has come until the work settles; nothing where stderr is no terminal. */
export async function withProgress<T>(terminal: Terminal, source: ImportSource, work: () => Promise<T>): Promise<T> {
	const { stderr } = terminal;
	if (!stderr.isTerminal) return work();
	const startedMs = systemClock.monotonicMs();
	const done = new AbortController();
	const drawing = (async () => {
		for (;;) {
			await systemClock.sleep(REDRAW_MS, done.signal);
			await stderr.write(
				`\r${progressLine(source, systemClock.monotonicMs() - startedMs).slice(0, stderr.width - 1)}\u001b[K`,
			);
		}
	})().catch(() => undefined);
	try {
		return await work();
	} finally {
		done.abort();
		await drawing;
		await stderr.write('\r\u001b[K');
	}
}

function progressLine({ progress, sizeBytes }: ImportSource, elapsedMs: number): string {
	const rate = elapsedMs > 0 ? (progress.rows * 1000) / elapsedMs : 0;
	const rows = `${grouped(progress.rows)} rows, ${shortNumber(rate)} rows/s`;
	if (sizeBytes === undefined || sizeBytes === 0) return `${shortBytes(progress.bytesRead)}  ${rows}`;
	const share = Math.min(1, progress.bytesRead / sizeBytes);
	const filled = Math.round(share * BAR_CHARACTERS);
	const bar = '█'.repeat(filled) + '░'.repeat(BAR_CHARACTERS - filled);
	return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${rows}`;
}

/** `3,000,000` */
export function grouped(value: number | bigint): string {
	return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 row`, `3,000 rows` */
export function counted(count: number, noun: string): string {
	return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `714 k`, `1.2 M` */
export function shortNumber(value: number): string {
	if (value >= 1e9) return `${(value / 1e9).toFixed(1)} G`;
	if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
	if (value >= 1e4) return `${Math.round(value / 1e3)} k`;
	return String(Math.round(value));
}

/** `13.5 MB` */
export function shortBytes(value: number): string {
	if (value >= 1e9) return `${(value / 1e9).toFixed(1)} GB`;
	if (value >= 1e6) return `${(value / 1e6).toFixed(1)} MB`;
	if (value >= 1e3) return `${(value / 1e3).toFixed(1)} kB`;
	return `${value} B`;
}
