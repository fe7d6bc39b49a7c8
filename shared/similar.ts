// The name that was probably meant: at most two letters wrong, missing, too many or swapped, and not most of the word.

const OFF_MAX = 2;

export function similar(typed: string, names: readonly string[]): readonly string[] {
  const far = Math.min(OFF_MAX, Math.floor(typed.length / 2));
  const near = names.map((name) => ({ name, off: distance(typed, name) })).filter((n) => n.off <= far);
  const least = Math.min(...near.map((n) => n.off));
  return near.filter((n) => n.off === least).map((n) => n.name);
}

/** Damerau and Levenshtein's, of neighbours only. Names have at most 64 letters. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let off = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        off = Math.min(off, rows[i - 2]![j - 2]! + 1);
      row.push(off);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
