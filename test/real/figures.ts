/** A row of a printed table: what was measured, and every measured value in milliseconds. */
export type Measured = readonly [name: string, ms: readonly number[]]

/** Prints how the values of each row are spread. */
export function printFigures(title: string, rows: readonly Measured[]): void {
  const head = ['', 'n', 'p50 ms', 'p99 ms', 'max ms']
  const lines = rows.map(([name, ms]) => [
    name,
    String(ms.length),
    ...[quantileOf(ms, 0.5), quantileOf(ms, 0.99), Math.max(...ms)].map((value) => value.toFixed(1)),
  ])
  const all = [head, ...lines]
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)))
  const text = all.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  process.stdout.write(`${title}\n${text.join('\n')}\n`)
}

/** The smallest value that this part of them does not exceed. */
export function quantileOf(values: readonly number[], part: number): number {
  return values.toSorted((one, other) => one - other)[Math.ceil(part * values.length) - 1] ?? Number.NaN
}
