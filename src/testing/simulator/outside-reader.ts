/**
 * Reads a table's files as a stranger would: metadata as plain JSON, manifests as plain Avro, data files as plain Parquet,
 * by the spec alone and without any of the code that plans, scans or commits.
 */
import { gunzipSync } from 'node:zlib';
import { decodeAvro } from '../../codec/avro/data-file.ts';
import { getValue } from '../../column/vector-values.ts';
import { openParquet } from '../../codec/parquet/reader.ts';
import type { NestedField, PrimitiveType, StructType, Value } from '../../spec/types.ts';
import { type Json, parseJson } from '../../util/json.ts';
import type { SimDisk, SimFile } from './sim-disk.ts';

export type JsonObject = { readonly [key: string]: Json };

/** A file that is not there, or not what refers to it says. */
export class BrokenReference extends Error {}

export interface SeenSnapshot {
	readonly id: string;
	readonly parentId: string | undefined;
	readonly sequenceNumber: bigint;
	/** paths of everything that it reaches, with the lengths that are told, where they are */
	readonly files: ReadonlyMap<string, number | undefined>;
	/** paths of data files */
	readonly dataFiles: readonly string[];
}

export interface SeenRow {
	readonly id: number;
	readonly op: number;
	readonly text: string;
}

const field = (id: number, name: string, kind: 'long' | 'int' | 'string'): NestedField => ({
	id,
	name,
	required: false,
	type: { kind } as PrimitiveType,
});
const MANIFEST: StructType = {
	kind: 'struct',
	fields: [field(500, 'manifest_path', 'string'), field(501, 'manifest_length', 'long')],
};
const ENTRY: StructType = {
	kind: 'struct',
	fields: [
		field(0, 'status', 'int'),
		{
			id: 2,
			name: 'data_file',
			required: false,
			type: {
				kind: 'struct',
				fields: [
					field(100, 'file_path', 'string'),
					field(103, 'record_count', 'long'),
					field(104, 'file_size_in_bytes', 'long'),
				],
			},
		},
	],
};
const DELETED = 2;
/** The columns of the simulation's table that are looked at. */
export const ROW_FIELDS: readonly NestedField[] = [
	field(1, 'id', 'long'),
	field(2, 'op', 'long'),
	field(3, 'text', 'string'),
];

interface SeenManifest {
	readonly files: readonly { readonly path: string; readonly length: number; readonly rowCount: number }[];
}

export class OutsideReader {
	readonly #disk: SimDisk;
	readonly #manifests = new Map<string, SeenManifest>();
	readonly #rows = new Map<string, readonly SeenRow[]>();

	constructor(disk: SimDisk) {
		this.#disk = disk;
	}

	/** Forgets what it has read: after a power loss a name may lead to something else. */
	forget(): void {
		this.#manifests.clear();
		this.#rows.clear();
	}

	/** Metadata files of a table by version. @param table its folder */
	versions(table: string): Map<number, string> {
		const found = new Map<number, string>();
		const folder = this.#disk.look(`${table}/metadata`);
		for (const name of folder?.kind === 'folder' ? folder.names.keys() : []) {
			const version = versionOf(name);
			if (version !== undefined) found.set(version, `${table}/metadata/${name}`);
		}
		return found;
	}

	/** The version that a reader finds who follows the hint, and from it upward. */
	versionByHint(table: string): number | undefined {
		const hint = this.#disk.look(`${table}/metadata/version-hint.text`);
		if (hint?.kind !== 'file') return undefined;
		const versions = this.versions(table);
		let version = Number(Buffer.from(hint.bytes).toString('latin1').trim());
		if (!versions.has(version)) return undefined;
		while (versions.has(version + 1)) version++;
		return version;
	}

	metadata(path: string): JsonObject {
		const { bytes } = this.file(path, undefined);
		try {
			const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
			return parseJson(Buffer.from(plain).toString('utf8'), path) as JsonObject;
		} catch (error) {
			throw damaged(path, error);
		}
	}

