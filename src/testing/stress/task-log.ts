/** The rows that the stress test appends: a task log, each row told by its writer and its number. */
import { long, schema, string } from '../../spec/schema-builder.ts';

const STATUS = ['success', 'failed', 'running', 'cancelled'];
const FIRST_START_MS = 1_700_000_000_000;

/** The task log's columns. */
export const taskLogSchema = schema({
	task_id: string().required(),
	workflow_id: string().required(),
	status: string().required(),
	started_at: long().required(),
	completed_at: long().required(),
	duration_ms: long().required(),
	error_message: string(),
	worker_id: string().required(),
});

export interface TaskRow {
	readonly task_id: string;
	readonly workflow_id: string;
	readonly status: string;
	readonly started_at: bigint;
	readonly completed_at: bigint;
	readonly duration_ms: bigint;
	readonly error_message: string | null;
	readonly worker_id: string;
}

/** A writer's row of a number, always the same. */
export function taskRow(writer: number, operation: number): TaskRow {
	const startedMs = FIRST_START_MS + operation * 10;
	const durationMs = (operation * 7919 + writer * 104_729) % 60_000;
	return {
		task_id: `${writer}-${operation}`,
		workflow_id: `wf-${String((operation * 31 + writer) % 1000).padStart(5, '0')}`,
		status: STATUS[(operation + writer) % STATUS.length] as string,
		started_at: BigInt(startedMs),
		completed_at: BigInt(startedMs + durationMs),
		duration_ms: BigInt(durationMs),
		error_message: (operation + writer) % STATUS.length === 1 ? 'Connection timeout' : null,
		worker_id: `worker-${String(writer).padStart(3, '0')}`,
	};
}

/** Writer and number of a row; undefined for an id that no writer gives. */
export function taskOf(taskId: unknown): { readonly writer: number; readonly operation: number } | undefined {
	const [, writer, operation] = /^(\d{1,9})-(\d{1,9})$/.exec(String(taskId)) ?? [];
	return writer === undefined || operation === undefined
		? undefined
		: { writer: Number(writer), operation: Number(operation) };
}

/** Whether a row that was read is, in every column, what its writer wrote. */
export function isAsWritten(row: TaskRow, writer: number, operation: number): boolean {
	const written = taskRow(writer, operation);
	return (Object.keys(written) as (keyof TaskRow)[]).every((name) => row[name] === written[name]);
}
