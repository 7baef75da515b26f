import { defineConfig } from 'vitest/config';

const shared = { pool: 'forks' as const, testTimeout: 60_000, hookTimeout: 120_000 };

export default defineConfig({
	test: {
		projects: [
			{
				test: {
					...shared,
					name: 'unit',
					include: ['test/**/*.test.ts'],
					exclude: ['test/interop/**', 'test/storm/**'],
				},
			},
			{ test: { ...shared, name: 'storm', include: ['test/storm/**/*.test.ts'], fileParallelism: false } },
			{
				test: {
					...shared,
					name: 'interop',
					include: ['test/interop/**/*.test.ts'],
					testTimeout: 600_000,
					hookTimeout: 600_000,
					fileParallelism: false,
				},
			},
		],
	},
});
