/** What is measured of one contestant. */
export interface Row {
  readonly id: string
  /** Rows of one group stand together, under this heading. */
  readonly group: string
  readonly name: string
  readonly measure: string
  readonly unit: 'µs' | 'requests/s'
  /** Rows that this one is a ratio of. */
  readonly peers: readonly string[]
}

/** One thing that is done in every round. */
export interface Step {
  readonly rows: readonly Row[]
  /** Does it for about so many milliseconds. @throws Error when any answer is not the right one */
  run(milliseconds: number): Promise<Measured>
}

export interface Measured {
  /** One number for each of the step's rows, by its id. */
  readonly values: Readonly<Record<string, number>>
  /** How many answers were looked at and found right. */
  readonly checkedAnswers: number
}

/** A row with what came of it. Ratios are of the same round each, and their median: the machine's moods cancel out. */
export interface Figure extends Row {
  readonly median: number
  readonly min: number
  readonly max: number
  /** One for each round. */
  readonly values: readonly number[]
  readonly ratios: Readonly<Record<string, number>>
  readonly checkedAnswers: number
}

/** Does all steps in turn, round after round. */
export async function measure(
  steps: readonly Step[],
  rounds: number,
  milliseconds: number,
  onRound: (round: number) => void,
): Promise<readonly Figure[]> {
  const values = new Map<string, number[]>()
  const checked = new Map<string, number>()
  for (let round = 1; round <= rounds; round += 1) {
    onRound(round)
    for (const step of steps) {
      const measured = await step.run(milliseconds)
      for (const { id } of step.rows) {
        values.set(id, [...(values.get(id) ?? []), numberOf(measured, id)])
        checked.set(id, (checked.get(id) ?? 0) + measured.checkedAnswers)
      }
    }
  }
  return steps.flatMap(({ rows }) => rows.map((row) => figureOf(row, values, checked.get(row.id) ?? 0)))
}

/** The middle value; the mean of the two in the middle where their number is even. */
export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** @param percent 0 to 100; between two values the line between them counts */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (percent / 100) * (sorted.length - 1)
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

function numberOf({ values }: Measured, id: string): number {
  const value = values[id]
  if (value !== undefined && Number.isFinite(value) && value > 0) return value
  throw new Error(`nothing was measured for \`${id}\``)
}

function figureOf(row: Row, all: ReadonlyMap<string, readonly number[]>, checkedAnswers: number): Figure {
  const values = all.get(row.id) ?? []
  const ratios = row.peers
    .filter((peer) => all.has(peer))
    .map((peer) => [peer, median(values.map((value, round) => value / (all.get(peer)?.[round] ?? Number.NaN)))])
  return {
    ...row,
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    values,
    ratios: Object.fromEntries(ratios),
    checkedAnswers,
  }
}
