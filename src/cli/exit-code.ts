/** Exit codes, and errors as one line. */
import type { IcebergErrorCode } from '../index.ts';

/** What the command's exit tells a program. */
export const EXIT = {
	ok: 0,
	/** the command could not do its work; `verify`: the table is damaged */
	failure: 1,
	/** wrong usage, or input that was refused; nothing was changed */
	usage: 2,
	/** there is no such file, table or snapshot */
	notFound: 3,
	/** other writers won; trying again may help */
	conflict: 4,
	/** the commit may or may not have happened: look before repeating it */
	unknown: 5,
	/** interrupted; nothing was committed */
	interrupted: 130,
} as const;

export const EXIT_CODES_HELP = `Exit codes:
  0    done
  1    failed; verify: the table is damaged
  2    wrong usage, or input that was refused (nothing was changed)
  3    no such file, table or snapshot
  4    other writers won each time: try again
  5    the commit may or may not have happened: look before you repeat it
  130  interrupted (nothing was committed)`;

const BY_CODE: Readonly<Partial<Record<IcebergErrorCode, number>>> = {
	INVALID_ARGUMENT: EXIT.usage,
	INVALID_SCHEMA: EXIT.usage,
	INVALID_DATA: EXIT.usage,
	INVALID_FILTER: EXIT.usage,
	ALREADY_EXISTS: EXIT.usage,
	LIMIT_EXCEEDED: EXIT.usage,
	NOT_FOUND: EXIT.notFound,
	NOT_A_TABLE: EXIT.notFound,
	COMMIT_CONFLICT: EXIT.conflict,
	VALIDATION_FAILED: EXIT.conflict,
	COMMIT_STATE_UNKNOWN: EXIT.unknown,
	ABORTED: EXIT.interrupted,
};

export function exitCodeOf(error: unknown): number {
	// by name: to load the library only for its class would slow down every start
	if (!(error instanceof Error) || error.name !== 'IcebergError') return EXIT.failure;
	return BY_CODE[(error as Error & { readonly code: IcebergErrorCode }).code] ?? EXIT.failure;
}

/** One line for people: what went wrong. The stack only where `DEBUG` is set. */
export function errorText(error: unknown, env: Readonly<Record<string, string | undefined>>): string {
	const message = error instanceof Error ? error.message : String(error);
	const line = `datashard: ${message.replaceAll(/\s*\n\s*/g, ' ')}\n`;
	const debug = env['DEBUG'];
	if (debug === undefined || debug === '' || debug === '0' || !(error instanceof Error)) return line;
	const cause = error.cause instanceof Error ? `caused by ${error.cause.stack}\n` : '';
	return `${line}${error.stack}\n${cause}`;
}
