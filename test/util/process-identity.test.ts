import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
	identityText,
	parseIdentity,
	type ProcessIdentity,
	sameProcess,
	writerOf,
	writerSuffix,
} from '../../src/util/process-identity.ts';
import { type ProcessSources, systemProcesses, SystemProcesses } from '../../src/util/system-processes.ts';

const UUID = 'f79c3e09-677c-4bbd-a479-3f349cb785e7';
const IDENTITY: ProcessIdentity = { host: '0a1b2c3d', pid: 4711, startedAt: '1z' };
const onLinux = process.platform === 'linux';

describe('the text of an identity', () => {
	it('has three parts of lower-case letters and digits, and can be read back', () => {
		expect(identityText(IDENTITY)).toBe('0a1b2c3d-3mv-1z');
		expect(parseIdentity('0a1b2c3d-3mv-1z')).toEqual(IDENTITY);
		expect(identityText(systemProcesses.self)).toMatch(/^[0-9a-f]{8}-[0-9a-z]+-[0-9a-z]+$/);
		expect(parseIdentity(identityText(systemProcesses.self))).toEqual(systemProcesses.self);
	});

	it.each([
		'',
		'0a1b2c3d-3mv',
		'0a1b2c3d-3mv-1z-0',
		'0A1B2C3D-3mv-1z',
		'0a1b2c3-3mv-1z',
		'0a1b2c3d-03mv-1z',
		'0a1b2c3d-0-1z',
		'0a1b2c3d-zzzzzzz-1z',
		' 0a1b2c3d-3mv-1z',
	])('%j is none', (text) => {
		expect(parseIdentity(text)).toBeUndefined();
	});
});

describe('names of files', () => {
	const suffix = writerSuffix(UUID, IDENTITY);

	it.each([
		`00000-0-${suffix}-00001.parquet`,
		`00000-0-${suffix}-123456.parquet`,
		`${suffix}-m0.avro`,
		`snap-7331-2-${suffix}.avro`,
		`.datashard-${identityText(IDENTITY)}-0123456789abcdef.tmp`,
	])('%s tells its writer', (name) => {
		expect(writerOf(name)).toEqual(IDENTITY);
	});

	it.each([
		`00000-0-${UUID}-00001.parquet`,
		`00000-0-${UUID}-0-00001.parquet`,
		`${UUID}-m0.avro`,
		`snap-7331-2-${UUID}.avro`,
		'.datashard-0123456789abcdef.tmp',
		'v1.metadata.json',
		`${identityText(IDENTITY)}.parquet`,
		`x${suffix}.avro`,
		`${suffix}-m0.avro/x`,
	])('%s tells none', (name) => {
		expect(writerOf(name)).toBeUndefined();
	});
});

describe('processes of this system', () => {
	it('tell this one from another that had its pid, and know nothing of other hosts', () => {
		const { self } = systemProcesses;
		expect(self.pid).toBe(process.pid);
		expect(systemProcesses.isGone({ ...self })).toBe(false);
		expect(sameProcess(self, { ...self })).toBe(true);
		expect(systemProcesses.isGone({ ...self, host: self.host === '00000000' ? '00000001' : '00000000' })).toBe(
			undefined,
		);
		if (onLinux) expect(systemProcesses.isGone({ ...self, startedAt: `${self.startedAt}1` })).toBe(true);
	});

	it.runIf(onLinux)('see that a process was killed', async () => {
		const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => {}, 1000)']);
		await once(child.stdout, 'data');
		const identity = identityOf(child.pid as number);
		expect(systemProcesses.isGone(identity)).toBe(false);
		child.kill('SIGKILL');
		await once(child, 'exit');
		expect(systemProcesses.isGone(identity)).toBe(true);
	});

	it.runIf(onLinux)('see that a process is stopped, and that it goes on', async () => {
		const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => {}, 1000)']);
		await once(child.stdout, 'data');
		const identity = identityOf(child.pid as number);
		expect(systemProcesses.isRunning?.(identity)).toBe(true);
		child.kill('SIGSTOP');
		await expect.poll(() => systemProcesses.isRunning?.(identity)).toBe(false);
		expect(systemProcesses.isGone(identity)).toBe(false);
		child.kill('SIGCONT');
		await expect.poll(() => systemProcesses.isRunning?.(identity)).toBe(true);
		child.kill('SIGKILL');
		await once(child, 'exit');
		expect(systemProcesses.isRunning?.(identity)).toBe(false);
		expect(systemProcesses.isRunning?.({ ...identity, host: 'ffffffff' })).toBeUndefined();
	});

	it.runIf(onLinux)('count a process as gone that nobody has waited for', async () => {
		// The shell becomes a program that does not know of its child.
		const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 1000']);
		try {
			const [line] = (await once(parent.stdout, 'data')) as [Buffer];
			const identity = { ...systemProcesses.self, pid: Number(line.toString().trim()) };
			await expect.poll(() => stateOf(identity.pid), { timeout: 10_000 }).toBe('Z');
			expect(systemProcesses.isGone({ ...identity, startedAt: startOf(identity.pid) })).toBe(true);
		} finally {
			parent.kill('SIGKILL');
			await once(parent, 'exit');
		}
	});
});

