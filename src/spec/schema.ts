/** Iceberg spec: Schemas. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { JsonValue, NestedField, StructType, Type } from './types.ts';

export interface SchemaOptions {
	/** Default 0. */
	readonly schemaId?: number;
	readonly fields: readonly NestedField[];
	readonly identifierFieldIds?: readonly number[];
	readonly extra?: Readonly<Record<string, JsonValue>>;
}

/** A table schema: named, typed fields with ids that never change. Immutable. */
export class Schema {
	readonly schemaId: number;
	readonly fields: readonly NestedField[];
	readonly identifierFieldIds: readonly number[];
	readonly extra: Readonly<Record<string, JsonValue>>;
	#byId: Map<number, NestedField> | undefined;
	#nameById: Map<number, string> | undefined;
	#idByName: Map<string, number> | undefined;

	constructor(options: SchemaOptions) {
		this.schemaId = options.schemaId ?? 0;
		this.fields = options.fields;
		this.identifierFieldIds = options.identifierFieldIds ?? [];
		this.extra = options.extra ?? {};
	}

	asStruct(): StructType {
		return { kind: 'struct', fields: this.fields };
	}

	/** Any field by id: columns, struct children, list elements (`element`), map keys and values (`key`, `value`). */
	findField(id: number): NestedField | undefined {
		this.#index();
		return this.#byId?.get(id);
	}

	/** By full name: `a`, `a.b`; list elements `a.element`, map parts `a.key`, `a.value`. Case-sensitive. */
	findFieldByName(name: string): NestedField | undefined {
		this.#index();
		const id = this.#idByName?.get(name);
		return id === undefined ? undefined : this.#byId?.get(id);
	}

	/** The full name of a field id. */
	nameOf(id: number): string | undefined {
		this.#index();
		return this.#nameById?.get(id);
	}

	/** 0 for a schema without fields */
	get highestFieldId(): number {
		this.#index();
		return Math.max(0, ...(this.#byId?.keys() ?? []));
	}

	#index(): void {
		if (this.#byId !== undefined) return;
		const byId = new Map<number, NestedField>();
		const nameById = new Map<number, string>();
		const idByName = new Map<string, number>();
		const add = (field: NestedField, name: string): void => {
			if (byId.has(field.id)) {
				throw new IcebergError(
					'INVALID_SCHEMA',
					`field id ${field.id} is used twice: by '${nameById.get(field.id)}' and '${name}'`,
					{
						context: { fieldId: field.id, name },
					},
				);
			}
			byId.set(field.id, field);
			nameById.set(field.id, name);
			idByName.set(name, field.id);
			visit(field.type, name);
		};
		const visit = (type: Type, name: string): void => {
			if (type.kind === 'struct')
				for (const child of type.fields) add(child, name === '' ? child.name : `${name}.${child.name}`);
			else if (type.kind === 'list')
				add(
					{ id: type.elementId, name: 'element', required: type.elementRequired, type: type.element },
					`${name}.element`,
				);
			else if (type.kind === 'map') {
				add({ id: type.keyId, name: 'key', required: true, type: type.key }, `${name}.key`);
				add({ id: type.valueId, name: 'value', required: type.valueRequired, type: type.value }, `${name}.value`);
			}
		};
		visit(this.asStruct(), '');
		this.#byId = byId;
		this.#nameById = nameById;
		this.#idByName = idByName;
	}
}
