import { holds, readNetwork } from './addresses.ts'
import type { ApiKeyScope } from './api-key.gen.ts'
import { type IsOpen, isZone, windowOf } from './times.ts'

/** What is wrong within a scope that its schema accepts. */
export interface ScopeFinding {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly mend: string
}

/** The parts of a scope that are checked at each request, ready to be asked. */
export interface Gate {
  /** Never for an address that is not known, where the scope names any. */
  admitsAddress(address: string | undefined): boolean
  /** @param ms - milliseconds since the epoch */
  admitsTime(ms: number): boolean
}

/** Checks what a schema cannot: networks and zones. */
export function scopeFindings({ addresses = [], times = [] }: ApiKeyScope): readonly ScopeFinding[] {
  return [
    ...addresses.flatMap((text, index) => {
      const reading = readNetwork(text)
      return reading.ok ? [] : [{ path: ['addresses', index], message: reading.message, mend: reading.mend }]
    }),
    ...times.flatMap(({ zone }, index) =>
      isZone(zone)
        ? []
        : [
            {
              path: ['times', index, 'zone'],
              message: 'expected a time zone of the IANA database',
              mend: 'write it like Europe/Berlin, or UTC',
            },
          ],
    ),
  ]
}

/** Opens a scope that has no findings. @throws {TypeError} for one that has */
export function gateOf(scope: ApiKeyScope = {}): Gate {
  const [finding] = scopeFindings(scope)
  if (finding !== undefined) throw new TypeError(`${finding.path.join('.')}: ${finding.message}`)
  const networks = scope.addresses?.map(readNetwork).flatMap((reading) => (reading.ok ? [reading.network] : []))
  const windows: readonly IsOpen[] | undefined = scope.times?.map(windowOf)
  return {
    admitsAddress: (address) => networks === undefined || (address !== undefined && holds(networks, address)),
    admitsTime: (ms) => windows === undefined || windows.some((isOpen) => isOpen(ms)),
  }
}
