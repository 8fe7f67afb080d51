export type { Authorizer } from '../authorizer/attempt.ts'
export { ConfigError } from '../config/problem.ts'
export type { ReadOptions } from '../mcp/reading.ts'
export type { Capabilities, Decision, ReasonCode } from '../policy/decision.gen.ts'
export type { GuardAttempt } from './attempt.ts'
export type { GuardCredential } from './credential.ts'
export type { FetchHandler } from './fetch.ts'
export {
  type AuthorizerGuardOptions,
  type ConfiguredGuardOptions,
  createGuard,
  type Guard,
  type GuardOptions,
  type GuardPlace,
} from './guard.ts'
