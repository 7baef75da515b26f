// Compiles kernel/ to a module of src/. Run it after a change there; a test compares the two.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}src/codec/parquet/kernel-module.ts`;

/** The text of the module that holds the compiled kernel. */
export async function compileKernel() {
	const options = ['-O3', '--runtime', 'stub', '--noAssert', '--initialMemory', '1', '--outFile', 'kernel.wasm'];
	let wasm;
	const { error, stderr } = await main(['kernel/index.ts', '--baseDir', root, ...options], {
		writeFile: (_name, contents) => {
			wasm = contents;
		},
	});
	if (error) throw new Error(`the kernel does not compile: ${stderr.toString()}`, { cause: error });
	const lines = Buffer.from(wasm)
		.toString('base64')
		.match(/.{1,100}/g);
	return `/** kernel/, compiled by \`npm run build:kernel\`. */
export const KERNEL_BASE64 =
${lines.map((line) => `\t'${line}'`).join(' +\n')};
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, await compileKernel());
