import { describe, expect, test } from 'vitest';
import { decodeAvro } from '../../../src/codec/avro/data-file.ts';
import { Schema } from '../../../src/spec/schema.ts';
import { typeFromJson } from '../../../src/spec/type-json.ts';
import type { StructType } from '../../../src/spec/types.ts';
import { type CorpusTable, corpusTables, type Loose } from '../../support/corpus.ts';
import { corpusBytes, corpusMetadata } from '../../manifest/corpus-manifests.ts';
import { canonical, compareCodePoints } from './canonical.ts';

/** Tables whose current rows stand in Avro files alone, without deletes; variants have a text form of their own. */
const tables = corpusTables().filter((table) => {
	const plan: Loose[] = table.expected().plan ?? [];
	const rows: Loose[] | undefined = table.expected().current?.rows;
	return (
		rows !== undefined &&
		plan.length > 0 &&
		plan.every((file) => file.format === 'avro' && file.deletes.length === 0) &&
		!JSON.stringify(corpusMetadata(table).schemas, (_key, value) =>
			typeof value === 'bigint' ? String(value) : value,
		).includes('"variant"')
	);
});

describe.skipIf(tables.length === 0)('Avro data files of Java (skipped: ../shared is not there)', () => {
	test('there are tables to read', () => {
		expect(tables.length).toBeGreaterThanOrEqual(4);
	});

	test.each(tables.map((table): [string, CorpusTable] => [table.name, table]))(
		'%s: rows come out as Java reads them, by field id',
		async (_name, table) => {
			const metadata = corpusMetadata(table);
			const json = metadata.schemas.find((schema: Loose) => schema['schema-id'] === metadata['current-schema-id']);
			const struct = typeFromJson(json) as StructType;
			new Schema({ fields: struct.fields });
			const expected = table.expected();
			const hasMapping = metadata.properties['schema.name-mapping.default'];
			const found: string[] = [];
			for (const file of expected.plan) {
				const options = {
					location: file.path,
					...(hasMapping === undefined ? {} : { nameToId: byName(struct) }),
				};
				for await (const rows of decodeAvro(corpusBytes(file.path), struct, options)) {
					for (const row of rows) found.push(JSON.stringify(canonical(struct, row)));
				}
			}
			const wanted: string[] = expected.current.rows.map((row: Loose) => JSON.stringify(row));
			expect(found.sort(compareCodePoints)).toEqual(wanted.sort(compareCodePoints));
		},
	);
});

/** The mapping of the migrated tables: names are those of the schema. */
function byName(struct: StructType): (path: readonly string[]) => number | undefined {
	return (path) => new Schema({ fields: struct.fields }).findFieldByName(path.join('.'))?.id;
}
