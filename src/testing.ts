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
