/**
 * Projections through year, month, day and hour, made to fit old files: writers up to Java's 0.10.0 gave values before
 * 1970 a partition value one too high (the last hour of 1969 was 0, not -1).
 */
import { boundSet } from './bound.ts';
import type { BoundExpression } from './expression.ts';

/** Widens a projection so that it also matches the partition values of old writers. */
export function fixInclusiveTime(projected: BoundExpression): BoundExpression | undefined {
	switch (projected.op) {
		case 'lt':
		case 'lt-eq': {
			const value = projected.literal as number;
			return value < 0 ? { ...projected, literal: value + 1 } : projected;
		}
		case 'eq': {
			const value = projected.literal as number;
			return value < 0 ? boundSet('in', projected.ref, [value, value + 1]) : projected;
		}
		case 'in':
			return boundSet('in', projected.ref, withOldValues(projected.literals as readonly number[]));
		case 'not-eq':
		case 'not-in':
			return undefined;
		default:
			return projected;
	}
}

/** Narrows a projection so that no partition value of an old writer matches by mistake. */
export function fixStrictTime(projected: BoundExpression): BoundExpression | undefined {
	switch (projected.op) {
		case 'gt': {
			// No strict projection asks for `gt-eq`, for which 0 would have to move as well.
			const value = projected.literal as number;
			return value < 0 ? { ...projected, literal: value + 1 } : projected;
		}
		case 'not-eq': {
			const value = projected.literal as number;
			return value < 0 ? boundSet('not-in', projected.ref, [value, value + 1]) : projected;
		}
		case 'not-in':
			return boundSet('not-in', projected.ref, withOldValues(projected.literals as readonly number[]));
		case 'eq':
		case 'gt-eq':
		case 'in':
			return undefined;
		default:
			return projected;
	}
}

function withOldValues(values: readonly number[]): number[] {
	return values.flatMap((value) => (value < 0 ? [value, value + 1] : [value]));
}
