/** Ports for what is not deterministic, so that a simulator can stand in for them. */

export interface Clock {
	/** milliseconds since 1970; may step back */
	nowMs(): number;
	/** milliseconds from an arbitrary start; never steps back */
	monotonicMs(): number;
	/** Resolves after at least `ms`. @throws the signal's reason when it is aborted */
	sleep(ms: number, signal?: AbortSignal): Promise<void>;
	/** {@link sleep} that does not keep the process alive. Default: `sleep`. */
	doze?(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
	/** fills with uniform random bytes and returns the array */
	bytes(length: number): Uint8Array;
	/** uniform in [0, 1) */
	float(): number;
}
