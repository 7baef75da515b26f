import { ARROW, type ArrowType } from './arrow-node.ts';

const UNITS = ['s', 'ms', 'us', 'ns'];
const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(ARROW).map(([name, id]) => [id, name]));

/** An Arrow type in few words, for messages: `uint64`, `timestamp[us, UTC]`, `dictionary<utf8>`. */
export function arrowTypeText(type: ArrowType): string {
	const unit = UNITS[type.unit] ?? '?';
	switch (type.id) {
		case ARROW.int:
			return `${type.signed ? 'int' : 'uint'}${type.bitWidth}`;
		case ARROW.float:
			return ['float16', 'float32', 'float64'][type.precision] ?? 'float';
		case ARROW.decimal:
			return `decimal${type.bitWidth}(${type.precision}, ${type.scale})`;
		case ARROW.date:
			return type.unit === 0 ? 'date[day]' : 'date[ms]';
		case ARROW.time:
		case ARROW.duration:
			return `${NAMES.get(type.id)}[${unit}]`;
		case ARROW.timestamp:
			return type.timezone === '' ? `timestamp[${unit}]` : `timestamp[${unit}, ${type.timezone}]`;
		case ARROW.fixedSizeBinary:
			return `fixedSizeBinary(${type.stride})`;
		case ARROW.dictionary:
			return `dictionary<${type.dictionary === undefined ? '?' : arrowTypeText(type.dictionary)}>`;
		default:
			return NAMES.get(type.id) ?? `type ${type.id}`;
	}
}
