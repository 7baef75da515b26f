/** What the messages between a leader and those that it leads carry. */
import { IcebergError, type IcebergErrorCode, isIcebergError } from '../errors/iceberg-error.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { snapshotFromJson, snapshotToJson } from '../spec/snapshot-json.ts';
import { parseJson, stringifyJson } from '../util/json.ts';

/** An error as one line. */
export function errorToText(error: unknown): string {
	const { code, message, retryable } = isIcebergError(error)
		? error
		: { code: 'STORAGE', message: error instanceof Error ? error.message : String(error), retryable: true };
	return JSON.stringify({ code, message, retryable });
}

export function errorFromText(text: string): IcebergError {
	const { code, message, retryable } = JSON.parse(text) as {
		code: IcebergErrorCode;
		message: string;
		retryable: boolean;
	};
	return new IcebergError(code, message, { retryable });
}

export function snapshotToText(snapshot: Snapshot | undefined): string {
	return snapshot === undefined ? '-' : stringifyJson(snapshotToJson(snapshot));
}

export function snapshotFromText(text: string): Snapshot | undefined {
	return text === '-' ? undefined : snapshotFromJson(parseJson(text));
}
