/**
 * From Avro rows to manifest entries in one pass. The writer's schema is compiled to a short program, one step a field
 * in the writer's order, so that fields may be missing, renamed, reordered or unknown; metrics maps are walked over and
 * decoded only where they are wanted. Iceberg spec: Manifests.
 */
import type { AvroCursor } from '../codec/avro/cursor.ts';
import { compileStructDecoder } from '../codec/avro/decoder.ts';
import { primitiveTypeOfAvro } from '../codec/avro/iceberg-type.ts';
import { type AvroRecord, type AvroSchema, asOptional } from '../codec/avro/schema.ts';
import { compileSkip, type Skip } from '../codec/avro/skip.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { NestedField, Type, Value } from '../spec/types.ts';
import { ENTRY, FILE } from './field-ids.ts';
import type { TypedPartitionField } from './partition-type.ts';
import { clearRawEntry, FIRST_BOUNDS, METRICS_FIELDS, type RawEntry } from './raw-entry.ts';

/** Reads one row into `raw`. */
export type ReadEntry = (cursor: AvroCursor, raw: RawEntry) => void;
type Read = ReadEntry;

/** Compiles the reader of one row; it can be used for any file of the schema. @throws `CORRUPT` when the schema is not one of a manifest */
export function compileEntryReader(
	schema: AvroSchema,
	partition: readonly TypedPartitionField[],
	location: string,
): ReadEntry {
	if (schema.kind !== 'record') throw notAManifest(location, `its rows are of the type ${schema.kind}`);
	const compiler = new EntryCompiler(partition, location);
	return compiler.entry(schema);
}

interface Step {
	readonly read: Read;
	/** -1: not nullable */
	readonly nullBranch: number;
	readonly valueBranch: number;
}

class EntryCompiler {
	readonly #partition: readonly TypedPartitionField[];
	readonly #location: string;
	/** ids are repeated for the whole file: most rows come from few snapshots */
	readonly #ids = new IdCache();
	readonly #formats = new TextCache();

	constructor(partition: readonly TypedPartitionField[], location: string) {
		this.#partition = partition;
		this.#location = location;
	}

	entry(schema: AvroRecord): Read {
		const steps = this.#steps(schema, (id, type) => this.#entryField(id, type));
		for (const id of [ENTRY.status, ENTRY.dataFile]) this.#require(schema, id, id === 0 ? 'status' : 'data_file');
		return (cursor, raw) => {
			clearRawEntry(raw);
			run(steps, cursor, raw);
		};
	}

