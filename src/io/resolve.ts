/** Which storage serves a location. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from './file-io.ts';
import { LocalFileIO, type LocalFileIOOptions } from './local-file-io.ts';
import { schemeOf } from './location.ts';

/**
 * Storage for an absolute location, by its scheme: the file system for plain paths and `file:`.
 * @param options for local storage
 * @throws `UNSUPPORTED` for a scheme that this version has no storage for
 */
export function openFileIO(location: string, options?: LocalFileIOOptions): FileIO {
	const scheme = schemeOf(location);
	if (scheme === '' || scheme === 'file') return new LocalFileIO(options);
	if (scheme === 'memory')
		throw new IcebergError('INVALID_ARGUMENT', `${location}: pass the MemoryFileIO that holds it`, {
			context: { location },
		});
	throw new IcebergError(
		'UNSUPPORTED',
		`${location}: there is no storage for '${scheme}:' locations; plain paths and file: are served, or pass a FileIO`,
		{ context: { location, scheme } },
	);
}
