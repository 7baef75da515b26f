/** Container files of any schema and bytes, as no writer of ours would make them. */
import { deflateRawSync } from 'node:zlib';
import { AvroBuffer } from '../../../src/codec/avro/buffer.ts';

const SYNC = Uint8Array.from({ length: 16 }, (_, i) => i);

/** One block of `count` rows whose bytes `write` makes. */
export function rawFile(
	schema: unknown,
	count: number,
	write: (buffer: AvroBuffer) => void,
	codec: 'null' | 'deflate' = 'null',
	metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
	const rows = new AvroBuffer();
	write(rows);
	const data = codec === 'null' ? rows.view() : deflateRawSync(rows.view());
	const file = new AvroBuffer();
	file.writeRaw(Uint8Array.of(0x4f, 0x62, 0x6a, 1));
	const pairs = Object.entries({ ...metadata, 'avro.schema': JSON.stringify(schema), 'avro.codec': codec });
	file.writeNumber(pairs.length);
	for (const [key, value] of pairs) {
		file.writeString(key);
		file.writeString(value);
	}
	file.writeByte(0);
	file.writeRaw(SYNC);
	file.writeNumber(count);
	file.writeBytes(data);
	file.writeRaw(SYNC);
	return file.view();
}
