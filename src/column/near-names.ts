/** Most names that are suggested. */
const SUGGESTED_NAMES_LIMIT = 3;
/** Longest name that is compared letter by letter. */
const COMPARED_LENGTH_LIMIT = 100;

/** `; did you mean 'a' or 'b'?`, or a list of the known names when none is near. Bounded in length. */
export function nearNames(name: string, known: Iterable<string>): string {
	const all = [...known];
	const limit = Math.max(2, Math.floor(name.length / 3));
	const near = all
		.map((candidate) => ({ candidate, distance: distanceOf(name.toLowerCase(), candidate.toLowerCase()) }))
		.filter(({ candidate, distance }) => distance <= limit && distance < Math.max(candidate.length, name.length) - 1)
		.sort((a, b) => a.distance - b.distance)
		.slice(0, SUGGESTED_NAMES_LIMIT)
		.map(({ candidate }) => `'${candidate}'`);
	if (near.length > 0) return `; did you mean ${near.join(' or ')}?`;
	const shown = all.slice(0, 10).map((candidate) => `'${candidate}'`);
	return `; the known ones are ${shown.join(', ')}${all.length > shown.length ? `, … (${all.length} in all)` : ''}`;
}

function distanceOf(a: string, b: string): number {
	if (a.length > COMPARED_LENGTH_LIMIT || b.length > COMPARED_LENGTH_LIMIT) return Number.POSITIVE_INFINITY;
	let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
	for (let i = 1; i <= a.length; i++) {
		const row = [i];
		for (let j = 1; j <= b.length; j++) {
			const substituted = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
			row.push(Math.min((previous[j] as number) + 1, (row[j - 1] as number) + 1, substituted));
		}
		previous = row;
	}
	return previous[b.length] as number;
}
