import { describe } from 'vitest'
import { type Opened, open, stateFile, until } from '../state/states.ts'
import { type RedisServer, redisProgram } from './redis-server.ts'

/** What stands before each key in the tests. */
export const prefix = 'test:'

/** `describe` where Redis is installed. */
export const withRedis = describe.runIf(redisProgram !== undefined)

/** For tests that start processes. */
export const patient = { timeout: 60_000 }

/** A replica: a host's own file, and the Redis it shares with others. */
export async function replica({ url }: Pick<RedisServer, 'url'>, file?: string): Promise<Opened> {
  return await open({ file: file ?? (await stateFile()), redis: { url, prefix } })
}

/** Waits until all of them were told an entry. */
export async function told(id: string, ...states: readonly Opened[]): Promise<void> {
  await until(() => states.every((state) => state.told.includes(id)), `everybody is told ${id}`)
}

/** Waits until all of them have caught up. */
export async function certain(...states: readonly Opened[]): Promise<void> {
  await until(() => states.every(({ ledger }) => ledger.uncertainForMs() === 0), 'everybody is certain')
}

/** Waits until none of them can know. */
export async function uncertain(...states: readonly Opened[]): Promise<void> {
  await until(() => states.every(({ ledger }) => ledger.uncertainForMs() > 0), 'everybody is uncertain')
}
