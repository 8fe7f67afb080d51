import { randomUUID } from 'node:crypto'
import type { Attempt, Authorizer, Outcome } from '../../src/authorizer/attempt.ts'
import type { Reading, ReadOptions } from '../../src/mcp/reading.ts'
import type { ReasonCode } from '../../src/policy/decision.gen.ts'
import { messageOf } from '../../src/policy/reasons.ts'

export const strict: ReadOptions = {
  profile: 'strict',
  maxBodyBytes: 1048576,
  maxDepth: 64,
  batches: false,
  headersOnly: false,
}

export const kuadrant: ReadOptions = { ...strict, profile: 'kuadrant' }

export function allow(attempt: Attempt): Outcome {
  return {
    decision: {
      id: 'decision-1',
      allow: true,
      reasons: [],
      revision: 'r1',
      subject: 'alice',
      action: actionOf(attempt.reading),
      resource: { type: 'server' },
    },
    ...(attempt.mint ? { capabilityToken: 'minted.token.here' } : {}),
  }
}

export function deny(code: ReasonCode, attempt: Attempt): Outcome {
  return {
    decision: {
      id: randomUUID(),
      allow: false,
      reasons: [{ code, message: messageOf(code) }],
      revision: 'r1',
      action: actionOf(attempt.reading),
      resource: { type: 'server' },
    },
  }
}

/** Allows the bearer `good` whatever it asks for, once the request could be read. */
export function bearerGood(attempt: Attempt): Outcome {
  const { credential, reading } = attempt
  const values = credential.kind === 'authorization' ? credential.values : []
  if (values.length !== 1 || values[0] !== 'Bearer good') return deny('token_missing', attempt)
  return reading.ok ? allow(attempt) : deny(reading.code, attempt)
}

export interface Recording extends Pick<Authorizer, 'authorize' | 'visible'> {
  readonly attempts: Attempt[]
}

/** Decides with `decide` and keeps what it was asked. */
export function recording(decide: (attempt: Attempt) => Outcome = bearerGood): Recording {
  const attempts: Attempt[] = []
  return {
    attempts,
    async authorize(attempt) {
      attempts.push(attempt)
      return decide(attempt)
    },
    visible: seesNothing,
  }
}

/** Lists nothing for anybody. */
export async function seesNothing(): Promise<readonly string[]> {
  return []
}

function actionOf(reading: Reading): string {
  return reading.ok ? (reading.asks[0]?.action ?? '') : reading.action
}
