/** For those who implement a port: the suites that an implementation must pass, and storage that fails on purpose. */
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
