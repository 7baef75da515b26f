/** Hands out field ids: 1, 2, … */
export class FieldIds {
	#last = 0;

	next(): number {
		return ++this.#last;
	}
}
