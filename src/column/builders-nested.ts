/** Builders of vectors that hold other vectors. */
import type { ListType, MapType, MapValue, NestedField, StructType, Type, Value } from '../spec/types.ts';
import { BuilderBase, type VectorBuilder } from './builder-base.ts';
import { coercerOf, fieldOf, identityOf, isRecordLike, listItems, mapEntries, missingValue } from './coerce.ts';
import { describeValue, invalidValue, unknownMember, withinValue } from './invalid-value.ts';
import type { Vector } from './vector.ts';

type MakeBuilder = (type: Type) => VectorBuilder;

/** A part that may be null: null for `null` and `undefined`, else coerced. @throws `INVALID_DATA` with the segment */
function appendPart(builder: VectorBuilder, input: unknown, required: boolean, segment: string): void {
	try {
		if (input !== null && input !== undefined) builder.append(input);
		else if (required) throw invalidValue(input, 'a value: it is required here');
		else builder.appendNull();
	} catch (error) {
		throw withinValue(error, segment);
	}
}

function appendPartValue(builder: VectorBuilder, value: Value): void {
	if (value === null) builder.appendNull();
	else builder.appendValue(value);
}

export class StructBuilder extends BuilderBase<StructType> {
	readonly #children: readonly VectorBuilder[];
	readonly #names: ReadonlySet<string>;

	constructor(type: StructType, make: MakeBuilder) {
		super(type);
		this.#children = type.fields.map((field) => make(field.type));
		this.#names = new Set(type.fields.map((field) => field.name));
	}
	get byteLength(): number {
		return this.#children.reduce((sum, child) => sum + child.byteLength, 0);
	}
	protected override grow(): void {}
	override appendNull(): void {
		super.appendNull();
		for (const child of this.#children) child.appendNull();
	}
	append(input: unknown): void {
		if (!isRecordLike(input)) throw invalidValue(input, 'struct: an object with the field names as keys');
		for (const key in input)
			if (!this.#names.has(key) && Object.hasOwn(input, key)) throw unknownMember(key, input[key], this.#names);
		this.reserve();
		for (let i = 0; i < this.#children.length; i++) {
			const field = this.type.fields[i] as NestedField;
			const child = this.#children[i] as VectorBuilder;
			try {
				const part = fieldOf(input, field.name);
				if (part !== undefined && part !== null) child.append(part);
				else appendPartValue(child, missingValue(field, part));
			} catch (error) {
				throw withinValue(error, `.${field.name}`);
			}
		}
		this.length++;
	}
	appendValue(value: Value): void {
		this.reserve();
		const parts = value as readonly Value[];
		for (let i = 0; i < this.#children.length; i++)
			appendPartValue(this.#children[i] as VectorBuilder, parts[i] as Value);
		this.length++;
	}
	finish(): Vector {
		return { ...this.finishParts(), layout: 'struct', children: this.#children.map((child) => child.finish()) };
	}
}

abstract class RangesBuilder<T extends Type> extends BuilderBase<T> {
	protected offsets = new Int32Array(1);

	protected override grow(capacity: number): void {
		const offsets = new Int32Array(capacity + 1);
		if (this.length > 0) offsets.set(this.offsets.subarray(0, this.length + 1));
		this.offsets = offsets;
	}
	/** elements of all lists so far */
	protected abstract readonly innerLength: number;

	override appendNull(): void {
		super.appendNull();
		this.offsets[this.length] = this.innerLength;
	}
	protected endElement(): void {
		this.reserve();
		this.offsets[++this.length] = this.innerLength;
	}
	protected takeOffsets(length: number): Int32Array {
		return length === 0 ? new Int32Array(1) : this.offsets;
	}
}

export class ListBuilder extends RangesBuilder<ListType> {
	readonly #element: VectorBuilder;

	constructor(type: ListType, make: MakeBuilder) {
		super(type);
		this.#element = make(type.element);
	}
	get byteLength(): number {
		return 4 * this.length + this.#element.byteLength;
	}
	protected override get innerLength(): number {
		return this.#element.length;
	}
	append(input: unknown): void {
		const items = listItems(input);
		for (let i = 0; i < items.length; i++) appendPart(this.#element, items[i], this.type.elementRequired, `[${i}]`);
		this.endElement();
	}
	appendValue(value: Value): void {
		for (const item of value as readonly Value[]) appendPartValue(this.#element, item);
		this.endElement();
	}
	finish(): Vector {
		const parts = this.finishParts();
		return { ...parts, layout: 'list', offsets: this.takeOffsets(parts.length), child: this.#element.finish() };
	}
}

export class MapBuilder extends RangesBuilder<MapType> {
	readonly #keys: VectorBuilder;
	readonly #items: VectorBuilder;
	readonly #coerceKey: (input: unknown) => Value;

	constructor(type: MapType, make: MakeBuilder) {
		super(type);
		this.#keys = make(type.key);
		this.#items = make(type.value);
		this.#coerceKey = coercerOf(type.key);
	}
	get byteLength(): number {
		return 4 * this.length + this.#keys.byteLength + this.#items.byteLength;
	}
	protected override get innerLength(): number {
		return this.#keys.length;
	}
	append(input: unknown): void {
		const seen = new Set<unknown>();
		for (const [key, item] of mapEntries(this.type, input)) {
			try {
				if (key === null || key === undefined) throw invalidValue(key, 'a key that is not null');
				const keyValue = this.#coerceKey(key);
				const identity = identityOf(keyValue);
				if (seen.has(identity)) throw invalidValue(key, 'each key once');
				seen.add(identity);
				this.#keys.appendValue(keyValue);
				if (item !== null && item !== undefined) this.#items.append(item);
				else if (this.type.valueRequired) throw invalidValue(item, 'a value: it is required here');
				else this.#items.appendNull();
			} catch (error) {
				throw withinValue(error, `[${describeValue(key)}]`);
			}
		}
		this.endElement();
	}
	appendValue(value: Value): void {
		for (const [key, item] of value as MapValue) {
			this.#keys.appendValue(key);
			appendPartValue(this.#items, item);
		}
		this.endElement();
	}
	finish(): Vector {
		const parts = this.finishParts();
		return {
			...parts,
			layout: 'map',
			offsets: this.takeOffsets(parts.length),
			keys: this.#keys.finish(),
			items: this.#items.finish(),
		};
	}
}
