/** Avro schemas as data. Named types are resolved: a reference is the very object that defined the name. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import { AVRO_DEPTH_LIMIT, AVRO_SCHEMA_NODE_LIMIT } from './limits.ts';

export type AvroPrimitiveKind = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';

interface AvroAnnotations {
	readonly logicalType?: string;
	/** of a decimal */
	readonly precision?: number;
	readonly scale?: number;
	/** Iceberg's attribute of timestamps */
	readonly adjustToUtc?: boolean;
}
export interface AvroPrimitive extends AvroAnnotations {
	readonly kind: AvroPrimitiveKind;
}
export interface AvroFixed extends AvroAnnotations {
	readonly kind: 'fixed';
	readonly name: string;
	/** bytes */
	readonly size: number;
}
export interface AvroEnum extends AvroAnnotations {
	readonly kind: 'enum';
	readonly name: string;
	readonly symbols: readonly string[];
}
export interface AvroField {
	/** as in the schema; sanitised names of Iceberg columns are undone in `icebergName` */
	readonly name: string;
	readonly icebergName: string;
	readonly fieldId?: number;
	readonly type: AvroSchema;
}
export interface AvroRecord extends AvroAnnotations {
	readonly kind: 'record';
	/** full name */
	readonly name: string;
	readonly fields: readonly AvroField[];
}
export interface AvroArray extends AvroAnnotations {
	readonly kind: 'array';
	readonly elementId?: number;
	readonly items: AvroSchema;
}
export interface AvroMap extends AvroAnnotations {
	readonly kind: 'map';
	readonly keyId?: number;
	readonly valueId?: number;
	readonly values: AvroSchema;
}
export interface AvroUnion extends AvroAnnotations {
	readonly kind: 'union';
	readonly branches: readonly AvroSchema[];
}
export type AvroSchema = AvroPrimitive | AvroFixed | AvroEnum | AvroRecord | AvroArray | AvroMap | AvroUnion;

const PRIMITIVES: ReadonlySet<string> = new Set([
	'null',
	'boolean',
	'int',
	'long',
	'float',
	'double',
	'bytes',
	'string',
]);

/**
 * Parses an Avro schema with Iceberg's attributes (Iceberg spec: Appendix A, Avro). Unknown attributes, documentation,
 * defaults and aliases are left out.
 * @throws `CORRUPT` for text that is no Avro schema, naming `location`
 */
export function parseAvroSchema(text: string, location: string): AvroSchema {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (cause) {
		throw new IcebergError('CORRUPT', `the Avro schema of ${location} is not JSON`, { context: { location }, cause });
	}
	const schema = new SchemaParser(location).parse(json, '', 0);
	checkExpandedSize(schema, location);
	return schema;
}

type Json = Readonly<Record<string, unknown>>;

class SchemaParser {
	readonly #location: string;
	readonly #named = new Map<string, AvroSchema>();

	constructor(location: string) {
		this.#location = location;
	}

	parse(json: unknown, namespace: string, depth: number): AvroSchema {
		if (depth > AVRO_DEPTH_LIMIT) throw this.#corrupt(`is nested deeper than ${AVRO_DEPTH_LIMIT}`);
		if (typeof json === 'string') return this.#byName(json, namespace);
		if (Array.isArray(json)) return this.#union(json, namespace, depth);
		if (!isObject(json)) throw this.#corrupt(`holds ${JSON.stringify(json)} where a type should be`);
		const type = json['type'];
		switch (type) {
			case 'record':
			case 'error':
				return this.#record(json, namespace, depth);
			case 'fixed':
				return this.#fixed(json, namespace);
			case 'enum':
				return this.#enum(json, namespace);
			case 'array': {
				const elementId = this.#id(json, 'element-id');
				const items = this.parse(json['items'], namespace, depth + 1);
				return {
					kind: 'array',
					items,
					...(elementId === undefined ? {} : { elementId }),
					...this.#annotations(json),
				};
			}
			case 'map': {
				const keyId = this.#id(json, 'key-id');
				const valueId = this.#id(json, 'value-id');
				const values = this.parse(json['values'], namespace, depth + 1);
				return {
					kind: 'map',
					values,
					...(keyId === undefined ? {} : { keyId }),
					...(valueId === undefined ? {} : { valueId }),
					...this.#annotations(json),
				};
			}
		}
		if (typeof type === 'string' && PRIMITIVES.has(type)) {
			return { kind: type as AvroPrimitiveKind, ...this.#annotations(json) };
		}
		// {"type": {"type": "record", …}} and {"type": "a.name"}
		return this.parse(type, namespace, depth + 1);
	}

	#byName(name: string, namespace: string): AvroSchema {
		if (PRIMITIVES.has(name)) return { kind: name as AvroPrimitiveKind };
		const found = this.#named.get(fullName(name, namespace)) ?? this.#named.get(name);
		if (found === undefined) throw this.#corrupt(`refers to the type '${name}' before it is defined`);
		return found;
	}

