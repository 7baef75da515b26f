/** The blocks of a container file, expanded. Avro specification: Object Container Files, Required Codecs, Optional Codecs. */
import { crc32 } from 'node:zlib';
import { IcebergError, isIcebergError } from '../../errors/iceberg-error.ts';
import { type CompressionCodec, decompressSync } from '../compression.ts';
import { inflateRawInto, NO_ROOM, SMALL_DEFLATE_BYTES } from '../inflate.ts';
import { AvroCursor } from './cursor.ts';
import { AVRO_BLOCK_LIMIT_BYTES } from './limits.ts';

/** Memory that small blocks share, bytes: as a rule a file's blocks expand to a few times its size. */
const SHARED_BYTES = { min: 1024, max: 64 * 1024, factor: 2 };
/** Avro's snappy blocks end with one. */
const SNAPPY_CHECKSUM_BYTES = 4;

/** Expands one block after the other; small ones of the codec deflate into memory that they share. */
export class BlockExpander {
	readonly #bytes: Uint8Array;
	readonly #codec: CompressionCodec;
	readonly #location: string;
	/** over the file where blocks are not compressed, else over memory that blocks share */
	#shared: AvroCursor | undefined;
	/** of the shared memory, bytes */
	#used = 0;

	/** @param bytes the file's */
	constructor(bytes: Uint8Array, codec: CompressionCodec, location: string) {
		this.#bytes = bytes;
		this.#codec = codec;
		this.#location = location;
	}

	/**
	 * A cursor over the block whose data stand from `start` to `end`. The next call may move it; the bytes stay as they are.
	 *
	 * @param blockAt where the block starts, for messages
	 * @throws `CORRUPT` for data that are not of the codec, or expand beyond the limit
	 */
	expand(start: number, end: number, blockAt: number): AvroCursor {
		if (this.#codec === 'uncompressed') {
			const cursor = (this.#shared ??= new AvroCursor(this.#bytes, this.#location));
			cursor.position = start;
			cursor.end = end;
			return cursor;
		}
		try {
			if (this.#codec === 'deflate' && end - start <= SMALL_DEFLATE_BYTES) {
				const cursor = this.#inflate(start, end, blockAt);
				if (cursor !== undefined) return cursor;
			}
			const expanded = this.#expandAlone(this.#bytes.subarray(start, end));
			const cursor = new AvroCursor(expanded, this.#location);
			cursor.enterPart(0, expanded.length, blockAt);
			return cursor;
		} catch (cause) {
			if (isIcebergError(cause) && cause.code !== 'CORRUPT') throw cause;
			throw new IcebergError(
				'CORRUPT',
				`corrupt Avro file ${this.#location}: a ${this.#codec} block that cannot be expanded at byte ${start}: ${(cause as Error).message}`,
				{ context: { location: this.#location, position: start }, cause },
			);
		}
	}

	/** `undefined` for a block that needs more than all of the shared memory. */
	#inflate(start: number, end: number, blockAt: number): AvroCursor | undefined {
		const { min, max, factor } = SHARED_BYTES;
		for (;;) {
			const shared = (this.#shared ??= this.#memory(Math.max(min, (this.#bytes.length - start) * factor)));
			const to = inflateRawInto(this.#bytes, start, end, shared.bytes, this.#used);
			if (to !== NO_ROOM) {
				shared.enterPart(this.#used, to, blockAt);
				this.#used = to;
				return shared;
			}
			if (this.#used > 0) this.#shared = undefined;
			else if (shared.bytes.length < max) this.#shared = this.#memory(max);
			else return undefined;
			this.#used = 0;
		}
	}

	#memory(length: number): AvroCursor {
		return new AvroCursor(allocate(Math.min(length, SHARED_BYTES.max)), this.#location);
	}

	#expandAlone(data: Uint8Array): Uint8Array {
		if (this.#codec !== 'snappy') return decompressSync(this.#codec, data, AVRO_BLOCK_LIMIT_BYTES);
		const end = data.length - SNAPPY_CHECKSUM_BYTES;
		if (end < 0) throw new RangeError('no checksum');
		const expanded = decompressSync('snappy', data.subarray(0, end), AVRO_BLOCK_LIMIT_BYTES);
		const expected = new DataView(data.buffer, data.byteOffset + end, SNAPPY_CHECKSUM_BYTES).getUint32(0);
		const found = crc32(expanded);
		if (found !== expected) throw new RangeError(`its checksum is ${found} and should be ${expected}`);
		return expanded;
	}
}

/** Memory that is not zeroed: of it only what blocks were expanded to is looked at. */
function allocate(length: number): Uint8Array {
	const { buffer } = Buffer.allocUnsafeSlow(length);
	return new Uint8Array(buffer);
}
