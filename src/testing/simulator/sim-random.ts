/** Chance from a seed. */
import type { Random } from '../../util/ports.ts';

/** Numbers that look random and are the same for the same seed. Not for anything secret. */
export class SimRandom implements Random {
	#a: number;
	#b: number;
	#c: number;
	#counter = 1;

	/** @param seed any text or number */
	constructor(seed: string | number) {
		const text = String(seed);
		this.#a = hash(text, 0x9e3779b9);
		this.#b = hash(text, 0x85ebca6b);
		this.#c = hash(text, 0xc2b2ae35);
		for (let i = 0; i < 12; i++) this.#next();
	}

	/** Another stream of chance, which draws from this one do not disturb. */
	fork(name: string): SimRandom {
		return new SimRandom(`${this.#next()} ${name}`);
	}

	bytes(length: number): Uint8Array {
		const bytes = new Uint8Array(length);
		for (let i = 0; i < length; i += 4) {
			const word = this.#next();
			for (let k = 0; k < 4 && i + k < length; k++) bytes[i + k] = word >>> (8 * k);
		}
		return bytes;
	}

	float(): number {
		return this.#next() / 2 ** 32;
	}

	/** True with the given probability. */
	chance(probability: number): boolean {
		return probability > 0 && this.float() < probability;
	}

	/** A whole number from `from` to `to`, both included. */
	between(from: number, to: number): number {
		return from + Math.floor(this.float() * (to - from + 1));
	}

	pick<T>(items: readonly T[]): T {
		const item = items[Math.floor(this.float() * items.length)];
		if (item === undefined) throw new Error('nothing to pick from');
		return item;
	}

	/** A wait that is mostly short, of the given mean, and now and then ten times as long. */
	waitMs(meanMs: number): number {
		const u = Math.max(this.float(), 1e-9);
		const wait = -Math.log(u) * meanMs;
		return this.chance(0.02) ? wait * 10 : wait;
	}

	shuffle<T>(items: readonly T[]): T[] {
		const result = [...items];
		for (let i = result.length - 1; i > 0; i--) {
			const k = this.between(0, i);
			[result[i], result[k]] = [result[k] as T, result[i] as T];
		}
		return result;
	}

	/** sfc32 */
	#next(): number {
		const sum = (this.#a + this.#b + this.#counter++) >>> 0;
		this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
		this.#b = (this.#c + (this.#c << 3)) >>> 0;
		this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
		return sum;
	}
}

/** FNV-1a over UTF-16 units, from a start of its own. */
function hash(text: string, start: number): number {
	let value = start;
	for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
	return value >>> 0;
}
