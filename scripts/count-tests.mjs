// Prints "PASSED FAILED" for a JSON report of vitest. A file that failed without a failing test (it did not load), or a
// run that failed without saying why, counts as one failure.
//   node scripts/count-tests.mjs REPORT EXIT_CODE
import { readFileSync } from 'node:fs';

const [path, exitCode] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, 'utf8'));
const brokenFiles = report.testResults.filter(
	(file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
).length;
let failed = report.numFailedTests + brokenFiles;
if (failed === 0 && exitCode !== '0') failed = 1;
if (report.numTotalTests === 0) failed += 1;
console.log(`${report.numPassedTests} ${failed}`);
