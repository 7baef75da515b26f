/** Errors of the value decoders. They know neither file nor column: the column reader adds those. */
import { IcebergError } from '../../errors/iceberg-error.ts';

/** Bytes that are not what their encoding says. */
export function corruptPage(message: string): IcebergError {
	return new IcebergError('CORRUPT', message);
}

/** Where in a file something went wrong, for messages. */
export interface FileSpot {
	readonly location: string;
	/** dotted path of the column */
	readonly column?: string;
	readonly rowGroup?: number;
}

/**
 * Puts the file, column and row group in front of a decoder's message. A `RangeError` of a typed array becomes
 * `CORRUPT`, one of an allocation `LIMIT_EXCEEDED`; anything else is handed on as it is.
 */
export function atSpot(error: unknown, spot: FileSpot): unknown {
	const where = describeSpot(spot);
	if (error instanceof IcebergError) {
		if (error.context['location'] !== undefined) return error;
		return new IcebergError(error.code, `${where}: ${error.message}`, {
			context: { ...error.context, ...spot },
			retryable: error.retryable,
			cause: error,
		});
	}
	if (error instanceof RangeError) {
		const outOfMemory = /alloc|array length|array buffer length/i.test(error.message);
		return new IcebergError(outOfMemory ? 'LIMIT_EXCEEDED' : 'CORRUPT', `${where}: ${error.message}`, {
			context: { ...spot },
			cause: error,
		});
	}
	return error;
}

function describeSpot(spot: FileSpot): string {
	let text = `Parquet file ${spot.location}`;
	if (spot.column !== undefined) text += `, column '${spot.column}'`;
	if (spot.rowGroup !== undefined) text += `, row group ${spot.rowGroup}`;
	return text;
}
