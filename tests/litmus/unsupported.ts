// Published tests whose outcomes are not those of herd7, or that are refused, by what they need; docs/memory-model.md says why.

const byReason: Readonly<Record<string, readonly string[]>> = {
  'memory tags (FEAT_MTE)': ['aarch64-ETS3/ETS3.MP+dmb.sttp', 'aarch64-faults/LDRredF'].map(
    (name) => `system/herd/${name}.litmus`,
  ),
  'address translation instructions (AT) and PAR_EL1': ['system/herd/instructions/AArch64.kvm/A025.litmus'],
  // herd7 without its variant mixed takes the upper half of a word for a location of its own.
  'accesses of mixed sizes with translation': ['system/herd/aarch64-oban/aarch-24876/coRR+posw0h2+BBM.litmus'],
};

export const unsupported: ReadonlySet<string> = new Set(Object.values(byReason).flat());
