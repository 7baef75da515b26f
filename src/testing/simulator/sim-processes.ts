/** Which simulated processes run. */
import { type ProcessIdentity, type Processes, sameProcess } from '../../util/process-identity.ts';
import type { SimProcess } from './sim-process.ts';

const HOST = '51a7ed00';

/** All processes of a simulated machine, of which the newest tell what has become of the others. */
export class SimProcessTable {
	readonly #identities: { readonly identity: ProcessIdentity; readonly process: SimProcess }[] = [];

	/** The port of one process. */
	add(process: SimProcess): Processes {
		const self: ProcessIdentity = {
			host: HOST,
			pid: process.pid,
			startedAt: process.startedMs.toString(36).split('.')[0] as string,
		};
		this.#identities.push({ identity: self, process });
		return {
			self,
			isGone: (identity) => {
				if (identity.host !== HOST) return undefined;
				const known = this.#identities.find((each) => sameProcess(each.identity, identity));
				return known === undefined || known.process.isDead;
			},
			isRunning: (identity) => {
				if (identity.host !== HOST) return undefined;
				const known = this.#identities.find((each) => sameProcess(each.identity, identity));
				return known !== undefined && !known.process.isDead && known.process.stoppedUntilMs <= process.scheduler.nowMs;
			},
		};
	}
}
