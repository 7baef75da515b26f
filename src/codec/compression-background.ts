/**
 * Zstandard compression beside the main thread, for writers of much data where Node.js has no Zstandard of its own: the
 * WebAssembly module takes longer to compress pages than it takes to encode them. The bytes are the same wherever they
 * are compressed.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { nodeModule, nodeOs } from '../util/lazy-builtin.ts';
import { hasNativeZstd, loadZstdCompressor, zstdCompress } from './compression-zstd.ts';

/** Bytes that wait for one worker at most; beyond that the caller does better to compress by itself. */
export const BACKGROUND_QUEUE_BYTES = 2 * 1024 * 1024;
/** The same for a caller that has nothing else to do but compress and wait. */
export const BACKGROUND_LAST_BYTES = 256 * 1024;

/** More workers would outrun the one thread that feeds them. */
const MAX_WORKERS = 2;

export interface BackgroundCompressor {
	/**
	 * Compresses `bytes`, which are copied before the call returns; `undefined` when more than `queueBytes` (at most and by
	 * default {@link BACKGROUND_QUEUE_BYTES}) would wait. Never rejects: what a worker fails to do is done on this thread.
	 */
	offer(bytes: Uint8Array, level: number, queueBytes?: number): Promise<Uint8Array> | undefined;
	/** Takes in what the workers have done, without waiting for the event loop. */
	poll(): void;
}

let opening: Promise<BackgroundCompressor | undefined> | undefined;

/**
 * The process's compressor; `undefined` where there is none: with Zstandard in Node.js itself, on one processor, or where
 * no thread can be started.
 */
export function openBackgroundCompressor(): Promise<BackgroundCompressor | undefined> {
	opening ??= open().catch(() => undefined);
	return opening;
}

async function open(): Promise<BackgroundCompressor | undefined> {
	const workerCount = Math.min(MAX_WORKERS, nodeOs().availableParallelism() - 1);
	if (hasNativeZstd() || workerCount < 1) return undefined;
	return startWorkers(
		nodeModule()
			.createRequire(import.meta.url)
			.resolve('@bokuweb/zstd-wasm'),
		workerCount,
	);
}

/** Starts workers that compress by the module at the path `library`. */
export async function startWorkers(library: string, workerCount: number): Promise<BackgroundCompressor> {
	const threads = await import('node:worker_threads');
	const lanes = Array.from({ length: workerCount }, () => {
		const { port1, port2 } = new threads.MessageChannel();
		const ring = new SharedRing(RING_BYTES);
		const options = { eval: true, workerData: { library, port: port2, ring: ring.bytes }, transferList: [port2] };
		return new Lane(new threads.Worker(WORKER_SCRIPT, options), port1, threads.receiveMessageOnPort, ring);
	});
	// they start meanwhile
	await loadZstdCompressor();
	return new WorkerCompressor(lanes);
}

const WORKER_SCRIPT = `
const { port, library, ring } = require('node:worker_threads').workerData;
const zstd = require(library);
const ready = zstd.init();
port.on('message', async ({ id, start, end, level }) => {
	await ready;
	const compressed = zstd.compress(ring.subarray(start, end), level);
	port.postMessage({ id, compressed }, [compressed.buffer]);
});
`;

interface Job {
	/** of the ring */
	readonly bytes: Uint8Array;
	readonly level: number;
	readonly resolve: (compressed: Uint8Array) => void;
}
interface Result {
	readonly id: number;
	readonly compressed: Uint8Array;
}

/** One worker and what it has to do. It keeps the process alive only while it has something to do. */
class Lane {
	queuedBytes = 0;
	failed = false;
	readonly #worker: Worker;
	readonly #port: MessagePort;
	readonly #receive: (port: MessagePort) => { message: unknown } | undefined;
	readonly #ring: SharedRing;
	readonly #jobs = new Map<number, Job>();
	#nextId = 0;

