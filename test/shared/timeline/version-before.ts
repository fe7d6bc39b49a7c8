// How version 0.1.0, the one before milestones had keys, reads a record: by the stored sentences. Frozen, so that what
// this version writes is read there as before after a roll-back (docs/decisions/0028).
interface RecordBefore {
  readonly stages: readonly { readonly stage: string; readonly atMs: number }[];
  readonly atMs: number;
}

export function readByVersionBefore({ stages, atMs }: RecordBefore) {
  const began = stages.find((s) => / began$/.test(s.stage))?.atMs ?? stages[0]?.atMs ?? atMs;
  const moved = stages.findLast((s) => s.stage === 'last mutation accepted')?.atMs;
  const said = stages.find((s) => s.stage.startsWith('node said so'))?.atMs;
  return {
    began,
    took: moved === undefined ? undefined : moved - began,
    newsAge: said === undefined ? undefined : began - said,
    felt: moved === undefined || said === undefined ? undefined : moved - said,
    due: stages.find((s) => s.stage.startsWith('last mutation due'))?.atMs,
    readBack: stages.find((s) => s.stage === 'read back')?.atMs,
    labels: stages.map((s) => s.stage),
  };
}
