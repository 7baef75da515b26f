/** Arrow arrays to vectors of a wanted type: exact, checked, without copies where the layouts agree. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { typeToString } from '../spec/type-text.ts';
import type { ListType, MapType, NestedField, StructType, Type } from '../spec/types.ts';
import { ARROW, ARROW_LENGTH_LIMIT, type ArrowNode, type ConvertedBase } from './arrow-node.ts';
import { convertNumbers } from './arrow-numbers.ts';
import { arrowTypeText } from './arrow-type-text.ts';
import { bitmapBytes, countZeros, getBit, setBit } from './bitmap.ts';
import { builderOf } from './builder.ts';
import { checkTexts } from './check-batch.ts';
import { ElementRefusal, withChild, withOwner } from './element-refusal.ts';
import { unknownMember } from './invalid-value.ts';
import type { BytesVector, Vector } from './vector.ts';
import { BYTES_VECTOR_LIMIT_BYTES, concat, take } from './vector-ops.ts';
import { bytesAt, constantVector, nullVector } from './vector-values.ts';
import { decodeVariant } from './variant-decode.ts';

/**
 * One array as a vector of `type`.
 * @throws ElementRefusal for a value that the type cannot hold exactly; `INVALID_DATA` when the types do not go together;
 * `CORRUPT` for buffers that are shorter than their array or offsets that leave them
 */
export function convertArrow(node: ArrowNode, type: Type): Vector {
	checkNode(node);
	if (node.type.id === ARROW.null) return nulls(node, type);
	if (node.type.id === ARROW.dictionary) return convertDictionary(node, type);
	switch (type.kind) {
		case 'boolean':
			if (node.type.id !== ARROW.bool) throw mismatch(node, type);
			return { ...base(node, type), layout: 'boolean', values: bytesOf(node, bitmapBytes(node.length)) };
		case 'int':
		case 'long':
		case 'float':
		case 'double':
		case 'decimal':
		case 'date':
		case 'time':
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns': {
			const vector = convertNumbers(node, type, base(node, type));
			if (vector === undefined) throw mismatch(node, type);
			return vector;
		}
		case 'string':
			if (!isText(node)) throw mismatch(node, type);
			return checkedText(bytesVector(node, type));
		case 'uuid':
			if (isText(node)) return throughBuilder(node, type);
			return fixedVector(node, type, 16);
		case 'fixed':
			return fixedVector(node, type, type.length);
		case 'binary':
		case 'geometry':
		case 'geography':
			if (node.type.id === ARROW.fixedSizeBinary) return fixedAsBytes(node, type);
			if (!isBytes(node)) throw mismatch(node, type);
			return bytesVector(node, type);
		case 'variant':
			return convertVariant(node, type);
		case 'struct':
			return convertStruct(node, type);
		case 'list':
			return convertList(node, type);
		case 'map':
			return convertMap(node, type);
		case 'unknown': {
			const found = base(node, type);
			for (let i = 0; i < node.length; i++)
				if (found.validity === null || getBit(found.validity, i))
					throw new ElementRefusal(i, arrowTypeText(node.type), 'null: a column of type unknown holds nothing else');
			return nullVector(type, node.length);
		}
		case 'unsupported':
			throw new IcebergError('UNSUPPORTED', `this version does not know the type ${typeToString(type)}`);
	}
}

/** Most elements of an array of nulls: it has no buffers, so that nothing else tells how many may be meant. */
const NULLS_LIMIT = 1 << 24;

function nulls(node: ArrowNode, type: Type): Vector {
	if (node.length > NULLS_LIMIT)
		throw new IcebergError(
			'LIMIT_EXCEEDED',
			`an Arrow array of ${node.length} nulls; at most ${NULLS_LIMIT} are taken`,
			{
				context: { limit: 'NULLS_LIMIT', length: node.length },
			},
		);
	return nullVector(type, node.length);
}

function base(node: ArrowNode, type: Type): ConvertedBase {
	const { length, validity } = node;
	const nullCount = validity === null ? 0 : countZeros(validity, length);
	return { type, length, nullCount, validity: nullCount === 0 ? null : validity };
}

