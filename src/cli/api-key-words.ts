import type { ApiKeyScope, TimeWindow } from '../api-keys/api-key.gen.ts'
import type { Usage } from '../api-keys/usage.ts'

/** What a scope leaves, in one line; `none` for no limit. */
export function limitsInWords(scope: ApiKeyScope | undefined): string {
  if (scope === undefined) return 'none'
  const { virtualServers, capabilities, addresses, times, usage } = scope
  const parts = [
    virtualServers && `virtual servers: ${listed(virtualServers)}`,
    capabilities && listed(Object.entries(capabilities).map(([server, patterns]) => `${server}: ${listed(patterns)}`)),
    addresses && `from ${listed(addresses)}`,
    times && `at ${listed(times.map(windowInWords))}`,
    usage && listed(usageLimits(usage)),
  ]
  return parts.filter((part) => part !== undefined).join('; ')
}

/** How often a key was used; `?` where that cannot be had. */
export function usageInWords(usage: Usage | undefined): string {
  if (usage === undefined) return '?'
  const { hour, day, total, lastUsed } = usage
  return `${total} (${hour} this hour, ${day} today)${lastUsed === undefined ? '' : `, last ${timeInWords(lastUsed)}`}`
}

/** Seconds since the epoch as people read them. */
export function timeInWords(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
}

function windowInWords({ zone, days, from, to }: TimeWindow): string {
  return `${days.length === 0 ? 'no day' : days.join(' ')} ${from}-${to} ${zone}`
}

function usageLimits({ perHour, perDay, total }: NonNullable<ApiKeyScope['usage']>): readonly string[] {
  const limits = [perHour, perDay, total] as const
  return ['an hour', 'a day', 'in all'].flatMap((each, index) =>
    limits[index] === undefined ? [] : [`${limits[index]} ${each}`],
  )
}

function listed(words: readonly string[]): string {
  return words.length === 0 ? 'nothing' : words.join(', ')
}
