/** Vectors from single values: a builder for each type. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Type } from '../spec/types.ts';
import type { VectorBuilder } from './builder-base.ts';
import {
	BooleanBuilder,
	DecimalBuilder,
	DoubleBuilder,
	FixedBuilder,
	FloatBuilder,
	Int32Builder,
	Int64Builder,
	LongBuilder,
	NullBuilder,
	TimestampBuilder,
	UuidBuilder,
} from './builders-fixed.ts';
import { ListBuilder, MapBuilder, StructBuilder } from './builders-nested.ts';
import { BinaryBuilder, StringBuilder, VariantBuilder } from './builders-bytes.ts';
import { describeValue } from './invalid-value.ts';

/** An empty builder. @throws `UNSUPPORTED` for a type that this version does not know */
export function builderOf(type: Type): VectorBuilder {
	switch (type.kind) {
		case 'boolean':
			return new BooleanBuilder(type);
		case 'int':
		case 'date':
			return new Int32Builder(type);
		case 'long':
			return new LongBuilder(type);
		case 'time':
			return new Int64Builder(type);
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return new TimestampBuilder(type);
		case 'float':
			return new FloatBuilder(type);
		case 'double':
			return new DoubleBuilder(type);
		case 'decimal':
			return new DecimalBuilder(type);
		case 'uuid':
			return new UuidBuilder(type);
		case 'fixed':
			return new FixedBuilder(type, type.length);
		case 'string':
			return new StringBuilder(type);
		case 'binary':
		case 'geometry':
		case 'geography':
			return new BinaryBuilder(type);
		case 'variant':
			return new VariantBuilder(type);
		case 'unknown':
			return new NullBuilder(type);
		case 'struct':
			return new StructBuilder(type, builderOf);
		case 'list':
			return new ListBuilder(type, builderOf);
		case 'map':
			return new MapBuilder(type, builderOf);
		case 'unsupported':
			throw new IcebergError('UNSUPPORTED', `this version does not know the type ${describeValue(type.json)}`, {
				context: { type: type.json },
			});
	}
}