function checkNode(node: ArrowNode): void {
	const { length, validity } = node;
	if (!Number.isInteger(length) || length < 0) throw corrupt(`an array of length ${length}`);
	if (length > ARROW_LENGTH_LIMIT)
		throw new IcebergError(
			'LIMIT_EXCEEDED',
			`an Arrow array of ${length} elements; at most ${ARROW_LENGTH_LIMIT} are taken`,
			{
				context: { limit: 'ARROW_LENGTH_LIMIT', length },
			},
		);
	if (validity !== null && validity.length < bitmapBytes(length)) throw corrupt('a validity bitmap that is too short');
}

export function corrupt(what: string): IcebergError {
	return new IcebergError('CORRUPT', `Arrow data: ${what}`);
}

function mismatch(node: ArrowNode, type: Type): IcebergError {
	return new IcebergError('INVALID_DATA', `Arrow ${arrowTypeText(node.type)} does not go into ${typeToString(type)}`, {
		context: { found: arrowTypeText(node.type), expected: typeToString(type) },
	});
}

const TEXTS: readonly number[] = [ARROW.utf8, ARROW.largeUtf8, ARROW.utf8View];
const BINARIES: readonly number[] = [ARROW.binary, ARROW.largeBinary, ARROW.binaryView];

function isText(node: ArrowNode): boolean {
	return TEXTS.includes(node.type.id);
}
function isBytes(node: ArrowNode): boolean {
	return BINARIES.includes(node.type.id);
}

/** The values buffer as bytes, at least `needed` of them. */
function bytesOf(node: ArrowNode, needed: number): Uint8Array {
	const { values } = node;
	if (values === undefined || values.byteLength < needed) {
		if (needed === 0) return new Uint8Array(0);
		throw corrupt(`a buffer of ${values?.byteLength ?? 0} bytes where ${needed} are needed`);
	}
	return new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
}

/** 32-bit offsets that rise and stay within `limit`. */
function offsetsOf(node: ArrowNode, limit: number): Int32Array {
	const { offsets, length } = node;
	// writers may leave the buffer out when there are no elements
	if (length === 0 && (offsets === undefined || offsets.length === 0)) return new Int32Array(1);
	if (offsets === undefined || offsets.length <= length) throw corrupt('an offsets buffer that is too short');
	const out = offsets instanceof Int32Array ? offsets.subarray(0, length + 1) : new Int32Array(length + 1);
	let previous = 0;
	for (let i = 0; i <= length; i++) {
		const offset = Number(offsets[i]);
		if (offset < previous || offset > limit)
			throw corrupt(`offset ${offset} at ${i} leaves the data (${limit}) or falls`);
		if (offset > BYTES_VECTOR_LIMIT_BYTES)
			throw new IcebergError('LIMIT_EXCEEDED', 'an Arrow array of more than 2 GiB; pass smaller batches', {
				context: { limit: 'BYTES_VECTOR_LIMIT_BYTES' },
			});
		if (out !== offsets) out[i] = offset;
		previous = offset;
	}
	return out;
}

function bytesVector(node: ArrowNode, type: Type): BytesVector {
	if (node.type.id === ARROW.utf8View || node.type.id === ARROW.binaryView) return viewsVector(node, type);
	const values = bytesOf(node, 0);
	return { ...base(node, type), layout: 'bytes', offsets: offsetsOf(node, values.length), values };
}

const VIEW_BYTES = 16;
const INLINE_VIEW_LIMIT_BYTES = 12;

