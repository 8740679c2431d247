// What the SMMU has done for the VMs of a system: the counters of the board, and beside each stream whose it is and what the hypervisor
// has heard of its faults.

import type { SystemState } from '../hypervisor/state.ts';
import type { SmmuActivity, StreamActivity } from '../board/smmu-activity.ts';

export interface VmStreamReport extends StreamActivity {
  /** The VM that has the stream; nobody's is left out. */
  readonly vm?: string;
  /** Event records that the hypervisor has read about it: all of its faults, unless there are so many that it is silenced. */
  readonly recordedFaults: number;
  readonly isSilenced: boolean;
}

export interface VmSmmuReport extends Omit<SmmuActivity, 'streams'> {
  /** Times that the Event queue was full, and global errors, as the hypervisor was told. */
  readonly overflows: number;
  readonly globalErrors: number;
  readonly streams: readonly VmStreamReport[];
}

export function reportSmmu({ smmu, vms }: SystemState, board: SmmuActivity): VmSmmuReport {
  return {
    ...board,
    overflows: smmu.overflows,
    globalErrors: smmu.globalErrors,
    streams: board.streams.map((stream): VmStreamReport => {
      const record = smmu.streams.find(({ isKnown, streamId }) => isKnown !== 0 && streamId === stream.streamId);
      const vm = record && record.owner > 0 ? vms[record.owner - 1] : undefined;
      return {
        ...stream,
        ...(vm && { vm: vm.name }),
        recordedFaults: record?.faults ?? 0,
        isSilenced: record?.isMuted === 1,
      };
    }),
  };
}
