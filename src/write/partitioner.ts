/** Rows to partitions. Iceberg spec: Partitioning. */
import type { ColumnBatch } from '../column/vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { NestedField, StructValue, Value } from '../spec/types.ts';
import { type SourceColumn, sourceColumn } from './source-column.ts';
import { type TransformCoder, transformCoder } from './transform-coder.ts';

/** Most partitions that one write may fill. */
export const PARTITIONS_LIMIT = 100_000;

/** Rows of a batch that belong to one partition. */
export interface PartitionRows {
	/** number of the partition */
	readonly partition: number;
	/** positions of the rows, ascending */
	readonly rows: Uint32Array;
}

interface CodedField {
	readonly source: SourceColumn | undefined;
	readonly coder: TransformCoder;
	/** from the number of the tuple of the fields before and this field's code to the number of the tuple */
	readonly tuples: Map<number, number>;
	/** for each tuple: number of the tuple before, code */
	readonly parts: [number, number][];
}

const CODE_SPACE = 0x400_0000;

/** Finds each row's partition. The numbers of partitions count up from 0 as they are met. */
export class Partitioner {
	readonly #fields: readonly CodedField[];

	/** @throws `INVALID_SCHEMA`, `UNSUPPORTED` for a spec that cannot be applied to the schema */
	constructor(spec: PartitionSpec, fields: readonly NestedField[]) {
		this.#fields = spec.fields.map((field) => {
			const isVoid = field.transform.kind === 'void';
			// the source of a void field may have been dropped
			const source = isVoid ? undefined : sourceColumn(fields, field.sourceId, `partition field '${field.name}'`);
			const coder = transformCoder(field.transform, source?.type ?? { kind: 'unknown' });
			return { source, coder, tuples: new Map(), parts: [] };
		});
	}

	/** The values of a partition, in the order of the spec's fields. */
	valuesOf(partition: number): StructValue {
		const values: Value[] = [];
		let tuple = partition;
		for (const field of this.#fields.toReversed()) {
			const [before, code] = field.parts[tuple] as [number, number];
			values.unshift(field.coder.valueOf(code));
			tuple = before;
		}
		return values;
	}

	/** The number of each row's partition. @throws `LIMIT_EXCEEDED` */
	numbersOf(batch: ColumnBatch): Int32Array {
		const tuples = new Int32Array(batch.length);
		const codes = new Int32Array(batch.length);
		for (const { source, coder, tuples: known, parts } of this.#fields) {
			if (source === undefined) codes.fill(0);
			else coder.encode(source.of(batch), codes);
			let lastKey = -1;
			let lastTuple = 0;
			for (let i = 0; i < batch.length; i++) {
				const key = (tuples[i] as number) * CODE_SPACE + (codes[i] as number);
				if (key !== lastKey) {
					lastKey = key;
					let tuple = known.get(key);
					if (tuple === undefined) {
						tuple = parts.push([tuples[i] as number, codes[i] as number]) - 1;
						if (tuple >= PARTITIONS_LIMIT) throw tooMany();
						known.set(key, tuple);
					}
					lastTuple = tuple;
				}
				tuples[i] = lastTuple;
			}
		}
		return tuples;
	}
}

function tooMany(): IcebergError {
	return new IcebergError(
		'LIMIT_EXCEEDED',
		`the rows fall into more than ${PARTITIONS_LIMIT} partitions; partition by something coarser, or append in parts`,
		{ context: { limit: 'PARTITIONS_LIMIT', partitions: PARTITIONS_LIMIT } },
	);
}

/** Positions by number, in the order in which the numbers first occur. */
export function groupRows(numbers: Int32Array): PartitionRows[] {
	const counts = new Map<number, number>();
	for (let i = 0; i < numbers.length; ) {
		const number = numbers[i] as number;
		let end = i + 1;
		while (end < numbers.length && numbers[end] === number) end++;
		counts.set(number, (counts.get(number) ?? 0) + end - i);
		i = end;
	}
	const groups = new Map<number, { readonly rows: Uint32Array; filled: number }>();
	for (const [number, count] of counts) groups.set(number, { rows: new Uint32Array(count), filled: 0 });
	let last = -1;
	let group = { rows: new Uint32Array(0), filled: 0 };
	for (let i = 0; i < numbers.length; i++) {
		const number = numbers[i] as number;
		if (number !== last) {
			last = number;
			group = groups.get(number) as typeof group;
		}
		group.rows[group.filled++] = i;
	}
	return Array.from(groups, ([partition, { rows }]) => ({ partition, rows }));
}
