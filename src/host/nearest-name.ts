/** Which name was probably meant by one that is not known. */

/** @returns the name that was probably meant: few letters are different, or one is part of the other */
export function nearest(key: string, names: readonly string[]): string | undefined {
  const normal = key.toLowerCase().replaceAll('-', '_');
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(key.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(normal, name);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  const bare = normal.replaceAll('_', '');
  return best ?? (bare.length < 4 ? undefined : names.find(name => name.replaceAll('_', '').includes(bare)));
}

/** Letters that were inserted, left out, replaced, or swapped with their neighbour. */
export function editDistance(a: string, b: string): number {
  let last: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; ++i) {
    const next = [i];
    for (let j = 1; j <= b.length; ++j) {
      const isSame = a[i - 1] === b[j - 1];
      let distance = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        distance = Math.min(distance, last[j - 2]! + 1);
      next.push(distance);
    }
    last = row;
    row = next;
  }
  return row[b.length]!;
}
