// Compiles kernel/ to modules of src/. Run it after a change there; tests compare the two.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const kernels = {
	columns: { entry: 'kernel/index.ts', target: 'src/codec/parquet/kernel-module.ts', name: 'KERNEL_BASE64', pages: 1 },
	inflate: {
		entry: 'kernel/inflate.ts',
		target: 'src/codec/inflate-kernel-module.ts',
		name: 'INFLATE_KERNEL_BASE64',
		pages: 2,
	},
};

/** The text of the module that holds the compiled kernel. */
export async function compileKernel(kernel = 'columns') {
	const { entry, name, pages } = kernels[kernel];
	const options = ['-O3', '--runtime', 'stub', '--noAssert', '--initialMemory', `${pages}`, '--outFile', 'kernel.wasm'];
	let wasm;
	const { error, stderr } = await main([entry, '--baseDir', root, ...options], {
		writeFile: (_name, contents) => {
			wasm = contents;
		},
	});
	if (error) throw new Error(`the kernel does not compile: ${stderr.toString()}`, { cause: error });
	const lines = Buffer.from(wasm)
		.toString('base64')
		.match(/.{1,100}/g);
	const source = entry.replace(/index\.ts$/, '');
	return `/** ${source}, compiled by \`npm run build:kernel\`. */
export const ${name} =
${lines.map((line) => `\t'${line}'`).join(' +\n')};
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
	for (const [kernel, { target }] of Object.entries(kernels))
		writeFileSync(`${root}${target}`, await compileKernel(kernel));