	#steps(schema: AvroRecord, compile: (id: number, type: AvroSchema) => Read | undefined): Step[] {
		return schema.fields.map((field): Step => {
			const optional = asOptional(field.type);
			const skipped: Step = { read: asRead(compileSkip(field.type)), nullBranch: -1, valueBranch: -1 };
			if (field.fieldId === undefined || optional?.type === undefined) return skipped;
			const read = compile(field.fieldId, optional.type);
			if (read === undefined) return skipped;
			return { read, nullBranch: optional.nullBranch, valueBranch: optional.valueBranch };
		});
	}

	#entryField(id: number, type: AvroSchema): Read | undefined {
		switch (id) {
			case ENTRY.status:
				this.#expect(type, id, 'int', 'long');
				return (cursor, raw) => void (raw.status = cursor.readInt());
			case ENTRY.snapshotId:
				this.#expect(type, id, 'long', 'int');
				return (cursor, raw) => void (raw.snapshotId = this.#ids.read(cursor));
			case ENTRY.sequenceNumber:
				this.#expect(type, id, 'long', 'int');
				return (cursor, raw) => void (raw.sequenceNumber = this.#ids.read(cursor));
			case ENTRY.fileSequenceNumber:
				this.#expect(type, id, 'long', 'int');
				return (cursor, raw) => void (raw.fileSequenceNumber = this.#ids.read(cursor));
			case ENTRY.dataFile:
				return this.#dataFile(type);
			default:
				return undefined;
		}
	}

	#dataFile(type: AvroSchema): Read {
		if (type.kind !== 'record') throw notAManifest(this.#location, `'data_file' is of the type ${type.kind}`);
		const required = [
			[FILE.location, 'file_path'],
			[FILE.format, 'file_format'],
			[FILE.recordCount, 'record_count'],
			[FILE.fileSizeInBytes, 'file_size_in_bytes'],
		] as const;
		for (const [id, name] of required) this.#require(type, id, name);
		const partitioned = this.#partition.some((field) => !field.alwaysNull);
		const noPartition = this.#partition.map(() => null);
		if (partitioned) this.#require(type, FILE.partition, 'partition');
		const steps = this.#steps(type, (id, fieldType) => this.#fileField(id, fieldType));
		return (cursor, raw) => {
			const start = cursor.position;
			run(steps, cursor, raw);
			if (raw.partition !== undefined) return;
			if (partitioned) throw cursor.corrupt('a file without its partition', start);
			raw.partition = noPartition;
		};
	}

	#fileField(id: number, type: AvroSchema): Read | undefined {
		const metrics = METRICS_FIELDS.indexOf(id as (typeof METRICS_FIELDS)[number]);
		if (metrics >= 0) return this.#metrics(type, id, metrics);
		switch (id) {
			case FILE.content:
				this.#expect(type, id, 'int', 'long');
				return (cursor, raw) => void (raw.content = cursor.readInt());
			case FILE.location:
				this.#expect(type, id, 'string', 'bytes');
				return (cursor, raw) => void (raw.location = cursor.readString());
			case FILE.format:
				this.#expect(type, id, 'string', 'bytes');
				return (cursor, raw) => void (raw.format = this.#formats.read(cursor));
			case FILE.partition:
				return this.#partitionTuple(type);
			case FILE.recordCount:
				this.#expect(type, id, 'long', 'int');
				return (cursor, raw) => void (raw.recordCount = readSize(cursor, 'record_count'));
			case FILE.fileSizeInBytes:
				this.#expect(type, id, 'long', 'int');
				return (cursor, raw) => void (raw.fileSizeInBytes = readSize(cursor, 'file_size_in_bytes'));
			case FILE.keyMetadata:
				this.#expect(type, id, 'bytes');
				return (cursor, raw) => void (raw.keyMetadata = cursor.readBytes());
			case FILE.splitOffsets:
				this.#expectNumbers(type, id);
				return (cursor, raw) => void (raw.splitOffsets = readNumbers(cursor));
			case FILE.equalityIds:
				this.#expectNumbers(type, id);
				return (cursor, raw) => void (raw.equalityIds = readNumbers(cursor));
			case FILE.sortOrderId:
				this.#expect(type, id, 'int', 'long');
				return (cursor, raw) => void (raw.sortOrderId = cursor.readInt());
			case FILE.firstRowId:
				this.#expect(type, id, 'long', 'int');
				return (cursor, raw) => void (raw.firstRowId = cursor.readLong());
			case FILE.referencedDataFile:
				this.#expect(type, id, 'string', 'bytes');
				return (cursor, raw) => void (raw.referencedDataFile = cursor.readString());
			case FILE.contentOffset:
				this.#expect(type, id, 'long', 'int');
				return (cursor, raw) => void (raw.contentOffset = readSize(cursor, 'content_offset'));
			case FILE.contentSizeInBytes:
				this.#expect(type, id, 'long', 'int');
				return (cursor, raw) => void (raw.contentSizeInBytes = readSize(cursor, 'content_size_in_bytes'));
			default:
				return undefined;
		}
	}

	#metrics(type: AvroSchema, id: number, index: number): Read {
		const item = type.kind === 'array' ? type.items : undefined;
		const [key, value] = item?.kind === 'record' ? item.fields : [];
		const bounds = index >= FIRST_BOUNDS;
		const keyOk = key?.type.kind === 'int' || key?.type.kind === 'long';
		const valueKind = value?.type.kind;
		const valueOk = bounds ? valueKind === 'bytes' : valueKind === 'long' || valueKind === 'int';
		if (item?.kind !== 'record' || item.fields.length !== 2 || !keyOk || !valueOk) {
			throw notAManifest(this.#location, `the field ${id} is no map from field ids`);
		}
		return (cursor, raw) => {
			raw.metricsStart[index] = cursor.position;
			if (bounds) skipBounds(cursor);
			else skipCounts(cursor);
			raw.metricsEnd[index] = cursor.position;
		};
	}

	#partitionTuple(type: AvroSchema): Read {
		if (type.kind !== 'record') throw notAManifest(this.#location, `'partition' is of the type ${type.kind}`);
		// manifests of v1 tables may lack ids; names are the spec's then
		const hasIds = type.fields.every((field) => field.fieldId !== undefined);
		const idByName = new Map(this.#partition.map((field) => [field.name, field.fieldId]));
		const source: AvroRecord = hasIds
			? type
			: { ...type, fields: type.fields.map((field) => withId(field, idByName.get(field.icebergName))) };
		const wanted = this.#partition.map((field): NestedField => {
			const found = source.fields.find((candidate) => candidate.fieldId === field.fieldId);
			if (found === undefined && !field.alwaysNull) {
				throw notAManifest(
					this.#location,
					`it lacks the partition field '${field.name}' (${field.fieldId}) of its spec`,
				);
			}
			const written = found === undefined ? undefined : asOptional(found.type)?.type;
			const valueType: Type | undefined =
				field.type ?? (written === undefined ? { kind: 'unknown' } : primitiveTypeOfAvro(written));
			if (valueType === undefined) {
				throw notAManifest(this.#location, `the partition field '${field.name}' is not of a primitive type`);
			}
			return { id: field.fieldId, name: field.name, required: false, type: valueType };
		});
		const struct = { kind: 'struct', fields: wanted } as const;
		const decode = compileStructDecoder(source, struct, {
			location: this.#location,
			missing: (): Value => null,
		});
		return (cursor, raw) => void (raw.partition = decode(cursor));
	}

	#expect(type: AvroSchema, id: number, ...kinds: AvroSchema['kind'][]): void {
		if (!kinds.includes(type.kind)) {
			throw notAManifest(this.#location, `the field ${id} is of the type ${type.kind}, not ${kinds[0]}`);
		}
	}

	#expectNumbers(type: AvroSchema, id: number): void {
		if (type.kind !== 'array') throw notAManifest(this.#location, `the field ${id} is of the type ${type.kind}`);
		this.#expect(type.items, id, 'long', 'int');
	}

	#require(schema: AvroRecord, id: number, name: string): void {
		if (!schema.fields.some((field) => field.fieldId === id)) {
			throw notAManifest(this.#location, `it has no field '${name}' (${id})`);
		}
	}
}

function run(steps: readonly Step[], cursor: AvroCursor, raw: RawEntry): void {
	for (let i = 0; i < steps.length; i++) {
		const step = steps[i] as Step;
		if (step.valueBranch >= 0) {
			const start = cursor.position;
			const branch = cursor.readInt();
			if (branch === step.nullBranch) continue;
			if (branch !== step.valueBranch) throw cursor.corrupt('a branch that the union does not have', start);
		}
		step.read(cursor, raw);
	}
}

function asRead(skip: Skip): Read {
	return (cursor) => skip(cursor);
}

function withId<T extends object>(field: T, fieldId: number | undefined): T {
	return fieldId === undefined ? field : { ...field, fieldId };
}

function skipCounts(cursor: AvroCursor): void {
	for (let count = cursor.skipBlockCount(2); count > 0; count = cursor.skipBlockCount(2)) cursor.skipLongs(2 * count);
}

function skipBounds(cursor: AvroCursor): void {
	for (let count = cursor.skipBlockCount(2); count > 0; count = cursor.skipBlockCount(2)) cursor.skipKeyedBytes(count);
}

function readNumbers(cursor: AvroCursor): number[] {
	const numbers: number[] = [];
	for (let count = cursor.readBlockCount(1); count > 0; count = cursor.readBlockCount(1)) {
		for (let i = 0; i < count; i++) numbers.push(cursor.readSafeLong());
	}
	return numbers;
}

function readSize(cursor: AvroCursor, name: string): number {
	const start = cursor.position;
	const size = cursor.readSafeLong();
	if (size < 0) throw cursor.corrupt(`a ${name} of ${size}`, start);
	return size;
}

class IdCache {
	#low = 0;
	#high = 0;
	#value = 0n;

	read(cursor: AvroCursor): bigint {
		cursor.readWords();
		if (cursor.low !== this.#low || cursor.high !== this.#high) {
			this.#low = cursor.low;
			this.#high = cursor.high;
			this.#value = cursor.bigint();
		}
		return this.#value;
	}
}

/** A short text that most rows have in common. */
class TextCache {
	#bytes = new Uint8Array(0);
	#text = '';

	read(cursor: AvroCursor): string {
		const length = cursor.readLength();
		const start = cursor.take(length);
		if (!this.#isLast(cursor.bytes, start, length)) {
			this.#text = cursor.text(start, start + length);
			this.#bytes = cursor.bytes.slice(start, start + length);
		}
		return this.#text;
	}

	#isLast(bytes: Uint8Array, start: number, length: number): boolean {
		if (length !== this.#bytes.length) return false;
		for (let i = 0; i < length; i++) if (bytes[start + i] !== this.#bytes[i]) return false;
		return true;
	}
}

function notAManifest(location: string, what: string): IcebergError {
	return new IcebergError('CORRUPT', `${location} is no manifest that can be read: ${what}`, {
		context: { location },
	});
}