	#union(json: readonly unknown[], namespace: string, depth: number): AvroUnion {
		if (json.length === 0) throw this.#corrupt('has a union without branches');
		const branches = json.map((branch) => {
			if (Array.isArray(branch)) throw this.#corrupt('has a union in a union');
			return this.parse(branch, namespace, depth + 1);
		});
		return { kind: 'union', branches };
	}

	#record(json: Json, namespace: string, depth: number): AvroRecord {
		const name = this.#name(json, namespace);
		const list = json['fields'];
		if (!Array.isArray(list)) throw this.#corrupt(`has a record '${name}' without fields`);
		const fields: AvroField[] = [];
		const record: AvroRecord = { kind: 'record', name, fields, ...this.#annotations(json) };
		this.#define(name, record);
		for (const item of list) {
			if (!isObject(item) || typeof item['name'] !== 'string') {
				throw this.#corrupt(`has a field without a name in the record '${name}'`);
			}
			const fieldId = this.#id(item, 'field-id');
			const original = item['iceberg-field-name'];
			fields.push({
				name: item['name'],
				icebergName: typeof original === 'string' ? original : item['name'],
				type: this.parse(item['type'], namespaceOf(name), depth + 1),
				...(fieldId === undefined ? {} : { fieldId }),
			});
		}
		return record;
	}

	#fixed(json: Json, namespace: string): AvroFixed {
		const name = this.#name(json, namespace);
		const size = json['size'];
		if (!isCount(size)) throw this.#corrupt(`has a fixed type '${name}' of size ${JSON.stringify(size)}`);
		const fixed: AvroFixed = { kind: 'fixed', name, size, ...this.#annotations(json) };
		this.#define(name, fixed);
		return fixed;
	}

	#enum(json: Json, namespace: string): AvroEnum {
		const name = this.#name(json, namespace);
		const symbols = json['symbols'];
		if (!Array.isArray(symbols) || symbols.some((symbol) => typeof symbol !== 'string')) {
			throw this.#corrupt(`has an enum '${name}' without symbols`);
		}
		const type: AvroEnum = { kind: 'enum', name, symbols, ...this.#annotations(json) };
		this.#define(name, type);
		return type;
	}

	#name(json: Json, namespace: string): string {
		const name = json['name'];
		if (typeof name !== 'string' || name === '') throw this.#corrupt('has a named type without a name');
		const own = json['namespace'];
		return fullName(name, typeof own === 'string' ? own : namespace);
	}

	#define(name: string, schema: AvroSchema): void {
		if (this.#named.has(name)) throw this.#corrupt(`defines the type '${name}' twice`);
		this.#named.set(name, schema);
	}

	#id(json: Json, key: string): number | undefined {
		const id = json[key];
		if (id === undefined || id === null) return undefined;
		if (typeof id !== 'number' || !Number.isInteger(id)) {
			throw this.#corrupt(`has ${JSON.stringify(id)} as '${key}'`);
		}
		return id;
	}

	#annotations(json: Json): AvroAnnotations {
		const logicalType = json['logicalType'];
		if (typeof logicalType !== 'string') return {};
		const precision = json['precision'];
		const scale = json['scale'];
		const adjustToUtc = json['adjust-to-utc'];
		return {
			logicalType,
			...(isCount(precision) ? { precision } : {}),
			...(isCount(scale) ? { scale } : {}),
			...(typeof adjustToUtc === 'boolean' ? { adjustToUtc } : {}),
		};
	}

	#corrupt(what: string): IcebergError {
		return new IcebergError('CORRUPT', `the Avro schema of ${this.#location} ${what}`, {
			context: { location: this.#location },
		});
	}
}

