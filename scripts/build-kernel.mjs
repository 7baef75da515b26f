// Compiles kernel/ to a module of src/. Run it after a change there; a test compares the two.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}src/codec/parquet/text-kernel-module.ts`;

/** The text of the module that holds the compiled kernel. */
export async function compileKernel() {
	const options = ['-O3', '--runtime', 'stub', '--noAssert', '--initialMemory', '1', '--outFile', 'text-kernel.wasm'];
	let wasm;
	const { error, stderr } = await main(['kernel/text-kernel.ts', '--baseDir', root, ...options], {
		writeFile: (_name, contents) => {
			wasm = contents;
		},
	});
	if (error) throw new Error(`the kernel does not compile: ${stderr.toString()}`, { cause: error });
	const lines = Buffer.from(wasm)
		.toString('base64')
		.match(/.{1,100}/g);
	return `/** kernel/text-kernel.ts, compiled by \`npm run build:kernel\`. */
export const TEXT_KERNEL_BASE64 =
${lines.map((line) => `\t'${line}'`).join(' +\n')};
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, await compileKernel());
