/** Moving over values that nobody asked for. */
import type { AvroCursor } from './cursor.ts';
import { type AvroRecord, type AvroSchema, minimumSize } from './schema.ts';

export type Skip = (cursor: AvroCursor) => void;

/** Compiles a schema to a function that moves a cursor over one value of it. */
export function compileSkip(schema: AvroSchema): Skip {
	return new SkipCompiler().compile(schema);
}

class SkipCompiler {
	readonly #records = new Map<AvroRecord, { skip: Skip | undefined }>();

	compile(schema: AvroSchema): Skip {
		switch (schema.kind) {
			case 'null':
				return () => {};
			case 'boolean':
				return (cursor) => void cursor.readBoolean();
			case 'int':
			case 'long':
			case 'enum':
				return (cursor) => cursor.skipLong();
			case 'float':
				return (cursor) => void cursor.take(4);
			case 'double':
				return (cursor) => void cursor.take(8);
			case 'bytes':
			case 'string':
				return (cursor) => cursor.skipBytes();
			case 'fixed': {
				const { size } = schema;
				return (cursor) => void cursor.take(size);
			}
			case 'array':
				return this.#blocks(minimumSize(schema.items), this.compile(schema.items));
			case 'map': {
				const value = this.compile(schema.values);
				return this.#blocks(1 + minimumSize(schema.values), (cursor) => {
					cursor.skipBytes();
					value(cursor);
				});
			}
			case 'union': {
				const branches = schema.branches.map((branch) => this.compile(branch));
				return (cursor) => {
					const start = cursor.position;
					const branch = branches[cursor.readInt()];
					if (branch === undefined) throw cursor.corrupt('a branch that the union does not have', start);
					branch(cursor);
				};
			}
			case 'record':
				return this.#record(schema);
		}
	}

	/** Values of 0 bytes need no walk, however many there are. */
	#blocks(itemSize: number, item: Skip): Skip {
		return (cursor) => {
			for (let count = cursor.skipBlockCount(itemSize); count > 0; count = cursor.skipBlockCount(itemSize)) {
				if (itemSize > 0) for (let i = 0; i < count; i++) item(cursor);
			}
		};
	}

	#record(schema: AvroRecord): Skip {
		const known = this.#records.get(schema);
		if (known !== undefined) {
			const { skip } = known;
			if (skip !== undefined) return skip;
			// within itself: bound when called
			return (cursor) => {
				cursor.enter();
				known.skip?.(cursor);
				cursor.leave();
			};
		}
		const entry: { skip: Skip | undefined } = { skip: undefined };
		this.#records.set(schema, entry);
		const fields = schema.fields.map((field) => this.compile(field.type));
		entry.skip = (cursor) => {
			for (const field of fields) field(cursor);
		};
		return entry.skip;
	}
}