function viewsVector(node: ArrowNode, type: Type): BytesVector {
	const parts = base(node, type);
	const views = bytesOf(node, node.length * VIEW_BYTES);
	const view = new DataView(views.buffer, views.byteOffset, views.byteLength);
	const offsets = new Int32Array(node.length + 1);
	let total = 0;
	for (let i = 0; i < node.length; i++) {
		const isNull = parts.validity !== null && !getBit(parts.validity, i);
		const size = isNull ? 0 : view.getInt32(i * VIEW_BYTES, true);
		if (size < 0) throw corrupt(`a view of ${size} bytes`);
		total += size;
		if (total > BYTES_VECTOR_LIMIT_BYTES)
			throw new IcebergError('LIMIT_EXCEEDED', 'an Arrow array of more than 2 GiB; pass smaller batches');
		offsets[i + 1] = total;
	}
	const values = new Uint8Array(total);
	for (let i = 0; i < node.length; i++) {
		const at = offsets[i] as number;
		const size = (offsets[i + 1] as number) - at;
		if (size === 0) continue;
		const start = i * VIEW_BYTES + 4;
		if (size <= INLINE_VIEW_LIMIT_BYTES) values.set(views.subarray(start, start + size), at);
		else values.set(viewedBytes(node, view.getInt32(start + 4, true), view.getInt32(start + 8, true), size), at);
	}
	return { ...parts, layout: 'bytes', offsets, values };
}

function viewedBytes(node: ArrowNode, bufferIndex: number, offset: number, size: number): Uint8Array {
	const buffer = node.buffers[bufferIndex];
	if (buffer === undefined || offset < 0 || offset + size > buffer.length)
		throw corrupt('a view that leaves its buffer');
	return buffer.subarray(offset, offset + size);
}

function checkedText(vector: BytesVector): BytesVector {
	checkTexts(vector);
	return vector;
}

/** Text into a type that is written as text: value by value. */
function throughBuilder(node: ArrowNode, type: Type): Vector {
	const texts = checkedText(bytesVector(node, { kind: 'string' }));
	const buffer = Buffer.from(texts.values.buffer, texts.values.byteOffset, texts.values.byteLength);
	const builder = builderOf(type);
	for (let i = 0; i < texts.length; i++) {
		if (texts.validity !== null && !getBit(texts.validity, i)) builder.appendNull();
		else {
			const text = buffer.toString('utf8', texts.offsets[i], texts.offsets[i + 1]);
			try {
				builder.append(text);
			} catch (error) {
				if (!(error instanceof IcebergError) || error.code !== 'INVALID_DATA') throw error;
				throw new ElementRefusal(i, text, String(error.context.expected));
			}
		}
	}
	return builder.finish();
}

function fixedVector(node: ArrowNode, type: Type, width: number): Vector {
	const parts = base(node, type);
	if (node.type.id === ARROW.fixedSizeBinary) {
		if (node.type.stride !== width) throw mismatch(node, type);
		return { ...parts, layout: 'fixed', width, values: bytesOf(node, node.length * width) };
	}
	if (!isBytes(node)) throw mismatch(node, type);
	const bytes = bytesVector(node, type);
	const values = new Uint8Array(node.length * width);
	for (let i = 0; i < node.length; i++) {
		if (parts.validity !== null && !getBit(parts.validity, i)) continue;
		const value = bytes.values.subarray(bytes.offsets[i], bytes.offsets[i + 1]);
		if (value.length !== width) throw new ElementRefusal(i, value, `${typeToString(type)}: exactly ${width} bytes`);
		values.set(value, i * width);
	}
	return { ...parts, layout: 'fixed', width, values };
}

function fixedAsBytes(node: ArrowNode, type: Type): Vector {
	const width = node.type.stride;
	if (width * node.length > BYTES_VECTOR_LIMIT_BYTES)
		throw new IcebergError('LIMIT_EXCEEDED', 'an Arrow array of more than 2 GiB; pass smaller batches');
	const offsets = Int32Array.from({ length: node.length + 1 }, (_, i) => i * width);
	return { ...base(node, type), layout: 'bytes', offsets, values: bytesOf(node, width * node.length) };
}

