/** Modules of Node.js that a process which appends one row can do without: each takes milliseconds to load. */

/** The module, loaded when it is first asked for. */
export const nodeCrypto = lazy<typeof import('node:crypto')>('node:crypto');
export const nodeOs = lazy<typeof import('node:os')>('node:os');
export const nodeModule = lazy<typeof import('node:module')>('node:module');

function lazy<T>(name: string): () => T {
	let module: T | undefined;
	return () => {
		module ??= process.getBuiltinModule(name) as T;
		return module;
	};
}
