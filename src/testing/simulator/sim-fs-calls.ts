/** The system calls of one simulated process: each takes virtual time, in which others go on, and some fail. */
import { constants } from 'node:fs';
import type { FsCalls } from '../../io/fs-calls.ts';
import type { FileStatus, FolderEntry, FsLooks } from '../../io/fs-looks.ts';
import { errno, type SimDisk, type SimFile, type SimFolder, type SimNode } from './sim-disk.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRandom } from './sim-random.ts';

/** Probabilities of each call's failing in a way, 0 to 1. */
export interface CallFaults {
	/** the call fails and does nothing */
	readonly fail: number;
	/** the call is done, and is reported as failed */
	readonly lostReply: number;
	/** a flush fails, and what was to be flushed may be lost */
	readonly flush: number;
	/** a link to a name that is taken is refused with EPERM, as some network file systems do */
	readonly epermForEexist: number;
}

export const NO_CALL_FAULTS: CallFaults = { fail: 0, lostReply: 0, flush: 0, epermForEexist: 0 };

interface Descriptor {
	readonly node: SimNode;
	position: number;
}

const CALL_MS = 0.05;
const FLUSH_MS = 0.6;
/** How often a call is done some time before its process hears of it. */
const LATE_REPLY = 0.25;
const LATE_REPLY_MS = 2;
/** Calls whose failure leaves it open whether they were done. */
const MAY_LOSE_REPLY: ReadonlySet<string> = new Set(['link', 'unlink', 'rename']);
const MAY_FAIL: ReadonlySet<string> = new Set(['open', 'write', 'link', 'unlink', 'rename', 'read', 'mkdir']);
/** Most names of a folder that a process gets at once. */
const ENTRIES_AT_ONCE = 40;

/** {@link FsCalls} and {@link FsLooks} over a {@link SimDisk}. */
export class SimFsCalls implements FsCalls {
	/** May be replaced at any time. */
	faults: CallFaults = NO_CALL_FAULTS;
	readonly looks: FsLooks;
	readonly #disk: SimDisk;
	readonly #process: SimProcess;
	readonly #random: SimRandom;
	readonly #descriptors = new Map<number, Descriptor>();
	#nextDescriptor = 3;

	constructor(disk: SimDisk, process: SimProcess) {
		this.#disk = disk;
		this.#process = process;
		this.#random = process.random.fork('calls');
		this.looks = this.#makeLooks();
	}

	/** open files */
	get openCount(): number {
		return this.#descriptors.size;
	}

