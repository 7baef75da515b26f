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
export { InvariantViolation, INVARIANTS } from './testing/simulator/invariants.ts';
export { type Activity, planOf, type SimulationPlan } from './testing/simulator/plan.ts';
export { SimDisk, SimFile, SimFolder, type SimNode } from './testing/simulator/sim-disk.ts';
export { SimFileIO, type StorageFaults } from './testing/simulator/sim-file-io.ts';
export { type CallFaults, SimFsCalls } from './testing/simulator/sim-fs-calls.ts';
export { SimClock, SimProcess } from './testing/simulator/sim-process.ts';
export { SimRandom } from './testing/simulator/sim-random.ts';
export { SimScheduler } from './testing/simulator/sim-scheduler.ts';
export {
	simulate,
	SimulationFailure,
	type SimulationHooks,
	type SimulationOptions,
	type SimulationResult,
} from './testing/simulator/simulation.ts';
