/** What a leader has to say of journals that it cannot fold. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FollowedJournal } from './followed-journal.ts';

export function damageError(location: string, { id, damage }: FollowedJournal): IcebergError {
	return new IcebergError(
		'CORRUPT',
		`the journal ${id} of ${location} is damaged at byte ${damage?.offset}: ${damage?.reason}. What was before it is appended; ` +
			'the rest is kept aside in the file',
		{ context: { location, journal: id, offset: damage?.offset } },
	);
}

export function missing(journal: string): IcebergError {
	return new IcebergError('NOT_FOUND', `there is no journal ${journal}`, { context: { journal } });
}

export function positionsLost(location: string): IcebergError {
	return new IcebergError(
		'CORRUPT',
		`the property 'datashard.journals' of ${location} is gone, though rows of journals were appended: which of them the ` +
			'table has cannot be told. Restore the value that the last metadata file with it has',
		{ context: { location } },
	);
}
