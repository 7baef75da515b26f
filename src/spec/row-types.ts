/** The TypeScript types of rows: of any table, and as a schema built with types tells them. */

/** What an append takes as a row when nothing more is known: an object with a property for each column. */
export type RowInput = object;

/** What a scan gives as a row when nothing more is known. */
export type Row = Record<string, unknown>;

/** Something that carries the types of its rows: a schema, a table. */
export interface RowTyped<In, Out> {
	/** Only for the type system: never set. */
	readonly '~rows'?: { readonly in: In; readonly out: Out };
}

/** The rows that a scan gives: `InferRow<typeof runs>`. */
export type InferRow<S> = S extends RowTyped<infer _In, infer Out> ? Out : never;

/** The rows that an append takes: `InferInput<typeof runs>`. */
export type InferInput<S> = S extends RowTyped<infer In, infer _Out> ? In : never;
