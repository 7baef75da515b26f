/** Which process wrote something, and whether it is gone. */

/** A process, told apart from all others: pids are used again, start times with them are not. */
export interface ProcessIdentity {
	/** the set of processes that see one another's pids: of another host or container it is another; 8 hexadecimal digits */
	readonly host: string;
	readonly pid: number;
	/** base 36; unit and origin are the host's. `0` where the system does not tell */
	readonly startedAt: string;
}

/** Port for what is known of processes. */
export interface Processes {
	readonly self: ProcessIdentity;
	/** `undefined` when it cannot be told: a process of another host, or one whose pid may have been used again */
	isGone(identity: ProcessIdentity): boolean | undefined;
	/** True while it may do something: it is not gone, and not stopped. `undefined` when it cannot be told. */
	isRunning?(identity: ProcessIdentity): boolean | undefined;
}

/** `<host>-<pid>-<start>`: lower-case letters and digits, three parts. */
const IDENTITY = '([0-9a-f]{8})-([0-9a-z]{1,7})-([0-9a-z]{1,13})';
const IDENTITY_TEXT = new RegExp(`^${IDENTITY}$`);
const UUID = '[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}';
const WRITTEN_NAME = new RegExp(`(?:^|-)${UUID}-${IDENTITY}(?:-m?\\d+)?\\.[a-z.]+$`);
const TEMPORARY_NAME = new RegExp(`^\\.datashard-${IDENTITY}-[0-9a-f]{16}\\.tmp$`);
const MAX_PID = 2 ** 32;

/** Text form, fit for file names: `<host>-<pid in base 36>-<start>`. */
export function identityText({ host, pid, startedAt }: ProcessIdentity): string {
	return `${host}-${pid.toString(36)}-${startedAt}`;
}

/** What {@link identityText} made; `undefined` for any other text. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
	return identityIn(IDENTITY_TEXT.exec(text));
}

/** End of the names of files that a process writes: unique, and it tells the writer. */
export function writerSuffix(uuid: string, writer: ProcessIdentity): string {
	return `${uuid}-${identityText(writer)}`;
}

/**
 * The process that wrote a data file, a manifest, a manifest list or a temporary file, by the file's name.
 * `undefined` for files of other engines and other names.
 * @param fileName without folders
 */
export function writerOf(fileName: string): ProcessIdentity | undefined {
	return identityIn(TEMPORARY_NAME.exec(fileName) ?? WRITTEN_NAME.exec(fileName));
}

/** Whether both are the same process. */
export function sameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
	return a.pid === b.pid && a.host === b.host && a.startedAt === b.startedAt;
}

function identityIn(match: RegExpExecArray | null): ProcessIdentity | undefined {
	if (match === null) return undefined;
	const [, host, pidText, startedAt] = match as unknown as [string, string, string, string];
	const pid = Number.parseInt(pidText, 36);
	// Only the one spelling, so that equal texts are equal identities.
	if (pid === 0 || pid >= MAX_PID || pid.toString(36) !== pidText) return undefined;
	return { host, pid, startedAt };
}
