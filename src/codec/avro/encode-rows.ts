/** Rows of engine values as an Avro container file in memory. */
import type { StructType, StructValue } from '../../spec/types.ts';
import { type AvroCodec, loadAvroCodec } from './container-reader.ts';
import { AvroContainerWriter, encodeAvroHeader } from './container-writer.ts';
import { compileStructEncoder } from './encoder.ts';
import { avroSchemaOf } from './iceberg-schema.ts';

export interface EncodeAvroOptions {
	/** Default `table`, as Java names it. */
	readonly recordName?: string;
	/** Default `deflate`. */
	readonly codec?: AvroCodec;
	readonly codecLevel?: number;
	/** key/value metadata of the file */
	readonly metadata?: Readonly<Record<string, string>>;
}

/** @throws `INVALID_DATA` for null in a required column and values that do not fit; `UNSUPPORTED` for unknown types */
export async function encodeAvro(
	rows: Iterable<StructValue>,
	struct: StructType,
	options: EncodeAvroOptions = {},
): Promise<Uint8Array> {
	const codec = options.codec ?? 'deflate';
	await loadAvroCodec(codec, 'compress');
	const schemaText = JSON.stringify(avroSchemaOf(struct, options.recordName ?? 'table'));
	const encode = compileStructEncoder(struct);
	const writer = new AvroContainerWriter(
		encodeAvroHeader(schemaText, options.metadata ?? {}, codec),
		options.codecLevel,
	);
	for (const row of rows) {
		encode(writer.rows, row);
		writer.endRow();
	}
	return writer.finish();
}
