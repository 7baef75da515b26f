import { IcebergError } from '../errors/iceberg-error.ts';

/** @throws `ABORTED` with the signal's reason as cause, when it is aborted */
export function throwIfAborted(signal: AbortSignal | undefined): void {
	if (signal?.aborted === true) throw new IcebergError('ABORTED', 'the call was aborted', { cause: signal.reason });
}
