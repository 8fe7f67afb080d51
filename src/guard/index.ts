export type { Authorizer } from '../authorizer/attempt.ts'
export type { CapabilityHeader } from '../capabilities/verify.ts'
export { ConfigError } from '../config/problem.ts'
export type { BackendInitVerdict, Once } from '../gateway/backend-init.ts'
export { createGate, type Gate, type GateFault, type GateOptions } from '../gateway/gate.ts'
export { createSealer, type Sealer } from '../gateway/seal.ts'
export type { SessionVerdict } from '../gateway/session.ts'
export { createGatewayTokens, type GatewayTokens, type GatewayTokensOptions } from '../gateway/tokens.ts'
export type { CredentialFacts, Judgement, RevocationCheck } from '../identity/subject.ts'
export type { ClientMatch, DenialClient, DenialMode, DenialOptions, HideLike } from '../mcp/denial-options.ts'
export type { DeprecatedHeader } from '../mcp/internal-headers.ts'
export type { ProtectedResource } from '../mcp/protected-resource.ts'
export type { ReadOptions } from '../mcp/reading.ts'
export type { Capabilities, Decision, ReasonCode } from '../policy/decision.gen.ts'
export type { GuardAttempt } from './attempt.ts'
export type { GuardCredential } from './credential.ts'
export type { Admitted } from './door.ts'
export type { NodeHandler, NodeRequest, WebHandler } from './express.ts'
export type { FetchHandler } from './fetch.ts'
export { type FollowedRevocations, type FollowRevocationsOptions, followRevocations } from './follow.ts'
export {
  type AuthorizerGuardOptions,
  type ConfiguredGuardOptions,
  createGuard,
  type Guard,
  type GuardOptions,
  type GuardPlace,
} from './guard.ts'
export type { HonoContext, HonoMiddleware } from './hono.ts'
export type { TransportGuardOptions } from './session.ts'
export type { GuardableTransport } from './transport.ts'
export type { Trusted } from './trusted.ts'
export {
  type CapabilityRequest,
  type CapabilityVerification,
  type CapabilityVerifier,
  type CapabilityVerifierOptions,
  createCapabilityVerifier,
  type HeaderValues,
} from './verifier.ts'
