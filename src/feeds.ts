import type { Assembly } from './assembly.ts'
import { followKeycloakEvents } from './revocation/feeds/keycloak-events.ts'

/** What issuers tell of those they turn away, beside what they post. */
export interface Feeds {
  /** Resolves once what happened before was read, or could not be. */
  readonly first: Promise<void>
  /** By issuer, since everything that happened there was last read; Infinity: never yet. */
  agesSeconds(): Readonly<Record<string, number>>
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>
}

/** Follows the events of every issuer that is configured so. */
export function followIssuers({ config, kept }: Assembly, onFault: (text: string) => void): Feeds {
  const allowHttp = config.insecure.httpIssuers
  const feeds = config.issuers
    .filter(({ keycloakEvents }) => keycloakEvents !== undefined)
    .map((issuer) => followKeycloakEvents({ issuer, revoker: kept.revoker, onFault, allowHttp }))
  return {
    first: Promise.all(feeds.map((feed) => feed.first)).then(() => undefined),
    agesSeconds() {
      const ages = feeds.map((feed) => feed.health()).map(({ issuer, ageMs }) => [issuer, ageMs / 1000] as const)
      return Object.fromEntries(ages)
    },
    async close() {
      await Promise.all(feeds.map((feed) => feed.close()))
    },
  }
}
