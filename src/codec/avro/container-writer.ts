/** Writes Avro object container files. Avro specification: Object Container Files. */
import { crc32 } from 'node:zlib';
import { murmur3Long } from '../../util/murmur3.ts';
import { compressSync } from '../compression.ts';
import { AvroBuffer } from './buffer.ts';
import { type AvroCodec, compressionOf, SYNC_MARKER_BYTES } from './container-reader.ts';

/** Bytes of a block before compression, as Avro's own writer has it. */
export const AVRO_BLOCK_TARGET_BYTES = 64_000;

/** Bytes of rows up to which a file is smaller for its headers than for its rows: compressing takes longer than writing. */
export const AVRO_SMALL_FILE_BYTES = 8 * 1024;

const MAGIC = Uint8Array.of(0x4f, 0x62, 0x6a, 1);

/** The part of a file before its blocks; may be shared by files of one schema and metadata. */
export interface AvroFileHeader {
	readonly bytes: Uint8Array;
	readonly codec: AvroCodec;
	readonly syncMarker: Uint8Array;
}

/**
 * Encodes a header. The sync marker is a hash of the rest: files with the same header have the same one, which their
 * readers do not mind.
 *
 * @param schemaText Avro schema JSON
 * @param metadata key/value pairs, without those of Avro's own
 */
export function encodeAvroHeader(
	schemaText: string,
	metadata: Readonly<Record<string, string>>,
	codec: AvroCodec,
): AvroFileHeader {
	const buffer = new AvroBuffer(schemaText.length + 2048);
	buffer.writeRaw(MAGIC);
	const pairs = [...Object.entries(metadata), ['avro.schema', schemaText], ['avro.codec', codec]];
	buffer.writeNumber(pairs.length);
	for (const [key, value] of pairs as [string, string][]) {
		buffer.writeString(key);
		buffer.writeString(value);
	}
	buffer.writeByte(0);
	const syncMarker = syncMarkerOf(buffer.view());
	buffer.writeRaw(syncMarker);
	return { bytes: buffer.view().slice(), codec, syncMarker };
}

/** Bytes that the data hold by no chance, the same for the same header. */
function syncMarkerOf(header: Uint8Array): Uint8Array {
	const marker = new DataView(new ArrayBuffer(SYNC_MARKER_BYTES));
	let hash = crc32(header);
	for (let at = 0; at < SYNC_MARKER_BYTES; at += 4) {
		hash = murmur3Long(BigInt(hash));
		marker.setInt32(at, hash);
	}
	return new Uint8Array(marker.buffer);
}

/**
 * Collects rows and cuts them into compressed blocks. Write each row to `rows`, then call `endRow`. Codecs other than
 * null and deflate need `loadAvroCodec(codec, 'compress')` to have resolved before.
 */
export class AvroContainerWriter {
	readonly rows = new AvroBuffer(4096);
	readonly #whenSmall: AvroFileHeader;
	readonly #level: number | undefined;
	#header: AvroFileHeader;
	#output: AvroBuffer | undefined;
	#rowsInBlock = 0;

	/** @param whenSmall the header of a file with no more than {@link AVRO_SMALL_FILE_BYTES} of rows; `header` when left out */
	constructor(header: AvroFileHeader, level?: number, whenSmall: AvroFileHeader = header) {
		this.#header = header;
		this.#whenSmall = whenSmall;
		this.#level = level;
	}

	/** Bytes of the file so far; of the block in work about a third, what it may compress to. */
	get estimatedSizeBytes(): number {
		const open = this.#header.codec === 'null' ? this.rows.length : Math.ceil(this.rows.length / 3);
		return (this.#output?.length ?? this.#header.bytes.length) + open;
	}

	endRow(): void {
		this.#rowsInBlock++;
		if (this.rows.length >= AVRO_BLOCK_TARGET_BYTES) this.#endBlock();
	}

	/** The whole file. Call once. */
	finish(): Uint8Array {
		if (this.#output === undefined && this.rows.length <= AVRO_SMALL_FILE_BYTES) this.#header = this.#whenSmall;
		const output = this.#startedOutput();
		this.#endBlock();
		return output.view();
	}

	#startedOutput(): AvroBuffer {
		if (this.#output === undefined) {
			this.#output = new AvroBuffer(this.#header.bytes.length + this.rows.length + 64);
			this.#output.writeRaw(this.#header.bytes);
		}
		return this.#output;
	}

	#endBlock(): void {
		if (this.#rowsInBlock === 0) return;
		const output = this.#startedOutput();
		const expanded = this.rows.view();
		const data = compressSync(compressionOf(this.#header.codec), expanded, this.#level);
		const isSnappy = this.#header.codec === 'snappy';
		output.writeNumber(this.#rowsInBlock);
		output.writeNumber(data.length + (isSnappy ? 4 : 0));
		output.writeRaw(data);
		if (isSnappy) output.writeRaw(bigEndian(crc32(expanded)));
		output.writeRaw(this.#header.syncMarker);
		this.rows.clear();
		this.#rowsInBlock = 0;
	}
}

function bigEndian(value: number): Uint8Array {
	return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}
