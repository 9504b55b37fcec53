/**
 * The one-to-one assignment of rows to columns of least total cost (the
 * Hungarian method by shortest augmenting paths, cubic in `count`).
 *
 * @param count How many rows, and columns.
 * @param cost What it costs to give a row a column.
 * @returns The column of every row.
 */
export function assign(
  count: number,
  cost: (row: number, column: number) => number,
): Int32Array {
  // Index 0 of rows and columns is a sentinel; the others count from 1.
  const rowPotential = new Float64Array(count + 1);
  const columnPotential = new Float64Array(count + 1);
  const rowOf = new Int32Array(count + 1);
  const previous = new Int32Array(count + 1);
  for (let row = 1; row <= count; row++) {
    rowOf[0] = row;
    const slack = new Float64Array(count + 1).fill(Infinity);
    const visited = new Uint8Array(count + 1);
    let column = 0;
    do {
      visited[column] = 1;
      const current = rowOf[column];
      let least = Infinity;
      let next = 0;
      for (let j = 1; j <= count; j++) {
        if (visited[j]) continue;
        const reduced = cost(current - 1, j - 1) - rowPotential[current] -
          columnPotential[j];
        if (reduced < slack[j]) {
          slack[j] = reduced;
          previous[j] = column;
        }
        if (slack[j] < least) {
          least = slack[j];
          next = j;
        }
      }
      for (let j = 0; j <= count; j++) {
        if (visited[j]) {
          rowPotential[rowOf[j]] += least;
          columnPotential[j] -= least;
        } else slack[j] -= least;
      }
      column = next;
    } while (rowOf[column] !== 0);
    while (column !== 0) {
      rowOf[column] = rowOf[previous[column]];
      column = previous[column];
    }
  }
  const columnOf = new Int32Array(count);
  for (let j = 1; j <= count; j++) columnOf[rowOf[j] - 1] = j - 1;
  return columnOf;
}
