/** Files with another footer, as other writers could have made it. */
import { decodeFileMetaData } from '../../../src/codec/parquet/format-decode.ts';
import { encodeFileMetaData } from '../../../src/codec/parquet/format-encode.ts';
import { type FileMetaData, PARQUET_MAGIC, type SchemaElement } from '../../../src/codec/parquet/format.ts';

/** The pages (magic included) and then a footer of `metadata`. */
export function withFooter(pages: Uint8Array, metadata: FileMetaData): Uint8Array {
	const footer = encodeFileMetaData(metadata);
	const length = new Uint8Array(new Uint32Array([footer.length]).buffer);
	return new Uint8Array(Buffer.concat([pages, footer, length, PARQUET_MAGIC]));
}

/** The same file with other elements of the schema, as many as before. */
export function editSchema(
	bytes: Uint8Array,
	edit: (element: SchemaElement, i: number, all: readonly SchemaElement[]) => SchemaElement,
): Uint8Array {
	const length = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8).getUint32(0, true);
	const start = bytes.length - 8 - length;
	const metadata = decodeFileMetaData(bytes.slice(start, start + length), 'the footer');
	return withFooter(bytes.subarray(0, start), { ...metadata, schema: metadata.schema.map(edit) });
}

/** With Parquet's annotation on each group that begins with `metadata`, as variants have it. */
export function annotateVariants(bytes: Uint8Array): Uint8Array {
	return editSchema(bytes, (element, i, all) =>
		element.numChildren !== undefined && i > 0 && all[i + 1]?.name === 'metadata'
			? { ...element, logicalType: { kind: 'variant', specificationVersion: 1 } }
			: element,
	);
}
