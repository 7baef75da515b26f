/** Folder names of partitions. Purely for people: no engine reads them. */
import type { PartitionSpec } from './partition-spec.ts';
import { formatTransformed } from './transform.ts';
import type { StructType, StructValue } from './types.ts';

/**
 * The relative path of a partition, such as `ts_day=2024-02-29/region=north%2Feast`; empty for a spec without fields.
 * Names and values are percent-encoded, so that they name one folder each.
 *
 * @param type the spec's partition type
 */
export function partitionPath(spec: PartitionSpec, type: StructType, partition: StructValue): string {
	return spec.fields
		.map((field, i) => {
			const resultType = type.fields[i]?.type ?? { kind: 'unknown' };
			const text = formatTransformed(field.transform, resultType, partition[i] ?? null);
			return `${encode(field.name)}=${encode(text)}`;
		})
		.join('/');
}

function encode(text: string): string {
	// As a form encodes it, which is what other writers do.
	return encodeURIComponent(text)
		.replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
		.replaceAll('%20', '+');
}
