/**
 * For those who implement a port: the suites that an implementation must pass, and storage that fails on purpose. And the
 * stress test, for those who want to see what a place for tables holds.
 */
export {
	FaultyFileIO,
	type Fault,
	type FaultRule,
	type FileIOOperation,
	type RecordedCall,
	SimulatedCrash,
} from './testing/faulty-file-io.ts';
export { fileIOSuite, type FileIOSuiteOptions, type FileIOUnderTest } from './testing/file-io-suite.ts';
export {
	journalStoreSuite,
	type JournalStoreSuiteOptions,
	type JournalStoreUnderTest,
} from './testing/journal-store-suite.ts';
export type {
	Awaitable,
	JournalAppendFile,
	JournalListing,
	JournalReadFile,
	JournalStore,
} from './io/journal-store.ts';
export type { FailedAppend } from './testing/stress/acknowledgements.ts';
export type { RowCheck, RowTally } from './testing/stress/check-rows.ts';
export type { DiskUsage, Usage } from './testing/stress/disk-usage.ts';
export type { AgeingSummary, LatencySummary } from './testing/stress/latencies.ts';
export type { StressOptions, StressProgress } from './testing/stress/stress-options.ts';
export type { AppendSummary, PlainFilesSummary, StressReport, TableSummary } from './testing/stress/stress-report.ts';
export { runStress } from './testing/stress/stress.ts';
export type { Visibility } from './testing/stress/visibility.ts';
export { runStressWriter, type WriterPipes } from './testing/stress/writer.ts';
export type { Contender, Until } from './testing/stress/writer-protocol.ts';
