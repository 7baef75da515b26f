/** Another engine, which knows the spec and not us: it edits the metadata as JSON and puts the next version in place. */
import { constants } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Json, parseJson, stringifyJson } from '../../util/json.ts';
import type { OutsideReader } from './outside-reader.ts';
import type { SimDisk } from './sim-disk.ts';
import { SimFsCalls } from './sim-fs-calls.ts';
import type { SimProcess } from './sim-process.ts';
import type { ForeignFact } from './table-checker.ts';

type Editable = { [key: string]: Json };

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

export class ForeignEngine {
	readonly #process: SimProcess;
	readonly #calls: SimFsCalls;
	readonly #disk: SimDisk;
	readonly #reader: OutsideReader;
	readonly #table: string;
	#count = 0;

	constructor(process: SimProcess, disk: SimDisk, reader: OutsideReader, table: string) {
		this.#process = process;
		this.#calls = new SimFsCalls(disk, process);
		this.#disk = disk;
		this.#reader = reader;
		this.#table = table;
	}

	/** One commit; what it did, or nothing when somebody else was first. */
	async commit(): Promise<ForeignFact | undefined> {
		const versions = this.#reader.versions(this.#table);
		const newest = Math.max(...versions.keys());
		const path = versions.get(newest);
		const node = path === undefined ? undefined : this.#disk.look(path);
		if (path === undefined || node?.kind !== 'file') return undefined;
		const isGzip = node.bytes[0] === 0x1f && node.bytes[1] === 0x8b;
		const text = Buffer.from(isGzip ? gunzipSync(node.bytes) : node.bytes).toString('utf8');
		const metadata = parseJson(text, path) as Editable;
		const fact = this.#edit(metadata);
		metadata['metadata-log'] = [
			...((metadata['metadata-log'] as Json[] | undefined) ?? []),
			{ 'timestamp-ms': metadata['last-updated-ms'] as Json, 'metadata-file': path },
		];
		metadata['last-updated-ms'] = Math.max(Number(metadata['last-updated-ms']), this.#process.clock.nowMs());
		const next = path.replace(/\/v\d+\./, `/v${newest + 1}.`);
		const bytes = Buffer.from(stringifyJson(metadata));
		return (await this.#put(next, isGzip ? gzipSync(bytes) : bytes)) ? fact : undefined;
	}

	#edit(metadata: Editable): ForeignFact {
		const { random } = this.#process;
		const name = `foreign.${this.#process.pid}-${this.#count++}`;
		const snapshotId = metadata['current-snapshot-id'];
		const hasSnapshot = snapshotId !== undefined && snapshotId !== null && String(snapshotId) !== '-1';
		const kind = random.pick(
			hasSnapshot && metadata['format-version'] !== 1 ? ['property', 'key', 'tag'] : ['property'],
		);
		if (kind === 'key') {
			metadata[name] = { of: 'another engine', n: 12345678901234567890n };
			return {
				description: `key '${name}' of another engine`,
				holds: (later) => (later[name] as Editable | undefined)?.['n'] === 12345678901234567890n,
			};
		}
		if (kind === 'tag') {
			const refs = (metadata['refs'] as Editable | undefined) ?? {};
			metadata['refs'] = {
				...refs,
				[name]: { 'snapshot-id': snapshotId as Json, type: 'tag', 'max-ref-age-ms': 10 ** 15 },
			};
			const holds = (later: { readonly [key: string]: Json }): boolean => {
				const ref = (later['refs'] as { [key: string]: Editable } | undefined)?.[name];
				const snapshots = later['snapshots'] as Editable[];
				return (
					String(ref?.['snapshot-id']) === String(snapshotId) &&
					snapshots.some((snapshot) => String(snapshot['snapshot-id']) === String(snapshotId))
				);
			};
			return { description: `tag '${name}' of another engine, with its snapshot`, holds };
		}
		metadata['properties'] = { ...(metadata['properties'] as Editable | undefined), [name]: 'é' };
		return {
			description: `property '${name}' of another engine`,
			holds: (later) => (later['properties'] as Editable)[name] === 'é',
		};
	}

	async #put(path: string, bytes: Uint8Array): Promise<boolean> {
		const calls = this.#calls;
		const folder = path.slice(0, path.lastIndexOf('/'));
		const temporary = `${folder}/.foreign-${this.#count}-${this.#process.pid}.tmp`;
		const fd = await calls.open(temporary, CREATE);
		for (let at = 0; at < bytes.length; ) at += await calls.write(fd, bytes, at, bytes.length - at);
		await calls.fsync(fd);
		await calls.close(fd);
		try {
			await calls.link(temporary, path);
		} catch (error) {
			if ((error as { readonly code?: unknown }).code !== 'EEXIST') throw error;
			return false;
		} finally {
			await calls.unlink(temporary);
		}
		const folderFd = await calls.open(folder, constants.O_RDONLY);
		await calls.fsync(folderFd);
		await calls.close(folderFd);
		return true;
	}
}
