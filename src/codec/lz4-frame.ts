/** LZ4 frames, in which Arrow files hold compressed buffers (LZ4 frame format 1.6). */
import { IcebergError } from '../errors/iceberg-error.ts';

const MAGIC = 0x184d2204;
/** No LZ4 block expands further. */
const MAX_RATIO = 255;

/**
 * Expands one frame. Blocks may refer to those before them; checksums, where there are any, are passed over.
 *
 * @param length bytes that the result must have
 * @throws `CORRUPT` for what is no such frame
 */
export function decompressLz4Frame(bytes: Uint8Array, length: number): Uint8Array {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (bytes.length < 7 || view.getUint32(0, true) !== MAGIC) throw corrupt('no frame');
	const flags = bytes[4] as number;
	if (flags >> 6 !== 1) throw corrupt('an unknown version');
	const hasBlockChecksum = (flags & 0x10) !== 0;
	const hasContentSize = (flags & 0x08) !== 0;
	const hasDictionaryId = (flags & 0x01) !== 0;
	let at = 7 + (hasContentSize ? 8 : 0) + (hasDictionaryId ? 4 : 0);
	if (length > MAX_RATIO * bytes.length) throw corrupt(`${bytes.length} bytes that claim to expand to ${length}`);
	const out = new Uint8Array(length);
	let written = 0;
	for (;;) {
		if (at + 4 > bytes.length) throw corrupt('it ends early');
		const head = view.getUint32(at, true);
		at += 4;
		if (head === 0) break;
		const size = head & 0x7fffffff;
		if (at + size > bytes.length) throw corrupt('a block that is longer than the frame');
		const block = bytes.subarray(at, at + size);
		if (head >>> 31 === 1) {
			if (written + size > length) throw corrupt('more bytes than announced');
			out.set(block, written);
			written += size;
		} else written = expandBlock(block, out, written);
		at += size + (hasBlockChecksum ? 4 : 0);
	}
	if (written !== length) throw corrupt(`${written} bytes where ${length} were announced`);
	return out;
}

/** Expands a block behind what was written, which it may refer to. Returns the new end. */
function expandBlock(block: Uint8Array, out: Uint8Array, from: number): number {
	let at = 0;
	let end = from;
	const longLength = (start: number): number => {
		let length = start;
		if (start !== 15) return length;
		for (;;) {
			if (at >= block.length) throw corrupt('a block that ends early');
			const more = block[at++] as number;
			length += more;
			if (more !== 255) return length;
		}
	};
	while (at < block.length) {
		const token = block[at++] as number;
		const literals = longLength(token >> 4);
		if (at + literals > block.length || end + literals > out.length) throw corrupt('literals beyond the end');
		out.set(block.subarray(at, at + literals), end);
		at += literals;
		end += literals;
		if (at === block.length) return end;
		if (at + 2 > block.length) throw corrupt('a block that ends early');
		const distance = (block[at] as number) | ((block[at + 1] as number) << 8);
		at += 2;
		const length = longLength(token & 15) + 4;
		if (distance === 0 || distance > end || end + length > out.length) throw corrupt('a match beyond the data');
		for (let i = 0; i < length; i++) out[end + i] = out[end - distance + i] as number;
		end += length;
	}
	return end;
}

function corrupt(problem: string): IcebergError {
	return new IcebergError('CORRUPT', `LZ4: ${problem}`);
}
