#!/usr/bin/env node
import { runCommandLine } from './program.ts';
import { processTerminal } from './terminal.ts';

runCommandLine(process.argv.slice(2), processTerminal()).then((code) => {
	process.exitCode = code;
	// a pipe that still has data must not keep the process alive
	process.stdin.destroy();
});
