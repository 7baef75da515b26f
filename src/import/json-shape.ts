/** Infers a schema from parsed JSON rows. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { NestedField, Type } from '../spec/types.ts';
import { ExactNumber } from './exact-json.ts';
import { FieldIds } from './field-ids.ts';
import { KIND, kindOfDateText, kindOfInteger, keepsDigits, typeOfKinds } from './value-kinds.ts';

/** Most fields, at all levels together, of an inferred schema. */
export const INFERRED_FIELD_LIMIT = 5_000;

/** What was inferred about one column. */
export interface InferredColumn {
	readonly name: string;
	readonly type: Type;
	/** rows in which it was null or absent; `undefined` where the rows were not looked at */
	readonly nullCount: number | undefined;
}

/** Evidence about the values of one column, struct child or list element. */
class Shape {
	kinds = 0;
	seen = 0;
	members: Map<string, Shape> | undefined;
	element: Shape | undefined;

	add(value: unknown, budget: { fields: number }): void {
		if (value === null || value === undefined) return;
		this.seen++;
		switch (typeof value) {
			case 'string':
				// text stays text whatever follows
				if ((this.kinds & KIND.text) === 0) this.kinds |= kindOfDateText(value);
				return;
			case 'boolean':
				this.kinds |= KIND.boolean;
				return;
			case 'number':
				this.kinds |= Number.isSafeInteger(value) && !Object.is(value, -0) ? KIND.integer : KIND.double;
				return;
			case 'bigint':
				this.kinds |= kindOfInteger(value);
				return;
		}
		if (value instanceof ExactNumber) this.kinds |= keepsDigits(value.text) ? KIND.double : KIND.text;
		else if (Array.isArray(value)) {
			this.kinds |= KIND.list;
			this.element ??= new Shape();
			for (const item of value) this.element.add(item, budget);
		} else {
			this.kinds |= KIND.struct;
			this.members ??= new Map();
			addMembers(this.members, value as Record<string, unknown>, budget);
		}
	}

	/** Columns that were never anything but null, and structs without a member, are text. */
	type(ids: FieldIds): Type {
		if (this.kinds === KIND.list) {
			const elementId = ids.next();
			return {
				kind: 'list',
				elementId,
				elementRequired: false,
				element: this.element?.type(ids) ?? { kind: 'string' },
			};
		}
		if (this.kinds === KIND.struct && this.members !== undefined && this.members.size > 0)
			return { kind: 'struct', fields: fieldsOf(this.members, ids) };
		return typeOfKinds(this.kinds) ?? { kind: 'string' };
	}
}

function addMembers(members: Map<string, Shape>, value: Record<string, unknown>, budget: { fields: number }): void {
	for (const name in value) {
		let shape = members.get(name);
		if (shape === undefined) {
			if (++budget.fields > INFERRED_FIELD_LIMIT) {
				throw new IcebergError(
					'LIMIT_EXCEEDED',
					`more than ${INFERRED_FIELD_LIMIT} fields were found, the last of them '${name}': objects whose keys are data need a column of type map; give a schema`,
				);
			}
			shape = new Shape();
			members.set(name, shape);
		}
		shape.add(value[name], budget);
	}
}

function fieldsOf(members: ReadonlyMap<string, Shape>, ids: FieldIds): NestedField[] {
	const own = [...members].map(([name, shape]) => ({ id: ids.next(), name, shape }));
	return own.map(({ id, name, shape }) => ({ id, name, required: false, type: shape.type(ids) }));
}

/** Gathers evidence from rows and tells the columns. */
export class JsonInference {
	readonly #columns = new Map<string, Shape>();
	readonly #budget = { fields: 0 };
	#rows = 0;

	get rowCount(): number {
		return this.#rows;
	}

	addRow(row: Record<string, unknown>): void {
		this.#rows++;
		addMembers(this.#columns, row, this.#budget);
	}

	columns(): { fields: NestedField[]; columns: InferredColumn[] } {
		const fields = fieldsOf(this.#columns, new FieldIds());
		const columns = fields.map(({ name, type }) => ({
			name,
			type,
			nullCount: this.#rows - (this.#columns.get(name)?.seen ?? 0),
		}));
		return { fields, columns };
	}
}
