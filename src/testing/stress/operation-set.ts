/** Numbers from 0 up, one bit each. */

const FIRST_BYTES = 1024;

export class OperationSet {
	#bits = new Uint8Array(FIRST_BYTES);
	#size = 0;

	get size(): number {
		return this.#size;
	}

	/** @returns false when it was there already */
	add(operation: number): boolean {
		if (this.has(operation)) return false;
		const at = operation >>> 3;
		if (at >= this.#bits.length) {
			const grown = new Uint8Array(Math.max(at + 1, this.#bits.length * 2));
			grown.set(this.#bits);
			this.#bits = grown;
		}
		this.#bits[at] = (this.#bits[at] as number) | (1 << (operation & 7));
		this.#size++;
		return true;
	}

	has(operation: number): boolean {
		return (((this.#bits[operation >>> 3] ?? 0) >> (operation & 7)) & 1) === 1;
	}

	/** The least that is not less. */
	nextFrom(operation: number): number | undefined {
		for (let at = operation; at < this.#bits.length * 8; at++) {
			if ((at & 7) === 0 && this.#bits[at >>> 3] === 0) at += 7;
			else if (this.has(at)) return at;
		}
		return undefined;
	}

	*[Symbol.iterator](): Generator<number> {
		for (let next = this.nextFrom(0); next !== undefined; next = this.nextFrom(next + 1)) yield next;
	}
}