	constructor(
		worker: Worker,
		port: MessagePort,
		receive: (port: MessagePort) => { message: unknown } | undefined,
		ring: SharedRing,
	) {
		this.#ring = ring;
		this.#worker = worker;
		this.#port = port;
		this.#receive = receive;
		port.on('message', (message) => this.#finish(message as Result));
		worker.on('error', () => this.#fail());
		worker.on('exit', () => this.#fail());
		worker.unref();
		port.unref();
	}

	/** `undefined` where there is no room for a copy. */
	run(bytes: Uint8Array, level: number): Promise<Uint8Array> | undefined {
		const taken = this.#ring.put(bytes);
		if (taken === undefined) return undefined;
		if (this.#jobs.size === 0) {
			this.#worker.ref();
			this.#port.ref();
		}
		const id = this.#nextId++;
		this.queuedBytes += bytes.length;
		return new Promise((resolve) => {
			this.#jobs.set(id, { bytes: taken, level, resolve });
			const start = taken.byteOffset;
			this.#port.postMessage({ id, start, end: start + taken.length, level });
		});
	}

	poll(): void {
		for (let next = this.#receive(this.#port); next !== undefined; next = this.#receive(this.#port)) {
			this.#finish(next.message as Result);
		}
	}

	#finish({ id, compressed }: Result): void {
		const job = this.#jobs.get(id);
		if (job === undefined) return;
		this.#jobs.delete(id);
		this.#ring.release(job.bytes);
		this.queuedBytes -= job.bytes.length;
		job.resolve(compressed);
		if (this.#jobs.size === 0) {
			this.#worker.unref();
			this.#port.unref();
		}
	}

	#fail(): void {
		this.failed = true;
		for (const [id, job] of this.#jobs) this.#finish({ id, compressed: zstdCompress(job.bytes, job.level) });
	}
}

/** Twice the queue: where a stretch does not fit before the end, it starts anew, and what is left over is lost for a round. */
const RING_BYTES = 2 * BACKGROUND_QUEUE_BYTES;

/** Memory that a worker shares, handed out in stretches that are given back in the same order. */
class SharedRing {
	readonly bytes: Uint8Array;
	/** where the oldest stretch in use starts, and where the newest ends */
	#start = 0;
	#end = 0;
	#inUse = 0;

	constructor(capacity: number) {
		this.bytes = new Uint8Array(new SharedArrayBuffer(capacity));
	}

	/** A copy of `source`; `undefined` where there is no room. */
	put(source: Uint8Array): Uint8Array | undefined {
		const at = this.#place(source.length);
		if (at === undefined) return undefined;
		if (this.#inUse === 0) this.#start = at;
		this.#end = at + source.length;
		this.#inUse++;
		const taken = this.bytes.subarray(at, this.#end);
		taken.set(source);
		return taken;
	}

	release(taken: Uint8Array): void {
		this.#inUse--;
		this.#start = taken.byteOffset + taken.length;
	}

	#place(length: number): number | undefined {
		const { length: capacity } = this.bytes;
		if (this.#inUse === 0) return length <= capacity ? 0 : undefined;
		const isWrapped = this.#end <= this.#start;
		if (isWrapped) return this.#end + length <= this.#start ? this.#end : undefined;
		if (this.#end + length <= capacity) return this.#end;
		return length <= this.#start ? 0 : undefined;
	}
}

class WorkerCompressor implements BackgroundCompressor {
	readonly #lanes: readonly Lane[];

	constructor(lanes: readonly Lane[]) {
		this.#lanes = lanes;
	}

	offer(bytes: Uint8Array, level: number, queueBytes = BACKGROUND_QUEUE_BYTES): Promise<Uint8Array> | undefined {
		let lane = this.#laneFor(bytes.length, queueBytes);
		if (lane === undefined) {
			this.poll();
			lane = this.#laneFor(bytes.length, queueBytes);
		}
		return lane?.run(bytes, level);
	}

	#laneFor(length: number, queueBytes: number): Lane | undefined {
		let best: Lane | undefined;
		for (const lane of this.#lanes) {
			if (!lane.failed && (best === undefined || lane.queuedBytes < best.queuedBytes)) best = lane;
		}
		return best !== undefined && best.queuedBytes + length <= queueBytes ? best : undefined;
	}

	poll(): void {
		for (const lane of this.#lanes) lane.poll();
	}
}