/** Dictionary-encoded arrays: entries converted once. Entries may be null, and chunks follow one another. */
function convertDictionary(node: ArrowNode, type: Type): Vector {
	const chunks = node.dictionary.map((chunk) => convertEntries(chunk, type));
	const entries = chunks.length === 0 ? nullVector(type, 0) : concat(chunks);
	const { length } = node;
	const indices = node.values;
	if (indices === undefined || indices.length < length) {
		if (length > 0) throw corrupt('a dictionary index buffer that is too short');
	}
	const positions = new Int32Array(length);
	const validity = new Uint8Array(bitmapBytes(length));
	let nullCount = 0;
	for (let i = 0; i < length; i++) {
		let valid = node.validity === null || getBit(node.validity, i);
		if (valid) {
			const index = Number((indices as NonNullable<typeof indices>)[i]);
			if (!(index >= 0 && index < entries.length)) throw corrupt(`dictionary index ${index} of ${entries.length}`);
			positions[i] = index;
			valid = entries.layout !== 'null' && (entries.validity === null || getBit(entries.validity, index));
		}
		if (valid) setBit(validity, i);
		else nullCount++;
	}
	const parts = { type, length, nullCount, validity: nullCount === 0 ? null : validity };
	if (entries.layout === 'bytes' && entries.length > 0)
		return {
			...parts,
			layout: 'dictionary',
			indices: positions,
			dictionary: { ...entries, nullCount: 0, validity: null },
		};
	if (entries.length === 0) return nullVector(type, length);
	// nulls may point at any entry; what they point at does not show
	const taken = take(entries, new Uint32Array(positions.buffer, 0, length));
	return taken.layout === 'null' ? taken : { ...taken, nullCount: parts.nullCount, validity: parts.validity };
}

/** An entry that is refused is refused wherever it is used, or not: tell it by itself. */
function convertEntries(chunk: ArrowNode, type: Type): Vector {
	try {
		return convertArrow(chunk, type);
	} catch (error) {
		if (!(error instanceof ElementRefusal)) throw error;
		throw new IcebergError('INVALID_DATA', `entry ${error.element} of the dictionary: ${error.message}`, {
			context: { value: error.value, expected: error.expected },
		});
	}
}

function convertVariant(node: ArrowNode, type: Type): Vector {
	const at = (name: string): ArrowNode | undefined =>
		node.children[node.type.children.findIndex((f) => f.name === name)];
	const metadata = at('metadata');
	const value = at('value');
	if (node.type.id !== ARROW.struct || metadata === undefined || value === undefined || node.children.length !== 2)
		throw mismatch(node, type);
	const part = (child: ArrowNode): BytesVector => {
		if (!isBytes(child) || child.length !== node.length) throw mismatch(node, type);
		checkNode(child);
		return { ...bytesVector(child, { kind: 'binary' }), nullCount: 0, validity: null };
	};
	const vector = { ...base(node, type), layout: 'variant', metadata: part(metadata), value: part(value) } as const;
	for (let i = 0; i < vector.length; i++) {
		if (vector.validity !== null && !getBit(vector.validity, i)) continue;
		try {
			decodeVariant({ metadata: bytesAt(vector.metadata, i), value: bytesAt(vector.value, i) });
		} catch (error) {
			throw new ElementRefusal(i, bytesAt(vector.value, i), `variant: sound encoding (${(error as Error).message})`);
		}
	}
	return vector;
}

function convertStruct(node: ArrowNode, type: StructType): Vector {
	if (node.type.id !== ARROW.struct) throw mismatch(node, type);
	const names = type.fields.map((field) => field.name);
	for (const { name } of node.type.children) {
		if (names.includes(name)) continue;
		const { problem } = unknownMember(name, undefined, names).context;
		throw new IcebergError('INVALID_DATA', `'${name}': ${String(problem)}`, { context: { column: name } });
	}
	const children = type.fields.map((field) => {
		const at = node.type.children.findIndex(({ name }) => name === field.name);
		const child = node.children[at];
		if (child === undefined) return missingChild(node, field);
		if (child.length < node.length) throw corrupt('a struct whose children are shorter');
		return withChild(field.name, () => convertArrow({ ...child, length: node.length }, field.type));
	});
	return { ...base(node, type), layout: 'struct', children };
}

