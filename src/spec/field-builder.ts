/** One field of a schema in the making, with its row types known to the compiler. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { defaultValue } from './default-value.ts';
import type { NestedField, Type } from './types.ts';

/** Gives a field its id: the explicit one, or the next free one. */
export type AssignId = (explicit: number | undefined) => number;

/**
 * Makes a type once the ids of its level are assigned; leaves of the tree ignore `assign`. The ids of a level are all
 * taken before those below it.
 */
export type MakeType = (assign: AssignId, at: string) => Type;

interface FieldState {
	readonly make: MakeType;
	readonly required: boolean;
	readonly doc?: string;
	readonly defaultInput?: unknown;
	readonly id?: number;
}

/**
 * A field's type and attributes, to be put under a name by `schema({…})` or `struct({…})`. Optional unless
 * {@link FieldBuilder.required} says otherwise. Immutable: each method gives a new one.
 *
 * `In` and `Out` are the values that it takes and gives, null aside.
 */
export class FieldBuilder<In, Out, Required extends boolean = false, HasDefault extends boolean = false> {
	/** Only for the type system: never set. */
	declare readonly '~types'?: {
		readonly in: In;
		readonly out: Out;
		readonly required: Required;
		readonly hasDefault: HasDefault;
	};
	readonly #state: FieldState;

	constructor(state: FieldState) {
		this.#state = state;
	}

	/** The field is never null: an append without a value for it is refused. */
	required(): FieldBuilder<In, Out, true, HasDefault> {
		return new FieldBuilder({ ...this.#state, required: true });
	}

	/** A text for people. */
	doc(text: string): FieldBuilder<In, Out, Required, HasDefault> {
		return new FieldBuilder({ ...this.#state, doc: text });
	}

	/**
	 * What an append writes where a row leaves the field out. Needs format version 3.
	 * Iceberg spec: Default values, `write-default`.
	 */
	default(value: In): FieldBuilder<In, Out, Required, true> {
		return new FieldBuilder({ ...this.#state, defaultInput: value });
	}

	/** A field id of one's own choice; otherwise they count from 1. */
	id(fieldId: number): FieldBuilder<In, Out, Required, HasDefault> {
		return new FieldBuilder({ ...this.#state, id: fieldId });
	}

	/** @internal */
	takeId(assign: AssignId): number {
		return assign(this.#state.id);
	}

	/** @internal */
	get isRequired(): boolean {
		return this.#state.required;
	}

	/** @internal The type alone: for list elements and map parts, which have no attributes of their own. */
	makeType(assign: AssignId, at: string): Type {
		const { doc, defaultInput } = this.#state;
		if (doc !== undefined || defaultInput !== undefined) {
			throw new IcebergError('INVALID_SCHEMA', `field '${at}': list elements and map parts have no doc and no default`);
		}
		return this.#state.make(assign, at);
	}

	/** @internal */
	makeField(name: string, id: number, assign: AssignId, at: string): NestedField {
		const { make, required, doc, defaultInput } = this.#state;
		const type = make(assign, at);
		return {
			id,
			name,
			required,
			type,
			...(doc === undefined ? {} : { doc }),
			...(defaultInput === undefined ? {} : { writeDefault: defaultValue(type, defaultInput, at) }),
		};
	}
}

/** Any field builder. */
export type AnyField =
	| FieldBuilder<never, unknown, boolean, boolean>
	| FieldBuilder<unknown, unknown, boolean, boolean>;
