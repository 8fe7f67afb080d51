import type { RedisConnections } from './redis-client.ts'
import { within } from './within.ts'

// Nobody is kept waiting by a Redis that hangs.
const answerWithinMs = 300

/** Makes what waits for an answer on the way of a request. It throws {Error} where there is none in time, without the password. */
export function createAsk({
  explain,
  name,
}: Pick<RedisConnections, 'explain' | 'name'>): <T>(answer: Promise<T>) => Promise<T> {
  return async (answer) => {
    try {
      return await within(answerWithinMs, answer)
    } catch (error) {
      throw new Error(`Redis at ${name}: ${explain(error)}`)
    }
  }
}