describe('processes where the system tells less', () => {
	const missing = (): never => {
		throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
	};
	const failing = (code: string) => (): never => {
		throw Object.assign(new Error(code), { code });
	};
	const statLine = (pid: number, state: string, start: number): string =>
		`${pid} (a) b (c) ${state} ${Array.from({ length: 18 }, () => 0).join(' ')} ${start} 0`;
	const sources = (files: Record<string, string>, changes: Partial<ProcessSources> = {}): ProcessSources => ({
		text: (path) => files[path] ?? missing(),
		link: (path) => files[path] ?? missing(),
		probe: failing('ESRCH'),
		pid: 7,
		hostname: () => 'somewhere',
		...changes,
	});
	const proc = {
		'/proc/self/stat': statLine(7, 'R', 40),
		'/proc/sys/kernel/random/boot_id': 'b',
		'/proc/self/ns/pid': 'pid:[1]',
	};

	it('claims nothing of a pid that is there, where there is no /proc', () => {
		const there = new SystemProcesses(sources({}, { probe: () => undefined }));
		expect(there.self).toMatchObject({ pid: 7, startedAt: '0' });
		expect(there.isGone({ ...there.self, pid: 8 })).toBeUndefined();
		const denied = new SystemProcesses(sources({}, { probe: failing('EPERM') }));
		expect(denied.isGone({ ...there.self, pid: 8 })).toBeUndefined();
		const free = new SystemProcesses(sources({}));
		expect(free.isGone({ ...there.self, pid: 8 })).toBe(true);
		expect(free.isGone(free.self)).toBe(false);
	});

	it('does not take a hidden process for one that is gone', () => {
		const hidden = new SystemProcesses(sources(proc, { probe: failing('EPERM') }));
		expect(hidden.self.startedAt).toBe('14');
		expect(hidden.isGone({ ...hidden.self, pid: 8, startedAt: '15' })).toBeUndefined();
		expect(new SystemProcesses(sources(proc)).isGone({ ...hidden.self, pid: 8, startedAt: '15' })).toBe(true);
	});

	it('reads names that hold parentheses, and every state', () => {
		const gone = (state: string): boolean | undefined => {
			const processes = new SystemProcesses(sources({ ...proc, '/proc/8/stat': statLine(8, state, 41) }));
			return processes.isGone({ ...processes.self, pid: 8, startedAt: (41).toString(36) });
		};
		expect(['R', 'S', 'D', 'T', 't', 'I'].map(gone)).toEqual([false, false, false, false, false, false]);
		expect(['Z', 'X', 'x'].map(gone)).toEqual([true, true, true]);
	});

	it("does not look pids up in another namespace's /proc", () => {
		const processes = new SystemProcesses(
			sources(
				{ ...proc, '/proc/self/stat': statLine(70, 'R', 40), '/proc/8/stat': statLine(8, 'S', 1) },
				{ probe: () => undefined },
			),
		);
		expect(processes.self.startedAt).toBe('0');
		expect(processes.isGone({ ...processes.self, pid: 8, startedAt: '2' })).toBeUndefined();
	});

	it('are of another host in another pid or time namespace, and after a restart', () => {
		const host = (changes: Record<string, string>): string =>
			new SystemProcesses(sources({ ...proc, ...changes })).self.host;
		const hosts = [
			host({}),
			host({ '/proc/self/ns/pid': 'pid:[2]' }),
			host({ '/proc/self/ns/time': 'time:[1]' }),
			host({ '/proc/sys/kernel/random/boot_id': 'c' }),
		];
		expect(new Set(hosts).size).toBe(4);
		expect(host({})).toBe(hosts[0]);
	});
});

function fieldsOf(pid: number): string[] {
	const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
	return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
function stateOf(pid: number): string {
	return fieldsOf(pid)[0] as string;
}
function startOf(pid: number): string {
	return Number(fieldsOf(pid)[19]).toString(36);
}
function identityOf(pid: number): ProcessIdentity {
	return { host: systemProcesses.self.host, pid, startedAt: startOf(pid) };
}
