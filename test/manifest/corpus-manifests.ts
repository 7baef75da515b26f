/** Manifest lists and manifests of the corpus, as its own metadata files describe them. */
import { readFileSync } from 'node:fs';
import type { ManifestTable } from '../../src/manifest/partition-type.ts';
import { Schema } from '../../src/spec/schema.ts';
import { parseTransform } from '../../src/spec/transform.ts';
import { typeFromJson } from '../../src/spec/type-json.ts';
import { parseJson } from '../../src/util/json.ts';
import { type CorpusTable, corpusPath, type Loose } from '../support/corpus.ts';

export function corpusBytes(location: string): Uint8Array {
	return readFileSync(corpusPath(location));
}

export function corpusMetadata(table: CorpusTable): Loose {
	return parseJson(table.metadataText());
}

export function manifestTableOf(metadata: Loose): ManifestTable {
	const schemas: Loose[] = metadata.schemas ?? [metadata.schema];
	const specs: Loose[] = metadata['partition-specs'] ?? [{ 'spec-id': 0, fields: metadata['partition-spec'] }];
	return {
		currentSchemaId: metadata['current-schema-id'] ?? 0,
		schemas: schemas.map((json) => {
			const struct: Loose = typeFromJson(json);
			return new Schema({ schemaId: json['schema-id'] ?? 0, fields: struct.fields });
		}),
		partitionSpecs: specs.map((spec) => ({
			specId: spec['spec-id'],
			fields: spec.fields.map((field: Loose, i: number) => ({
				sourceId: field['source-id'] ?? field['source-ids'][0],
				fieldId: field['field-id'] ?? 1000 + i,
				name: field.name,
				transform: parseTransform(field.transform),
			})),
		})),
	};
}
