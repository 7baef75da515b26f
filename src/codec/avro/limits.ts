/** Limits that keep hostile Avro bytes from taking memory or time out of proportion. */

/** Bytes of one container block, expanded. Writers make blocks of 16 KiB to a few MiB. */
export const AVRO_BLOCK_LIMIT_BYTES = 256 * 1024 * 1024;
/** Nesting of the schema, and of the values of a schema that refers to itself. */
export const AVRO_DEPTH_LIMIT = 128;
/** Nodes of a schema with all references to named types written out. */
export const AVRO_SCHEMA_NODE_LIMIT = 1_000_000;
/** Elements that take no bytes at all (nulls), of one array or one block; their number cannot be checked against the input. */
export const AVRO_ZERO_WIDTH_LIMIT = 1_048_576;
/** Bytes of the header: schema and key/value metadata. */
export const AVRO_HEADER_LIMIT_BYTES = 64 * 1024 * 1024;
/** Parsed schemas that are kept: files of one table have few. */
export const AVRO_SCHEMA_CACHE_ENTRIES = 32;
/** Longest schema text that is kept, UTF-16 units. */
export const AVRO_SCHEMA_CACHE_TEXT_LIMIT = 262_144;
/** Rows that any file may have where all are kept in memory, and compressed bytes that each further one must take. */
export const AVRO_KEPT_ROWS_BASE = 100_000;
export const AVRO_KEPT_ROW_BYTES = 4;
