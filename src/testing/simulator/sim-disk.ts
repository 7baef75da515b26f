/**
 * A file system of one simulated machine, with what POSIX promises about durability and no more: the content of a file
 * is durable as far as it was when the file was last flushed, a name when its folder was.
 */
import type { SimRandom } from './sim-random.ts';

export class SimFile {
	readonly kind = 'file';
	readonly id: number;
	modifiedMs: number;
	#buffer = new Uint8Array(256);
	#length = 0;
	#durableLength = 0;
	#flushFailed = false;

	constructor(id: number, modifiedMs: number) {
		this.id = id;
		this.modifiedMs = modifiedMs;
	}

	get length(): number {
		return this.#length;
	}

	/** whether all of its content would outlast a power loss */
	get isDurable(): boolean {
		return !this.#flushFailed && this.#durableLength === this.#length;
	}

	/** The content as it is now; not to be written to. */
	get bytes(): Uint8Array {
		return this.#buffer.subarray(0, this.#length);
	}

	write(bytes: Uint8Array, position: number): void {
		const end = position + bytes.length;
		if (end > this.#buffer.length) {
			const larger = new Uint8Array(Math.max(end, this.#buffer.length * 2));
			larger.set(this.bytes);
			this.#buffer = larger;
		}
		this.#buffer.set(bytes, position);
		this.#length = Math.max(this.#length, end);
		this.#durableLength = Math.min(this.#durableLength, position);
	}

	flush(): void {
		if (!this.#flushFailed) this.#durableLength = this.#length;
	}

	/** A flush that the device refused. Linux takes the pages for clean then: later flushes succeed and help nothing. */
	failFlush(): void {
		this.#flushFailed = true;
	}

	/** What is left of it when the power goes: at least the durable part; beyond it nothing, some, or zeros. */
	afterPowerLoss(random: SimRandom): SimFile {
		if (this.isDurable) return this;
		const left = new SimFile(this.id, this.modifiedMs);
		const kept = random.between(this.#durableLength, this.#length);
		const whole = random.chance(0.5) ? this.#length : kept;
		left.write(this.#buffer.slice(0, whole), 0);
		if (random.chance(0.3)) left.write(new Uint8Array(whole - this.#durableLength), this.#durableLength);
		left.flush();
		return left;
	}
}

export class SimFolder {
	readonly kind = 'folder';
	readonly id: number;
	modifiedMs: number;
	readonly names = new Map<string, SimNode>();
	/** names that changed since the last flush, with what they led to then and after each change but the last */
	readonly #earlier = new Map<string, (SimNode | undefined)[]>();

	constructor(id: number, modifiedMs: number) {
		this.id = id;
		this.modifiedMs = modifiedMs;
	}

	set(name: string, node: SimNode | undefined): void {
		const earlier = this.#earlier.get(name);
		const before = this.names.get(name);
		if (earlier === undefined) this.#earlier.set(name, [before]);
		else earlier.push(before);
		if (node === undefined) this.names.delete(name);
		else this.names.set(name, node);
	}

	isDurable(name: string): boolean {
		return !this.#earlier.has(name);
	}

	flush(): void {
		this.#earlier.clear();
	}

	/** The folder after a power loss: each name that was not flushed leads to any of what it led to since. */
	afterPowerLoss(random: SimRandom, leftOf: (node: SimNode) => SimNode): SimFolder {
		const left = new SimFolder(this.id, this.modifiedMs);
		for (const name of new Set([...this.names.keys(), ...this.#earlier.keys()])) {
			const ledTo = [...(this.#earlier.get(name) ?? []), this.names.get(name)];
			const node = ledTo[random.between(0, ledTo.length - 1)];
			if (node !== undefined) left.names.set(name, leftOf(node));
		}
		return left;
	}
}

export type SimNode = SimFile | SimFolder;

/** Told of each change of a name, at once. */
export type NameObserver = (path: string, before: SimNode | undefined, after: SimNode | undefined) => void;

/** All operations are atomic and take no time; failures are thrown as Node throws them. */
export class SimDisk {
	/** while true, nothing can be written */
	isFull = false;
	onName: NameObserver = () => undefined;
	readonly #nowMs: () => number;
	#root: SimFolder;
	#nextId = 1;

	constructor(nowMs: () => number) {
		this.#nowMs = nowMs;
		this.#root = new SimFolder(this.#nextId++, nowMs());
	}

	find(path: string): SimNode | undefined {
		let node: SimNode = this.#root;
		for (const part of partsOf(path)) {
			if (node.kind !== 'folder') throw errno('ENOTDIR', path);
			const next = node.names.get(part);
			if (next === undefined) return undefined;
			node = next;
		}
		return node;
	}

	/** {@link find} for looking: nothing is where a part of the path is a file. */
	look(path: string): SimNode | undefined {
		try {
			return this.find(path);
		} catch {
			return undefined;
		}
	}

	/** @throws `ENOENT` */
	get(path: string): SimNode {
		const node = this.find(path);
		if (node === undefined) throw errno('ENOENT', path);
		return node;
	}

	/** Makes a file under a name that is free. @throws `EEXIST`, `ENOENT` without its folder, `ENOSPC` */
	create(path: string): SimFile {
		const { folder, name } = this.#parentOf(path);
		if (folder.names.has(name)) throw errno('EEXIST', path);
		this.#needSpace(path);
		const file = new SimFile(this.#nextId++, this.#nowMs());
		this.#set(folder, name, file, path);
		return file;
	}

	write(file: SimFile, bytes: Uint8Array, position: number): void {
		if (bytes.length > 0) this.#needSpace('a file');
		file.write(bytes, position);
		file.modifiedMs = this.#nowMs();
	}

	link(existing: string, path: string): void {
		const node = this.get(existing);
		const { folder, name } = this.#parentOf(path);
		if (folder.names.has(name)) throw errno('EEXIST', path);
		this.#needSpace(path);
		this.#set(folder, name, node, path);
	}

	rename(from: string, to: string): void {
		const node = this.get(from);
		const source = this.#parentOf(from);
		const target = this.#parentOf(to);
		if (target.folder.names.get(target.name)?.kind === 'folder') throw errno('EISDIR', to);
		this.#set(target.folder, target.name, node, to);
		this.#set(source.folder, source.name, undefined, from);
	}

	unlink(path: string): void {
		const { folder, name } = this.#parentOf(path);
		const node = folder.names.get(name);
		if (node === undefined) throw errno('ENOENT', path);
		if (node.kind === 'folder') throw errno('EISDIR', path);
		this.#set(folder, name, undefined, path);
	}

	/** Makes a folder and those above it. Returns the topmost one made. */
	makeFolder(path: string): string | undefined {
		let folder = this.#root;
		let place = '';
		let first: string | undefined;
		for (const part of partsOf(path)) {
			place += `/${part}`;
			const next: SimNode | undefined = folder.names.get(part);
			if (next?.kind === 'file') throw errno('EEXIST', place);
			if (next !== undefined) {
				folder = next;
				continue;
			}
			this.#needSpace(path);
			const made = new SimFolder(this.#nextId++, this.#nowMs());
			this.#set(folder, part, made, place);
			first ??= place;
			folder = made;
		}
		return first;
	}

	removeFolder(path: string): void {
		const node = this.get(path);
		if (node.kind === 'file') throw errno('ENOTDIR', path);
		if (node.names.size > 0) throw errno('ENOTEMPTY', path);
		const { folder, name } = this.#parentOf(path);
		this.#set(folder, name, undefined, path);
	}

	/** Whether the file under the name, the name, and all names on the way to it would outlast a power loss. */
	isDurable(path: string): boolean {
		let node: SimNode = this.#root;
		for (const part of partsOf(path)) {
			if (node.kind !== 'folder' || !node.isDurable(part)) return false;
			const next = node.names.get(part);
			if (next === undefined) return false;
			node = next;
		}
		return node.kind === 'folder' || node.isDurable;
	}

	/** Paths of all files below a folder. */
	filesBelow(path: string): string[] {
		const node = this.look(path);
		if (node?.kind !== 'folder') return [];
		return [...node.names].flatMap(([name, child]) =>
			child.kind === 'file' ? [`${path}/${name}`] : this.filesBelow(`${path}/${name}`),
		);
	}

	/** The machine loses its power. What is there afterwards is durable. */
	losePower(random: SimRandom): void {
		const left = new Map<SimNode, SimNode>();
		const leftOf = (node: SimNode): SimNode => {
			const known = left.get(node);
			if (known !== undefined) return known;
			const result = node.kind === 'file' ? node.afterPowerLoss(random) : node.afterPowerLoss(random, leftOf);
			left.set(node, result);
			return result;
		};
		this.#root = this.#root.afterPowerLoss(random, leftOf);
	}

	#parentOf(path: string): { readonly folder: SimFolder; readonly name: string } {
		const slash = path.lastIndexOf('/');
		const folder = this.get(path.slice(0, slash));
		if (folder.kind !== 'folder') throw errno('ENOTDIR', path);
		return { folder, name: path.slice(slash + 1) };
	}

	#set(folder: SimFolder, name: string, node: SimNode | undefined, path: string): void {
		const before = folder.names.get(name);
		folder.set(name, node);
		folder.modifiedMs = this.#nowMs();
		this.onName(path, before, node);
	}

	#needSpace(path: string): void {
		if (this.isFull) throw errno('ENOSPC', path);
	}
}

function partsOf(path: string): string[] {
	return path.split('/').filter((part) => part !== '');
}

/** A failure as Node reports it. */
export function errno(code: string, path: string): Error {
	return Object.assign(new Error(`${code}: ${path}`), { code });
}
