/**
 * The loops of writing columns that a process has to run at full speed from the first row on. Compiled to
 * src/codec/parquet/kernel-module.ts by `npm run build:kernel`.
 */
export { packIndices } from './hybrid';
export { reserve } from './regions';
export {
	appendPlain,
	beginChunk,
	beginPage,
	beginPlaces,
	entriesLength,
	entryCount,
	expand,
	found,
	lookUp,
	lookUpPlaces,
	maxLength,
	maxStart,
	minLength,
	minStart,
	pageLength,
} from './text-kernel';
export {
	beginWordChunk,
	beginWordPage,
	hasExtremes,
	lookUp32,
	lookUp64,
	measureDouble,
	measureFloat,
	measureInt32,
	measureInt64,
	nanCount,
	wordEntryCount,
} from './word-kernel';
