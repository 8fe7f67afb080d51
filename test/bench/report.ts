import { availableParallelism, cpus, loadavg } from 'node:os'
import { pinnedVersion } from '../../tools/paths.ts'
import type { Figure } from './figures.ts'
import { call, sizes } from './workload.ts'

/** Everything a run says; what `--json` writes. */
export interface Report {
  readonly machine: Machine
  readonly rounds: number
  readonly millisecondsPerStep: number
  /** Bytes, unless the name says otherwise. */
  readonly sizes: Readonly<Record<string, number>>
  /** What a reader must know beside the figures. */
  readonly notes: readonly string[]
  readonly figures: readonly Figure[]
}

/** Where the numbers come from. */
export interface Machine {
  readonly cores: number
  readonly cpu: string
  /** Of the last minute, before the run: what else is going on. */
  readonly load: number
  readonly platform: string
  readonly node: string
  readonly opa: string
  readonly ghz: string
}

/** What this machine is; versions of tools are those that `npm run tools` pins. */
export function machineNow(): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    load: loadavg()[0] ?? 0,
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    opa: pinnedVersion('opa'),
    ghz: pinnedVersion('ghz'),
  }
}

/** The report as text: a table for each group of rows, the ratios beside them. */
export function formatReport(report: Report): string {
  const { machine, figures, notes } = report
  const groups = [...new Set(figures.map(({ group }) => group))]
  const names = new Map(figures.map(({ id, name }) => [id, name]))
  return [
    `machine   ${machine.cores} cores, ${machine.cpu}, ${machine.platform}, load ${machine.load.toFixed(1)} before the run`,
    `versions  node ${machine.node}, opa ${machine.opa}, ghz ${machine.ghz}`,
    `asked     ${what(report)}`,
    `rounds    ${report.rounds}, every contestant in turn in each; medians of the rounds; a ratio is the median of the rounds' ratios`,
    ...notes.map((note) => `note      ${note}`),
    ...groups.flatMap((group) => [
      '',
      group,
      ...table(
        figures.filter((figure) => figure.group === group),
        names,
      ),
    ]),
    '',
  ].join('\n')
}

function what({ sizes: bytes }: Report): string {
  const catalogue = `${sizes.servers} servers of ${sizes.toolsPerServer} tools, ${sizes.servers} roles`
  const caller = `a caller with ${sizes.roles} roles and ${sizes.grants} grants`
  const parts = Object.entries(bytes).map(([name, size]) => `${name} ${size} B`)
  return `tools/call ${call.visible} for ${caller}; ${catalogue}; ${parts.join(', ')}`
}

const head = ['', '', 'median', 'min - max', 'ratio']

function table(figures: readonly Figure[], names: ReadonlyMap<string, string>): readonly string[] {
  const lines = [head, ...figures.map((figure) => cells(figure, names))]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines.map((line) =>
    `  ${line.map((cell, column) => (column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('  ')}`.trimEnd(),
  )
}

function cells(figure: Figure, names: ReadonlyMap<string, string>): readonly string[] {
  const { name, measure, unit, median, min, max, ratios } = figure
  const compared = Object.entries(ratios).map(([peer, ratio]) => `${ratio.toFixed(2)} x ${names.get(peer) ?? peer}`)
  return [name, measure, `${short(median)} ${unit}`, `${short(min)} - ${short(max)}`, compared.join(', ')]
}

/** Three digits that mean something. */
function short(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3)
}
