/** Bytes of a file or a stream in order, in pieces, so that no file has to fit into memory. */
import type { ByteSource } from '../codec/parquet/api.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';

/** Bytes asked of a file at a time. */
export const FEED_PIECE_BYTES = 2 * 1024 * 1024;

/** Bytes of a stream that are looked at to infer a schema. */
export const SAMPLE_LIMIT_BYTES = 8 * 1024 * 1024;

/** How far an import has come; the same object is updated as it goes. */
export interface ImportProgress {
	/** bytes read of the input, in its compressed form; the first look at the data does not count */
	bytesRead: number;
	rows: number;
}

/** The pieces of a file from its start. */
export async function* filePieces(
	source: ByteSource,
	onRead: (bytes: number) => void,
	signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
	const length = await source.length();
	for (let offset = 0; offset < length; offset += FEED_PIECE_BYTES) {
		throwIfAborted(signal);
		const piece = await source.read(offset, Math.min(FEED_PIECE_BYTES, length - offset), signal);
		onRead(piece.length);
		yield piece;
	}
}

/** The pieces of a stream, each checked to be bytes. */
export async function* streamPieces(
	stream: AsyncIterable<unknown>,
	onRead: (bytes: number) => void,
	signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
	for await (const piece of stream) {
		throwIfAborted(signal);
		if (!(piece instanceof Uint8Array))
			throw new IcebergError('INVALID_ARGUMENT', `an input stream must give bytes, not ${typeof piece}`);
		if (piece.length === 0) continue;
		onRead(piece.length);
		yield piece;
	}
}

/** The same pieces, inflated when they start as gzip does. */
export async function* inflated(pieces: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
	const iterator = pieces[Symbol.asyncIterator]();
	const first = await iterator.next();
	if (first.done === true) return;
	const rest = (async function* (): AsyncGenerator<Uint8Array> {
		try {
			yield first.value;
			for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
		} finally {
			await iterator.return?.();
		}
	})();
	if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
		yield* rest;
		return;
	}
	const [{ createGunzip }, { pipeline, Readable }] = await Promise.all([import('node:zlib'), import('node:stream')]);
	const gunzip = createGunzip({ chunkSize: 256 * 1024 });
	pipeline(Readable.from(rest, { objectMode: false }), gunzip, () => undefined);
	try {
		for await (const piece of gunzip) yield piece as Uint8Array;
	} catch (error) {
		if (error instanceof IcebergError) throw error;
		throw new IcebergError('CORRUPT', `${name}: not valid gzip: ${(error as Error).message}`, { cause: error });
	}
}

/** Pieces that were read to look at the data, and then the rest of them. */
export class ReplayedPieces {
	readonly #iterator: AsyncIterator<Uint8Array>;
	#kept: Uint8Array[] | undefined = [];

	constructor(pieces: AsyncIterable<Uint8Array>) {
		this.#iterator = pieces[Symbol.asyncIterator]();
	}

	/** The first pieces, until they hold `limitBytes`; they are kept for {@link all}. */
	async *sample(limitBytes: number): AsyncGenerator<Uint8Array> {
		let bytes = 0;
		while (bytes < limitBytes) {
			const next = await this.#iterator.next();
			if (next.done === true) return;
			// copied: a source may reuse its buffer
			const piece = next.value.slice();
			this.#kept?.push(piece);
			bytes += piece.length;
			yield piece;
		}
	}

	/** All pieces from the start. Once only. */
	async *all(): AsyncGenerator<Uint8Array> {
		const kept = this.#kept;
		if (kept === undefined) throw new IcebergError('INVALID_ARGUMENT', 'a stream can be read only once');
		this.#kept = undefined;
		try {
			yield* kept;
			for (let next = await this.#iterator.next(); next.done !== true; next = await this.#iterator.next())
				yield next.value;
		} finally {
			await this.#iterator.return?.();
		}
	}
}

/** The bytes of an input: to `look` at its start (a stream) or all of it (a file), or to `read` it all. */
export type InputPieces = (purpose: 'look' | 'read', signal: AbortSignal | undefined) => AsyncIterable<Uint8Array>;

/** Opens the bytes of an input: a file as often as asked, a stream once, what was looked at of it included. */
export function piecesOf(
	name: string,
	input: ByteSource | AsyncIterable<unknown>,
	progress: ImportProgress,
): InputPieces {
	const count = (bytes: number): void => {
		progress.bytesRead += bytes;
	};
	if (!(Symbol.asyncIterator in input)) {
		return (purpose, signal) => inflated(filePieces(input, purpose === 'read' ? count : () => undefined, signal), name);
	}
	let replayed: ReplayedPieces | undefined;
	return (purpose, signal) => {
		replayed ??= new ReplayedPieces(inflated(streamPieces(input, count, signal), name));
		return purpose === 'read' ? replayed.all() : replayed.sample(SAMPLE_LIMIT_BYTES);
	};
}