function isObject(json: unknown): json is Json {
	return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function isCount(value: unknown): value is number {
	return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0x7fffffff;
}

function fullName(name: string, namespace: string): string {
	return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function namespaceOf(name: string): string {
	const dot = name.lastIndexOf('.');
	return dot < 0 ? '' : name.slice(0, dot);
}

/** Named types can be nested so that a short schema stands for a value of 2^n parts without a byte of input. */
function checkExpandedSize(root: AvroSchema, location: string): void {
	const sizes = new Map<AvroSchema, number>();
	const sizeOf = (schema: AvroSchema): number => {
		const known = sizes.get(schema);
		if (known !== undefined) return known;
		sizes.set(schema, 1);
		let size = 1;
		for (const child of childrenOf(schema)) size += sizeOf(child);
		sizes.set(schema, size);
		return size;
	};
	if (sizeOf(root) > AVRO_SCHEMA_NODE_LIMIT) {
		throw new IcebergError('CORRUPT', `the Avro schema of ${location} has more than ${AVRO_SCHEMA_NODE_LIMIT} parts`, {
			context: { location },
		});
	}
}

function childrenOf(schema: AvroSchema): readonly AvroSchema[] {
	switch (schema.kind) {
		case 'record':
			return schema.fields.map((field) => field.type);
		case 'array':
			return [schema.items];
		case 'map':
			return [schema.values];
		case 'union':
			return schema.branches;
		default:
			return [];
	}
}

/** The type beside null in an optional type, and where null stands. */
export interface Optional {
	/** `undefined` for a type that is only ever null */
	readonly type: AvroSchema | undefined;
	/** index of the null branch; -1 when the type is no union */
	readonly nullBranch: number;
	/** index of the other branch; -1 when there is none */
	readonly valueBranch: number;
}

/** Takes `["null", T]`, `[T, "null"]`, `[T]`, `"null"` and plain `T` apart; `undefined` for any other union. */
export function asOptional(schema: AvroSchema): Optional | undefined {
	if (schema.kind === 'null') return { type: undefined, nullBranch: -1, valueBranch: -1 };
	if (schema.kind !== 'union') return { type: schema, nullBranch: -1, valueBranch: -1 };
	const { branches } = schema;
	const nullBranch = branches.findIndex((branch) => branch.kind === 'null');
	const valueBranch = branches.findIndex((branch) => branch.kind !== 'null');
	if (branches.length > 2 || (branches.length === 2 && (nullBranch < 0 || valueBranch < 0))) return undefined;
	return { type: branches[valueBranch], nullBranch, valueBranch };
}

/**
 * Fewest bytes that a value takes. A type whose fewest is 0 (null, an empty record) always takes 0.
 */
export function minimumSize(schema: AvroSchema): number {
	const known = new Map<AvroSchema, number>();
	const sizeOf = (part: AvroSchema): number => {
		switch (part.kind) {
			case 'null':
				return 0;
			case 'float':
				return 4;
			case 'double':
				return 8;
			case 'fixed':
				return part.size;
			case 'record': {
				const done = known.get(part);
				if (done !== undefined) return done;
				known.set(part, 0);
				let size = 0;
				for (const field of part.fields) size += sizeOf(field.type);
				known.set(part, size);
				return size;
			}
			case 'union':
				return 1 + Math.min(...part.branches.map(sizeOf));
			default:
				return 1;
		}
	};
	return sizeOf(schema);
}
