/** Summaries of partition values for manifest lists. Iceberg spec: Manifest Lists, `field_summary`. */
import { type Comparator, compareValues } from '../spec/compare.ts';
import { toBinary } from '../spec/single-value.ts';
import type { StructValue, Type, Value } from '../spec/types.ts';
import type { FieldSummary } from './types.ts';

/** Collects, per partition field, nulls, NaNs and the smallest and largest other value. */
export class PartitionSummary {
	readonly #fields: FieldStats[];

	constructor(types: readonly Type[]) {
		this.#fields = types.map((type) => new FieldStats(type));
	}

	update(partition: StructValue): void {
		for (let i = 0; i < this.#fields.length; i++) (this.#fields[i] as FieldStats).update(partition[i] ?? null);
	}

	/** In the order of the spec's fields. */
	summaries(): FieldSummary[] {
		return this.#fields.map((field) => field.summary());
	}
}

class FieldStats {
	readonly #type: Type;
	#compare: Comparator | undefined;
	#containsNull = false;
	#containsNan = false;
	#min: Value = null;
	#max: Value = null;

	constructor(type: Type) {
		this.#type = type;
	}

	update(value: Value): void {
		if (value === null) {
			this.#containsNull = true;
		} else if (typeof value === 'number' && Number.isNaN(value)) {
			this.#containsNan = true;
		} else if (this.#compare === undefined) {
			this.#compare = compareValues(this.#type);
			this.#min = value;
			this.#max = value;
		} else if (value !== this.#min || value === 0) {
			// 0 and -0 are one to `===`, two to bounds
			if (this.#compare(value, this.#min) < 0) this.#min = value;
			if (this.#compare(value, this.#max) > 0) this.#max = value;
		}
	}

	summary(): FieldSummary {
		return {
			containsNull: this.#containsNull,
			containsNan: this.#containsNan,
			...(this.#min === null ? {} : { lowerBound: toBinary(this.#type, this.#min) }),
			...(this.#max === null ? {} : { upperBound: toBinary(this.#type, this.#max) }),
		};
	}
}
