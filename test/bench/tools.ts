/** What can be measured for itself: the gRPC door, the decision alone, the in-process guard. */
export const parts = ['check', 'decision', 'guard', 'broker'] as const
export type Part = (typeof parts)[number]

/** Where the programs are that are used; undefined where they are missing or out of date. */
export interface Tools {
  readonly opa: string | undefined
  readonly ghz: string | undefined
}

const needs = {
  check: { tool: 'ghz', for: 'the load on Check over gRPC' },
  decision: { tool: 'opa', for: "OPA's own evaluation, the peer of the decision" },
  guard: undefined,
  broker: undefined,
} as const satisfies Record<Part, { readonly tool: keyof Tools; readonly for: string } | undefined>

/** Says which tools are missing for these parts, and what to do; undefined when none is. */
export function missingTools(wanted: readonly Part[], tools: Tools): string | undefined {
  const isThere = (need: (typeof needs)[Part]): boolean => need === undefined || tools[need.tool] !== undefined
  const missing = wanted.map((part) => needs[part]).filter((need) => need !== undefined && !isThere(need))
  if (missing.length === 0) return undefined
  const each = missing
    .flatMap((need) => need ?? [])
    .map(({ tool, for: purpose }) => `${tool} is missing or out of date: it makes ${purpose}`)
  const rest = parts.filter((part) => isThere(needs[part]))
  const without = rest.length === 0 ? '' : `, or measure the rest with \`npm run bench -- --only ${rest[0]}\``
  return [...each, `run \`npm run tools\` first${without}`].join('\n')
}
