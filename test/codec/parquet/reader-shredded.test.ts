/** Shredded variants that pyarrow wrote, shredded by scripts/make-variant-fixtures.py after Parquet's specification. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openParquet } from '../../../src/codec/parquet/reader.ts';
import { decodeVariant, type VariantNode, variantToCanonicalText } from '../../../src/column/variant-decode.ts';
import { getValue } from '../../../src/column/vector-values.ts';
import { isIcebergError } from '../../../src/errors/iceberg-error.ts';
import type { NestedField, Type, Value, VariantValue } from '../../../src/spec/types.ts';
import { annotateVariants, editSchema } from './edit-footer.ts';
import { sourceOf } from './fixtures.ts';

const FOLDER = new URL('../../fixtures/variant/', import.meta.url);
type Texts = readonly (string | null)[];
const index = JSON.parse(readFileSync(new URL('index.json', FOLDER), 'utf8')) as {
	readonly read: Readonly<Record<string, Readonly<Record<string, Texts>>>>;
	readonly refused: Readonly<
		Record<string, Readonly<Record<string, { readonly code: string; readonly message: string }>>>
	>;
	readonly below: Readonly<Record<string, unknown>>;
};
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`${name}.parquet`, FOLDER)));
const VARIANT: Type = { kind: 'variant' };

async function readColumn(
	bytes: Uint8Array,
	name: string,
	typeFor: (found: NestedField) => Type = () => VARIANT,
	batchRowLimit?: number,
): Promise<Value[]> {
	const reader = await openParquet(sourceOf(bytes, 'variants.parquet'));
	const found = reader.info.fields.find((field) => field.name === name)!;
	const out: Value[] = [];
	const options = batchRowLimit === undefined ? {} : { batchRowLimit };
	for await (const { batch } of reader.read({ fields: [{ ...found, type: typeFor(found) }] }, options))
		for (let i = 0; i < batch.length; i++) out.push(getValue(batch.columns[0]!, i));
	return out;
}

/** The canonical text as the index has it. */
function textOf(value: Value): string | null {
	if (value === null) return null;
	const variant = value as VariantValue;
	expectSorted(decodeVariant(variant));
	const text = variantToCanonicalText(variant);
	return text.length < 2000 ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Members of an object stand in the order of their names' bytes. */
function expectSorted(node: VariantNode): void {
	if (node.type === 'array') for (const item of node.items) expectSorted(item);
	if (node.type !== 'object') return;
	const names = node.members.map(([name]) => Buffer.from(name));
	expect(names).toEqual(names.toSorted((a, b) => Buffer.compare(a, b)));
	for (const [, member] of node.members) expectSorted(member);
}

const columns = Object.entries(index.read).flatMap(([file, found]) =>
	Object.entries(found).map(([column, texts]) => [file, column, texts] as const),
);

describe('shredded variants', () => {
	test.each(columns)('%s: %s', async (file, column, texts) => {
		const bytes = bytesOf(file);
		for (const form of [bytes, annotateVariants(bytes)]) {
			expect((await readColumn(form, column)).map(textOf)).toEqual(texts);
			expect((await readColumn(form, column, () => VARIANT, 2)).map(textOf)).toEqual(texts);
		}
	});

	test('are there for all primitive types that can be shredded', () => {
		const types = new Set(
			columns.flatMap(([, , texts]) => texts.map((text) => /^\{"t":"(\w+)"/.exec(text ?? '')?.[1])),
		);
		const all = `int8 int16 int32 int64 float double decimal4 decimal8 decimal16 date time timestamptz timestampntz
			timestamptz_nanos timestampntz_nanos boolean binary string uuid null array object`;
		expect([...types]).toEqual(expect.arrayContaining(all.split(/\s+/)));
	});

	test('the annotation makes the column a variant', async () => {
		const plain = await openParquet(sourceOf(bytesOf('objects')));
		const annotated = await openParquet(sourceOf(annotateVariants(bytesOf('objects'))));
		expect(new Set(plain.info.fields.map(({ type }) => type.kind))).toEqual(new Set(['struct']));
		expect(new Set(annotated.info.fields.map(({ type }) => type.kind))).toEqual(new Set(['variant']));
	});

	test('below a list and a struct', async () => {
		const bytes = annotateVariants(bytesOf('below'));
		const texts = (value: Value): unknown => (Array.isArray(value) ? value.map((item) => textOf(item)) : value);
		expect((await readColumn(bytes, 'list', ({ type }) => type)).map(texts)).toEqual(index.below['list']);
		expect((await readColumn(bytes, 'struct', ({ type }) => type)).map(texts)).toEqual(index.below['struct']);
		// and asked for where the file has a plain struct
		const asVariant = ({ type }: NestedField): Type =>
			type.kind === 'list' ? { ...type, element: VARIANT } : { kind: 'struct', fields: [] };
		expect((await readColumn(bytesOf('below'), 'list', asVariant)).map(texts)).toEqual(index.below['list']);
	});
});

describe('what is no valid shredding', () => {
	const refused = Object.entries(index.refused).flatMap(([file, found]) =>
		Object.entries(found).map(([column, error]) => [file, column, error] as const),
	);
	test.each(refused)('%s: %s', async (file, column, { code, message }) => {
		const error = await readColumn(bytesOf(file), column).catch((e: unknown) => e);
		expect(isIcebergError(error)).toBe(true);
		expect(error).toMatchObject({ code });
		expect((error as Error).message).toContain(message);
		expect((error as Error).message).toContain('variants.parquet');
	});

	test('an integer that does not fit the width of its column', async () => {
		// the column of int16, which has -32768, said to be one of int8
		const bytes = editSchema(bytesOf('primitives'), (element) =>
			element.logicalType?.kind === 'integer' && element.logicalType.bitWidth === 16
				? { ...element, convertedType: 15, logicalType: { ...element.logicalType, bitWidth: 8 } }
				: element,
		);
		const error = await readColumn(bytes, 'int16').catch((e: unknown) => e);
		expect(isIcebergError(error, 'CORRUPT')).toBe(true);
		expect((error as Error).message).toContain('the value -32768 in a column of 8-bit integers');
	});

	test('a list of two levels', async () => {
		const bytes = editSchema(bytesOf('arrays'), (element, i, all) =>
			element.logicalType?.kind === 'list' && all[i + 1]?.numChildren === 1
				? { name: element.name, repetition: element.repetition!, numChildren: 1 }
				: element,
		);
		const error = await readColumn(bytes, 'ints').catch((e: unknown) => e);
		expect(isIcebergError(error, 'UNSUPPORTED')).toBe(true);
		expect((error as Error).message).toContain('is repeated');
	});
});
