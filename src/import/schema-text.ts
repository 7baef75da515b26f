/** Schemas as people write them on a command line. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { Schema } from '../spec/schema.ts';
import { typeFromJson } from '../spec/type-json.ts';
import type { NestedField, Type } from '../spec/types.ts';
import { FieldIds } from './field-ids.ts';

const DEPTH_LIMIT = 50;
const WORD = /[A-Za-z_\u0080-\uffff][\w\u0080-\uffff$.-]*/y;

/**
 * A schema from text: columns apart by commas or line breaks, each a name, a type and perhaps `required`:
 * `id long required, name string, price decimal(9, 2), tags list<string>, at struct<lat: double, lon: double>,
 * counts map<string, long>`. Names with other characters stand in double quotes, quotes in them doubled. `int`, `integer`,
 * `bigint`, `text`, `bool` and `varchar` are understood too.
 *
 * @throws `INVALID_SCHEMA` saying where the text is not understood
 */
export function parseSchemaText(text: string): Schema {
	return new Schema({ fields: new SchemaParser(text).columns() });
}

const ALIASES: Readonly<Record<string, string>> = {
	integer: 'int',
	bigint: 'long',
	text: 'string',
	varchar: 'string',
	bool: 'boolean',
	real: 'float',
	array: 'list',
};

class SchemaParser {
	readonly #text: string;
	readonly #ids = new FieldIds();
	#at = 0;

	constructor(text: string) {
		this.#text = text;
	}

	columns(): NestedField[] {
		const fields: NestedField[] = [];
		this.#skip(/[\s,;]*/y);
		while (this.#at < this.#text.length) {
			fields.push(this.#field(false, 0));
			this.#skip(/[^\S\n]*/y);
			if (this.#at < this.#text.length && this.#skip(/[\s,;]+/y) === '') throw this.#fault("',' or the end");
		}
		return fields;
	}

	#field(inStruct: boolean, depth: number): NestedField {
		const id = this.#ids.next();
		const name = this.#name();
		if (inStruct) this.#skip(/\s*:\s*/y);
		const type = this.#type(depth);
		return { id, name, required: this.#required(), type };
	}

	#required(): boolean {
		return this.#skip(/\s+(?:required|not\s+null)\b/iy) !== '' || (this.#skip(/\s+optional\b/iy), false);
	}

	#name(): string {
		this.#skip(/\s*/y);
		if (this.#text[this.#at] === '"') {
			const quoted = this.#skip(/"(?:[^"]|"")+"/y);
			if (quoted === '') throw this.#fault('a name in double quotes');
			return quoted.slice(1, -1).replaceAll('""', '"');
		}
		const name = this.#skip(WORD);
		if (name === '') throw this.#fault('the name of a column');
		return name;
	}

	#type(depth: number): Type {
		if (depth > DEPTH_LIMIT) throw this.#fault(`types nested at most ${DEPTH_LIMIT} deep`);
		this.#skip(/\s*/y);
		const start = this.#at;
		const written = this.#skip(/[A-Za-z_][A-Za-z_0-9]*/y).toLowerCase();
		const word = ALIASES[written] ?? written;
		switch (word) {
			case '':
				throw this.#fault('a type');
			case 'struct': {
				this.#mark('<');
				const fields: NestedField[] = [];
				do fields.push(this.#field(true, depth + 1));
				while (this.#skip(/\s*,/y) !== '');
				this.#mark('>');
				return { kind: 'struct', fields };
			}
			case 'list': {
				this.#mark('<');
				const elementId = this.#ids.next();
				const element = this.#type(depth + 1);
				const elementRequired = this.#required();
				this.#mark('>');
				return { kind: 'list', elementId, element, elementRequired };
			}
			case 'map': {
				this.#mark('<');
				const keyId = this.#ids.next();
				const valueId = this.#ids.next();
				const key = this.#type(depth + 1);
				this.#mark(',');
				const value = this.#type(depth + 1);
				const valueRequired = this.#required();
				this.#mark('>');
				return { kind: 'map', keyId, key, valueId, value, valueRequired };
			}
			default: {
				const parameters = this.#skip(/\s*[([][^()[\]]*[)\]]/y);
				return this.#primitive(word + parameters.trim(), start);
			}
		}
	}

	#primitive(text: string, start: number): Type {
		let type: Type | undefined;
		try {
			type = typeFromJson(text.replace(/^fixed\((.*)\)$/, 'fixed[$1]'));
		} catch (error) {
			if (!(error instanceof IcebergError)) throw error;
		}
		if (type !== undefined && type.kind !== 'unsupported') return type;
		this.#at = start;
		throw this.#fault('a type such as long, string, decimal(9, 2), timestamptz or list<int>');
	}

	#mark(mark: string): void {
		this.#skip(/\s*/y);
		if (this.#text[this.#at] !== mark) throw this.#fault(`'${mark}'`);
		this.#at++;
	}

	/** Moves over what the sticky pattern matches, and returns it. */
	#skip(pattern: RegExp): string {
		pattern.lastIndex = this.#at;
		const found = pattern.exec(this.#text)?.[0] ?? '';
		this.#at += found.length;
		return found;
	}

	#fault(expected: string): IcebergError {
		const rest = this.#text.slice(this.#at, this.#at + 30);
		const found = rest === '' ? 'the end' : `'${rest}${this.#at + 30 < this.#text.length ? '…' : ''}'`;
		return new IcebergError(
			'INVALID_SCHEMA',
			`schema text, position ${this.#at + 1}: expected ${expected}, found ${found}`,
			{ context: { position: this.#at + 1 } },
		);
	}
}
