/** Avro data files as rows of engine values. Iceberg spec: Appendix A, Avro; Column Projection. */
import type { StructType, Value } from '../../spec/types.ts';
import { avroBlocks, checkBlockEnd, loadAvroCodec, readAvroHeader } from './container-reader.ts';
import { compileStructDecoder, type DecoderOptions } from './decoder.ts';

/**
 * The rows of a file, one array per block of the file, each row in the order of the struct's fields. Columns are matched
 * by field id at every level and promoted to the wanted types; what is not wanted is skipped.
 * @throws `CORRUPT` for bytes that are no Avro container file, or columns that do not fit the wanted types
 */
export async function* decodeAvro(
	bytes: Uint8Array,
	struct: StructType,
	options: DecoderOptions,
): AsyncGenerator<Value[][], void, undefined> {
	const { location } = options;
	const header = readAvroHeader(bytes, location);
	await loadAvroCodec(header.codec, 'decompress');
	const decode = compileStructDecoder(header.schema, struct, options);
	for (const block of avroBlocks(bytes, header, location)) {
		const rows: Value[][] = [];
		for (let i = 0; i < block.count; i++) rows.push(decode(block.cursor));
		checkBlockEnd(block);
		yield rows;
	}
}