	open(path: string, flags: number): Promise<number> {
		return this.#call('open', path, () => {
			if ((flags & constants.O_CREAT) === 0) return this.#describe(this.#disk.get(path));
			if ((flags & constants.O_EXCL) === 0 && this.#disk.find(path) !== undefined)
				return this.#describe(this.#disk.get(path));
			return this.#describe(this.#disk.create(path));
		});
	}

	read(fd: number, target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
		return this.#call('read', `${fd}`, () => {
			const bytes = this.#fileOf(fd).bytes.subarray(position, position + length);
			target.set(bytes, offset);
			return bytes.length;
		});
	}

	write(fd: number, source: Uint8Array, offset: number, length: number): Promise<number> {
		const bytes = source.slice(offset, offset + length);
		return this.#call('write', `${fd} ${length}`, () => {
			const descriptor = this.#descriptor(fd);
			// Now and then the system takes only a part.
			const part = length > 1 && this.#random.chance(0.02) ? this.#random.between(1, length) : length;
			this.#disk.write(this.#fileOf(fd), bytes.subarray(0, part), descriptor.position);
			descriptor.position += part;
			return part;
		});
	}

	fsync(fd: number): Promise<void> {
		const { node } = this.#descriptor(fd);
		const fails = this.#random.chance(this.faults.flush);
		return this.#call(
			'fsync',
			`${fd} ${node.kind}`,
			() => {
				if (!fails) return node.flush();
				if (node.kind === 'file') node.failFlush();
				throw errno('EIO', `${fd}`);
			},
			FLUSH_MS,
		);
	}

	close(fd: number): Promise<void> {
		return this.#call('close', `${fd}`, () => this.looks.closeNow(fd));
	}

	link(existing: string, name: string): Promise<void> {
		return this.#call('link', name, () => {
			try {
				this.#disk.link(existing, name);
			} catch (error) {
				const taken = (error as { readonly code?: unknown }).code === 'EEXIST';
				throw taken && this.#random.chance(this.faults.epermForEexist) ? errno('EPERM', name) : error;
			}
		});
	}

	rename(from: string, to: string): Promise<void> {
		return this.#call('rename', to, () => this.#disk.rename(from, to));
	}

	unlink(path: string): Promise<void> {
		return this.#call('unlink', path, () => this.#disk.unlink(path));
	}

	mkdir(path: string): Promise<string | undefined> {
		return this.#call('mkdir', path, () => this.#disk.makeFolder(path));
	}

	/** Lets a little time pass: for what looks at the disk in another way. */
	pause(what: string, name: string): Promise<void> {
		return this.#call(what, name, () => undefined);
	}

	/** Does `work` a little later, and tells of it then, or later still. */
	#call<T>(name: string, what: string, work: () => T, meanMs = CALL_MS): Promise<T> {
		const random = this.#random;
		const { scheduler } = this.#process;
		this.#process.callCount++;
		return new Promise<T>((resolve, reject) => {
			const fails = MAY_FAIL.has(name) && random.chance(this.faults.fail);
			const losesReply = MAY_LOSE_REPLY.has(name) && random.chance(this.faults.lostReply);
			const late = random.chance(LATE_REPLY);
			const suffix = fails ? ' fails' : losesReply ? ' loses its reply' : '';
			scheduler.after(random.waitMs(meanMs), this.#process, `${name} ${what}${suffix}`, () => {
				let answer: () => void;
				try {
					if (fails) throw errno('EIO', what);
					const result = work();
					answer = losesReply ? () => reject(errno('ETIMEDOUT', what)) : () => resolve(result);
				} catch (error) {
					answer = () => reject(error);
				}
				if (late) scheduler.after(random.waitMs(LATE_REPLY_MS), this.#process, `hears of ${name}`, answer);
				else answer();
			});
		});
	}

	#describe(node: SimNode): number {
		const fd = this.#nextDescriptor++;
		this.#descriptors.set(fd, { node, position: 0 });
		return fd;
	}

	#descriptor(fd: number): Descriptor {
		const descriptor = this.#descriptors.get(fd);
		if (descriptor === undefined) throw errno('EBADF', `${fd}`);
		return descriptor;
	}

	#fileOf(fd: number): SimFile {
		const { node } = this.#descriptor(fd);
		if (node.kind === 'folder') throw errno('EISDIR', `${fd}`);
		return node;
	}

	#makeLooks(): FsLooks {
		const disk = this.#disk;
		return {
			stat: (path) => statusOf(look(disk, path)),
			lstat: (path) => statusOf(look(disk, path)),
			fstat: (fd) => statusOf(this.#descriptor(fd).node) as FileStatus,
			identity: (path) => look(disk, path)?.id.toString(),
			realPath(path) {
				disk.get(path);
				return path;
			},
			entries: (folder) => this.#entries(folder),
			removeFolder: (path) => this.#call('rmdir', path, () => disk.removeFolder(path)),
			closeNow: (fd) => {
				if (!this.#descriptors.delete(fd)) throw errno('EBADF', `${fd}`);
			},
		};
	}

	/** In any order; what comes and goes meanwhile may be seen or not. */
	async *#entries(path: string): AsyncGenerator<FolderEntry> {
		const folder = await this.#call('opendir', path, () => {
			const node = this.#disk.get(path);
			if (node.kind === 'file') throw errno('ENOTDIR', path);
			return node;
		});
		const names = this.#random.shuffle([...folder.names.keys()]);
		const seen = new Set(names);
		while (names.length > 0) {
			for (const entry of await this.#call('getdents', path, () => this.#some(folder, names))) yield entry;
			const more = [...folder.names.keys()].filter((name) => !seen.has(name) && this.#random.chance(0.5));
			for (const name of more) seen.add(name);
			names.push(...more);
		}
	}

	/** Takes the next names off; those that have gone meanwhile are among the entries, or not. */
	#some(folder: SimFolder, names: string[]): FolderEntry[] {
		return names
			.splice(0, ENTRIES_AT_ONCE)
			.filter((name) => folder.names.has(name) || this.#random.chance(0.5))
			.map((name) => ({ name, isFolder: folder.names.get(name)?.kind === 'folder' }));
	}
}

function look(disk: SimDisk, path: string): SimNode | undefined {
	return disk.find(path);
}

function statusOf(node: SimNode | undefined): FileStatus | undefined {
	if (node === undefined) return undefined;
	return { kind: node.kind, sizeBytes: node.kind === 'file' ? node.length : 0, modifiedMs: node.modifiedMs };
}
