/** Iceberg spec: Schemas; Identifier Field IDs. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { normalizeField, refuseUnknownKeys } from './field-input.ts';
import type { Row, RowInput, RowTyped } from './row-types.ts';
import { type SchemaIndex, indexFields } from './schema-index.ts';
import { validateFields, validateIdentifiers } from './schema-validation.ts';
import type { FieldInput } from './field-input.ts';
import type { JsonValue, NestedField, StructType } from './types.ts';

export interface SchemaOptions {
	/** Default 0. */
	readonly schemaId?: number;
	readonly fields: readonly FieldInput[];
	/** Ids of the fields that together name a row. Default none. */
	readonly identifierFieldIds?: readonly number[];
	readonly extra?: Readonly<Record<string, JsonValue>>;
}

/** What {@link Schema.parsed} takes: fields as they stand in somebody's metadata. */
export interface ParsedSchemaOptions extends Omit<SchemaOptions, 'fields'> {
	readonly fields: readonly NestedField[];
}

/**
 * A table schema: named, typed fields with ids that never change. Immutable. The type parameters are the rows that it
 * takes and gives, known where it was made by `schema({…})`.
 */
export class Schema<In = RowInput, Out = Row> implements RowTyped<In, Out> {
	declare readonly '~rows'?: { readonly in: In; readonly out: Out };
	readonly schemaId: number;
	readonly fields: readonly NestedField[];
	readonly identifierFieldIds: readonly number[];
	readonly extra: Readonly<Record<string, JsonValue>>;
	#lazyIndex: SchemaIndex | undefined;
	#lazyLowerCase: Map<string, number | 'ambiguous'> | undefined;

	/**
	 * A new schema, checked at once.
	 *
	 * @throws `INVALID_SCHEMA` naming the field: ids that are no integers from 0 up or stand twice, names that are empty
	 *   or stand twice, types that do not exist, a required `unknown`, defaults that are no values of the type,
	 *   identifier fields that are absent, optional, nested in lists or maps, or float or double
	 */
	constructor(options: SchemaOptions) {
		const parsed = parsedOptions.has(options);
		if (!parsed) checkOptions(options);
		this.schemaId = options.schemaId ?? 0;
		this.fields = parsed ? (options.fields as readonly NestedField[]) : options.fields.map(normalizeField);
		this.identifierFieldIds = options.identifierFieldIds ?? [];
		this.extra = options.extra ?? {};
		if (parsed) return;
		if (!Number.isInteger(this.schemaId) || this.schemaId < 0) {
			throw new IcebergError('INVALID_SCHEMA', `a schema's id is an integer from 0 up, not ${String(this.schemaId)}`);
		}
		validateFields(this.fields);
		validateIdentifiers(this.#index, this.identifierFieldIds);
	}

	/**
	 * A schema as it stands in metadata, taken as it is: what another engine wrote is kept even where a new schema would
	 * be refused. Fields that cannot be told apart by id make the first look-up throw `INVALID_SCHEMA`.
	 */
	static parsed(options: ParsedSchemaOptions): Schema {
		parsedOptions.add(options);
		return new Schema(options);
	}

	/** All columns as one struct. */
	asStruct(): StructType {
		return { kind: 'struct', fields: this.fields };
	}

	/** Any field by id: columns, struct children, list elements (`element`), map keys and values (`key`, `value`). */
	findField(id: number): NestedField | undefined {
		return this.#index.byId.get(id);
	}

	/**
	 * By full name: `a`, `a.b`; list elements `a.element`, map parts `a.key`, `a.value`.
	 *
	 * @throws `INVALID_ARGUMENT` when two fields go by that name (without regard to case, where that is asked for)
	 */
	findFieldByName(name: string, options: { readonly caseSensitive?: boolean } = {}): NestedField | undefined {
		const index = this.#index;
		const exact = options.caseSensitive !== false;
		if (exact && index.ambiguous.has(name)) throw ambiguous(name);
		const id = exact ? index.idByName.get(name) : this.#lowerCase.get(name.toLowerCase());
		if (id === 'ambiguous') throw ambiguous(name);
		return id === undefined ? undefined : index.byId.get(id);
	}

	/** The full name of a field id. */
	nameOf(id: number): string | undefined {
		return this.#index.nameById.get(id);
	}

	/** The id of the field that a field stands in; `undefined` for columns and for ids that are not in the schema. */
	parentOf(id: number): number | undefined {
		return this.#index.parentById.get(id);
	}

	/** All fields by id, parents before children. */
	get fieldsById(): ReadonlyMap<number, NestedField> {
		return this.#index.byId;
	}

	/** Full names of all fields, parents before children. */
	get names(): Iterable<string> {
		return this.#index.nameById.values();
	}

	/** 0 for a schema without fields */
	get highestFieldId(): number {
		let highest = 0;
		for (const id of this.#index.byId.keys()) highest = Math.max(highest, id);
		return highest;
	}

	/** The same schema under another id. */
	withSchemaId(schemaId: number): Schema<In, Out> {
		if (schemaId === this.schemaId) return this;
		const { fields, identifierFieldIds, extra } = this;
		return Schema.parsed({ schemaId, fields, identifierFieldIds, extra }) as Schema<In, Out>;
	}

	get #index(): SchemaIndex {
		this.#lazyIndex ??= indexFields(this.fields);
		return this.#lazyIndex;
	}

	get #lowerCase(): Map<string, number | 'ambiguous'> {
		if (this.#lazyLowerCase === undefined) {
			this.#lazyLowerCase = new Map();
			for (const [id, name] of this.#index.nameById) {
				const lower = name.toLowerCase();
				this.#lazyLowerCase.set(lower, this.#lazyLowerCase.has(lower) ? 'ambiguous' : id);
			}
		}
		return this.#lazyLowerCase;
	}
}

/** Options that came through `Schema.parsed`, whose checks the constructor leaves out. */
const parsedOptions = new WeakSet<object>();

const OPTION_KEYS: ReadonlySet<string> = new Set(['schemaId', 'fields', 'identifierFieldIds', 'extra']);

function checkOptions(options: SchemaOptions): void {
	if (options === null || typeof options !== 'object' || !Array.isArray(options.fields)) {
		throw new IcebergError('INVALID_SCHEMA', "a schema is made of { fields: [{ id: 1, name: 'a', type: 'long' }, …] }");
	}
	refuseUnknownKeys(options, OPTION_KEYS, 'schema');
}

function ambiguous(name: string): IcebergError {
	return new IcebergError('INVALID_ARGUMENT', `two fields go by the name '${name}'`, { context: { name } });
}