/** A child that Arrow has not: its write default or nulls. */
function missingChild(node: ArrowNode, field: NestedField): Vector {
	if (field.writeDefault !== undefined) return constantVector(field.type, field.writeDefault, node.length);
	for (let i = 0; field.required && i < node.length; i++)
		if (node.validity === null || getBit(node.validity, i))
			throw new ElementRefusal(i, undefined, 'a value: the field is required', `.${field.name}`);
	return nullVector(field.type, node.length);
}

function convertList(node: ArrowNode, type: ListType): Vector {
	const child = node.children[0];
	if (child === undefined) throw mismatch(node, type);
	switch (node.type.id) {
		case ARROW.list:
		case ARROW.largeList: {
			const offsets = offsetsOf(node, child.length);
			return { ...base(node, type), layout: 'list', offsets, child: convertItems(child, type, offsets, node.length) };
		}
		case ARROW.fixedSizeList: {
			const { stride } = node.type;
			if (child.length < stride * node.length) throw corrupt('a fixed-size list whose child is shorter');
			const offsets = Int32Array.from({ length: node.length + 1 }, (_, i) => i * stride);
			return { ...base(node, type), layout: 'list', offsets, child: convertItems(child, type, offsets, node.length) };
		}
		case ARROW.listView:
		case ARROW.largeListView: {
			const { offsets, inner } = viewedRanges(node, child.length);
			const items = take(convertItems(child, type, new Int32Array(1), 0), inner);
			return { ...base(node, type), layout: 'list', offsets, child: items };
		}
		default:
			throw mismatch(node, type);
	}
}

function convertItems(child: ArrowNode, type: ListType, offsets: Int32Array, length: number): Vector {
	return withOwner(
		offsets,
		length,
		(i) => `[${i}]`,
		() => convertArrow(child, type.element),
	);
}

function viewedRanges(node: ArrowNode, limit: number): { offsets: Int32Array; inner: Uint32Array } {
	const { length, sizes, offsets: starts, validity } = node;
	if (length > 0 && (sizes === undefined || starts === undefined || sizes.length < length || starts.length < length))
		throw corrupt('a list view whose buffers are too short');
	const offsets = new Int32Array(length + 1);
	const from: number[] = [];
	let total = 0;
	for (let i = 0; i < length; i++) {
		const isNull = validity !== null && !getBit(validity, i);
		const start = isNull ? 0 : Number(starts?.[i]);
		const size = isNull ? 0 : Number(sizes?.[i]);
		if (!(start >= 0 && size >= 0 && start + size <= limit)) throw corrupt('a list view that leaves its child');
		from.push(start);
		total += size;
		// views may share elements: what they stand for can be far larger than the child
		if (total > ARROW_LENGTH_LIMIT)
			throw new IcebergError('LIMIT_EXCEEDED', `list views of ${total} elements in all; at most ${ARROW_LENGTH_LIMIT}`);
		offsets[i + 1] = total;
	}
	const inner = new Uint32Array(total);
	for (let i = 0, at = 0; i < length; i++) {
		const size = (offsets[i + 1] as number) - (offsets[i] as number);
		for (let k = 0; k < size; k++) inner[at++] = (from[i] as number) + k;
	}
	return { offsets, inner };
}

function convertMap(node: ArrowNode, type: MapType): Vector {
	const entries = node.children[0];
	const [keys, items] = entries?.children ?? [];
	if (node.type.id !== ARROW.map || entries === undefined || keys === undefined || items === undefined)
		throw mismatch(node, type);
	const size = entries.length;
	if (keys.length < size || items.length < size) throw corrupt('a map whose keys or values are too few');
	const offsets = offsetsOf(node, size);
	const convert = (child: ArrowNode, childType: Type, path: string): Vector =>
		withOwner(
			offsets,
			node.length,
			() => path,
			() => convertArrow({ ...child, length: size }, childType),
		);
	return {
		...base(node, type),
		layout: 'map',
		offsets,
		keys: convert(keys, type.key, '.key'),
		items: convert(items, type.value, '.value'),
	};
}
