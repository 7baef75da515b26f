// Removes what `npm run build` made, so that a file that was deleted from src/ does not live on in the package.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
