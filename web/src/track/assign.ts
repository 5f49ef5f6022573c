// The assignment problem (Hungarian method by shortest augmenting paths, Jonker and Volgenant 1987).

/**
 * Pairs rows with columns at the least total cost, leaving out pairs that cost more than limit.
 * cost[i][j] is a row's cost with a column. Gives the column of each row, or -1.
 */
export function assign(cost: number[][], columns: number, limit: number): number[] {
  const rows = cost.length;
  if (rows === 0 || columns === 0) return new Array(rows).fill(-1);
  // A square of size rows+columns, where every row may take a dummy at half the limit and every
  // column likewise, makes leaving a pair out exactly as dear as the limit.
  const n = rows + columns;
  const at = (i: number, j: number): number => {
    if (i < rows && j < columns) {
      const c = cost[i]?.[j] ?? Number.POSITIVE_INFINITY;
      return c <= limit ? c : 1e6;
    }
    return i >= rows && j >= columns ? 0 : limit / 2;
  };
  const columnOf = solve(n, at);
  return columnOf
    .slice(0, rows)
    .map((j, i) => (j < columns && (cost[i]?.[j] ?? Number.POSITIVE_INFINITY) <= limit ? j : -1));
}

/** Solves a square problem: the column of each row. */
function solve(n: number, at: (i: number, j: number) => number): number[] {
  const u = new Float64Array(n + 1);
  const v = new Float64Array(n + 1);
  const rowOf = new Int32Array(n + 1); // 1-based; column 0 holds the row being placed
  const way = new Int32Array(n + 1);
  for (let i = 1; i <= n; i++) {
    rowOf[0] = i;
    let column = 0;
    const least = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
    const used = new Uint8Array(n + 1);
    do {
      used[column] = 1;
      const row = rowOf[column] as number;
      let delta = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let j = 1; j <= n; j++) {
        if (used[j]) continue;
        const reduced = at(row - 1, j - 1) - (u[row] as number) - (v[j] as number);
        if (reduced < (least[j] as number)) {
          least[j] = reduced;
          way[j] = column;
        }
        if ((least[j] as number) < delta) {
          delta = least[j] as number;
          next = j;
        }
      }
      for (let j = 0; j <= n; j++) {
        if (used[j]) {
          u[rowOf[j] as number] = (u[rowOf[j] as number] as number) + delta;
          v[j] = (v[j] as number) - delta;
        } else least[j] = (least[j] as number) - delta;
      }
      column = next;
    } while (rowOf[column] !== 0);
    while (column) {
      const before = way[column] as number;
      rowOf[column] = rowOf[before] as number;
      column = before;
    }
  }
  const columnOf = new Array<number>(n).fill(-1);
  for (let j = 1; j <= n; j++) columnOf[(rowOf[j] as number) - 1] = j - 1;
  return columnOf;
}
