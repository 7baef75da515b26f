/** What must hold, by number; the simulator names them in what it reports. */
export const INVARIANTS: Readonly<Record<number, string>> = {
	1: 'Durable: a row whose append was acknowledged is in every later current snapshot',
	2: 'Once: a row appended once is there once',
	3: 'All or nothing: a reader sees each transaction whole or not at all',
	4: 'Snapshot reads: a scan, once planned, returns the rows of its snapshot',
	5: 'One line of history: each metadata version has exactly one successor, and sequence numbers rise',
	6: 'No dangling reference: every file that a retained snapshot reaches exists, with the length that is told',
	7: 'No loss by cleaning: nothing that a committed snapshot reaches is deleted',
	8: 'Waiters move: no live writer waits without bound, whoever is dead or stopped',
	9: 'Flat cost: an append costs the same late as early',
	10: "Others' data survives: what another engine wrote is kept",
};

export class InvariantViolation extends Error {
	override readonly name = 'InvariantViolation';
	readonly invariant: number;

	constructor(invariant: number, found: string) {
		super(`invariant ${invariant} (${INVARIANTS[invariant]}) does not hold: ${found}`);
		this.invariant = invariant;
	}
}
