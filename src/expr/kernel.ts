/** What all kernels share: functions that fill a mask from the buffers of one vector. */
import type { Vector } from '../column/vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Value } from '../spec/types.ts';
import type { BoundPredicate } from './expression.ts';

/** Fills the first `length` bytes of the mask for the values of a vector; what stands at nulls does not matter. */
export type Kernel = (vector: Vector, length: number, mask: Uint8Array) => void;

interface Outcomes {
	readonly literals: readonly Value[];
	/** what a value below, equal to or above the literal gives; `ofEqual` is that of a member for sets */
	readonly ofBelow: 0 | 1;
	readonly ofEqual: 0 | 1;
	readonly ofAbove: 0 | 1;
	readonly set: boolean;
}

/** What a predicate says of values below, at and above its literal. */
export function outcomes(pred: BoundPredicate): Outcomes {
	switch (pred.op) {
		case 'lt':
			return { literals: [pred.literal], ofBelow: 1, ofEqual: 0, ofAbove: 0, set: false };
		case 'lt-eq':
			return { literals: [pred.literal], ofBelow: 1, ofEqual: 1, ofAbove: 0, set: false };
		case 'gt':
			return { literals: [pred.literal], ofBelow: 0, ofEqual: 0, ofAbove: 1, set: false };
		case 'gt-eq':
			return { literals: [pred.literal], ofBelow: 0, ofEqual: 1, ofAbove: 1, set: false };
		case 'eq':
			return { literals: [pred.literal], ofBelow: 0, ofEqual: 1, ofAbove: 0, set: false };
		case 'not-eq':
			return { literals: [pred.literal], ofBelow: 1, ofEqual: 0, ofAbove: 1, set: false };
		case 'in':
			return { literals: pred.literals, ofBelow: 0, ofEqual: 1, ofAbove: 0, set: true };
		case 'not-in':
			return { literals: pred.literals, ofBelow: 1, ofEqual: 0, ofAbove: 1, set: true };
		default:
			throw new IcebergError('INVALID_ARGUMENT', `${pred.op} does not compare values`);
	}
}