	/** @throws {@link BrokenReference} naming what is missing or has another length */
	async snapshot(json: JsonObject): Promise<SeenSnapshot> {
		const id = String(json['snapshot-id']);
		const list = String(json['manifest-list']);
		const files = new Map<string, number | undefined>([[list, undefined]]);
		const dataFiles: string[] = [];
		for (const [path, length] of await this.#avro(list, undefined, MANIFEST)) {
			files.set(String(path), Number(length));
			for (const file of (await this.#manifest(String(path), Number(length))).files) {
				files.set(file.path, file.length);
				dataFiles.push(file.path);
			}
		}
		const parentId = json['parent-snapshot-id'];
		return {
			id,
			parentId: parentId === undefined || parentId === null ? undefined : String(parentId),
			sequenceNumber: BigInt((json['sequence-number'] as number | bigint | undefined) ?? 0),
			files,
			dataFiles,
		};
	}

	/** The rows of a data file. @throws {@link BrokenReference} */
	async rows(path: string): Promise<readonly SeenRow[]> {
		const known = this.#rows.get(path);
		if (known !== undefined) return known;
		try {
			const rows = await this.#readRows(path);
			this.#rows.set(path, rows);
			return rows;
		} catch (error) {
			throw damaged(path, error);
		}
	}

	async #readRows(path: string): Promise<readonly SeenRow[]> {
		const { bytes } = this.file(path, undefined);
		const reader = await openParquet({
			location: path,
			length: async () => bytes.length,
			read: async (offset, length) => bytes.subarray(offset, offset + length),
		});
		const rows: SeenRow[] = [];
		for await (const { batch } of reader.read({ fields: ROW_FIELDS })) {
			const [ids, ops, texts] = batch.columns;
			if (ids === undefined || ops === undefined || texts === undefined)
				throw new Error('three columns were asked for');
			for (let i = 0; i < batch.length; i++)
				rows.push({
					id: Number(getValue(ids, i)),
					op: Number(getValue(ops, i)),
					text: String(getValue(texts, i)),
				});
		}
		return rows;
	}

	/** A file that is there, with the length that it is said to have. @throws {@link BrokenReference} */
	file(path: string, length: number | undefined): SimFile {
		const node = this.#disk.look(path);
		if (node?.kind !== 'file') throw new BrokenReference(`${path} is not there`);
		if (length !== undefined && node.length !== length)
			throw new BrokenReference(`${path} has ${node.length} bytes, and is said to have ${length}`);
		return node;
	}

	async #manifest(path: string, length: number): Promise<SeenManifest> {
		this.file(path, length);
		const known = this.#manifests.get(path);
		if (known !== undefined) return known;
		const files = [];
		for (const [status, file] of await this.#avro(path, length, ENTRY)) {
			if (Number(status) === DELETED) continue;
			const [filePath, rowCount, size] = file as Value[];
			files.push({ path: String(filePath), length: Number(size), rowCount: Number(rowCount) });
		}
		const manifest = { files };
		this.#manifests.set(path, manifest);
		return manifest;
	}

	async #avro(path: string, length: number | undefined, struct: StructType): Promise<Value[][]> {
		const { bytes } = this.file(path, length);
		const rows: Value[][] = [];
		try {
			for await (const block of decodeAvro(bytes, struct, { location: path, missing: () => null })) rows.push(...block);
		} catch (error) {
			throw damaged(path, error);
		}
		return rows;
	}
}

function damaged(path: string, error: unknown): BrokenReference {
	if (error instanceof BrokenReference) return error;
	return new BrokenReference(`${path} is damaged: ${error instanceof Error ? error.message : String(error)}`);
}

/** The version that a file name of a folder table tells. */
export function versionOf(name: string): number | undefined {
	const digits = /^v(\d+)(?:\.gz)?\.metadata\.json$/.exec(name)?.[1];
	return digits === undefined ? undefined : Number(digits);
}
