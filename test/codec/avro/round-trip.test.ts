import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AvroCodec } from '../../../src/codec/avro/container-reader.ts';
import { decodeAvro } from '../../../src/codec/avro/data-file.ts';
import { encodeAvro } from '../../../src/codec/avro/encode-rows.ts';
import { isIcebergError } from '../../../src/errors/iceberg-error.ts';
import type { StructType, Value } from '../../../src/spec/types.ts';
import { mutated, rowOf, structType } from './arbitrary.ts';

async function allRows(bytes: Uint8Array, struct: StructType): Promise<Value[][]> {
	const rows: Value[][] = [];
	for await (const block of decodeAvro(bytes, struct, { location: 'memory:/t.avro' })) rows.push(...block);
	return rows;
}

const typed = structType.chain((struct) => fc.tuple(fc.constant(struct), fc.array(rowOf(struct), { maxLength: 8 })));
const codecs = fc.constantFrom<AvroCodec>('null', 'deflate', 'zstandard', 'snappy');

describe('Avro rows of generated types', () => {
	test('come back as they went in', async () => {
		await fc.assert(
			fc.asyncProperty(typed, codecs, async ([struct, rows], codec) => {
				expect(await allRows(await encodeAvro(rows, struct, { codec }), struct)).toEqual(rows);
			}),
			{ numRuns: 300 },
		);
	});

	test('any choice of columns in any order reads the values of those columns', async () => {
		const chosen = typed.chain(([struct, rows]) =>
			fc.tuple(fc.constant(struct), fc.constant(rows), fc.shuffledSubarray(struct.fields.map((_, i) => i))),
		);
		await fc.assert(
			fc.asyncProperty(chosen, async ([struct, rows, columns]) => {
				const fields = columns.map((i) => struct.fields[i] as StructType['fields'][number]);
				const absent = {
					id: 9999,
					name: 'added later',
					required: false,
					type: { kind: 'long' },
					initialDefault: 7n,
				} as const;
				const wanted: StructType = { kind: 'struct', fields: [...fields, absent] };
				expect(await allRows(await encodeAvro(rows, struct), wanted)).toEqual(
					rows.map((row) => [...columns.map((i) => row[i]), 7n]),
				);
			}),
			{ numRuns: 150 },
		);
	});

	test('hostile bytes are refused as CORRUPT, UNSUPPORTED or read as other rows, never anything else', async () => {
		let refused = 0;
		await fc.assert(
			fc.asyncProperty(typed, codecs, fc.gen(), async ([struct, rows], codec, gen) => {
				const bytes = await encodeAvro(rows, struct, { codec });
				for (let i = 0; i < 8; i++) {
					try {
						await allRows(
							gen(() => mutated(bytes)),
							struct,
						);
					} catch (error) {
						if (!isIcebergError(error, 'CORRUPT', 'UNSUPPORTED')) throw error;
						refused++;
					}
				}
			}),
			{ numRuns: 300 },
		);
		expect(refused).toBeGreaterThan(500);
	});
});
