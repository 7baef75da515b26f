/** Messages of Arrow IPC, which streams and files are made of (Arrow columnar format: Encapsulated message format). */
import { IcebergError } from '../errors/iceberg-error.ts';
import { FlatTable } from './flatbuffer.ts';

/** Kinds of messages. */
export const ARROW_MESSAGE = { schema: 1, dictionaryBatch: 2, recordBatch: 3 } as const;
/** What a message starts with since Arrow 0.15. */
export const ARROW_CONTINUATION = 0xffffffff;
/** Metadata version V4, Arrow 0.8: older ones lay buffers out differently. */
const OLDEST_VERSION = 3;

export interface ArrowMessage {
	/** one of {@link ARROW_MESSAGE}, or a kind that is passed over */
	readonly kind: number;
	/** Schema, DictionaryBatch, RecordBatch or what else the kind says */
	readonly header: FlatTable;
	/** bytes that follow the metadata */
	readonly bodyBytes: number;
}

/**
 * What a message's metadata say.
 * @throws `RangeError` for unsound metadata; `UNSUPPORTED` for versions before 0.8
 */
export function readArrowMessage(metadata: Uint8Array): ArrowMessage {
	const message = FlatTable.root(metadata);
	const version = message.int16(0);
	if (version < OLDEST_VERSION)
		throw new IcebergError('UNSUPPORTED', `Arrow IPC of metadata version V${version + 1}; V4 and V5 are read`);
	const bodyBytes = message.int64(3);
	if (bodyBytes < 0) throw new RangeError(`a body of ${bodyBytes} bytes`);
	const header = message.table(2);
	if (header === undefined) throw new RangeError('a message without a header');
	return { kind: message.uint8(1), header, bodyBytes };
}

/** The dictionary that a dictionary batch brings. @throws `RangeError` for an unsound header */
export function arrowDictionaryOf(header: FlatTable): {
	readonly id: number;
	/** its entries go behind those that are there */
	readonly isDelta: boolean;
	readonly batch: FlatTable;
} {
	const batch = header.table(1);
	if (batch === undefined) throw new RangeError('no dictionary');
	return { id: header.int64(0), isDelta: header.uint8(2) !== 0, batch };
}
