// Published tests whose outcomes are not those of herd7, or that are refused, by what they need; docs/memory-model.md says why.

const byReason: Readonly<Record<string, readonly string[]>> = {
  'guarded control stacks (FEAT_GCS)': ['G001', 'G004', 'G010'].map(
    (name) => `user/herd/instructions/AArch64.gcs/${name}.litmus`,
  ),
};

export const unsupported: ReadonlySet<string> = new Set(Object.values(byReason).flat());
