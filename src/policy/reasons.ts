import type { ReasonCode } from './decision.gen.ts'

export type ReasonCategory = 'credential' | 'request' | 'policy' | 'service'

/** Every reason code with its category and the fixed text a caller sees. Never holds anything the client sent. */
export const reasons = {
  token_missing: ['credential', 'no bearer token was presented'],
  token_malformed: ['credential', 'the token is not a well-formed JWT'],
  token_signature: ['credential', 'the signature of the token does not verify'],
  token_expired: ['credential', 'the token has expired'],
  token_not_yet_valid: ['credential', 'the token is not valid yet'],
  token_audience: ['credential', 'the token is for another audience'],
  token_issuer_unknown: ['credential', 'the issuer of the token is not configured'],
  token_key_unknown: ['credential', 'the key of the token is not one of its issuer'],
  token_algorithm: ['credential', 'the algorithm of the token is not accepted for its issuer'],
  token_type: ['credential', 'the token is not an access token'],
  token_claim_missing: ['credential', 'the token lacks a required claim'],
  token_revoked: ['credential', 'the token has been revoked'],
  token_party: ['credential', 'the token was issued to a client that is not accepted'],
  api_key_unknown: ['credential', 'the API key is not known'],
  session_invalid: ['credential', 'the session is not valid, or not the one of the token'],
  body_missing: ['request', 'the request has no body to decide by'],
  body_partial: ['request', 'the body did not arrive whole'],
  body_too_large: ['request', 'the body is larger than the limit'],
  body_malformed: ['request', 'the body is not a well-formed JSON-RPC message'],
  body_ambiguous: ['request', 'the body can be read in more than one way'],
  batch_refused: ['request', 'JSON-RPC batches are not accepted'],
  content_type: ['request', 'the content type is not application/json in UTF-8 without encoding'],
  header_mismatch: ['request', 'a header disagrees with the body'],
  header_forbidden: ['request', 'a header was sent that only a router may send'],
  method_unknown: ['request', 'the method is not known'],
  version_unsupported: ['request', 'the protocol version was never published'],
  router_key_invalid: ['request', 'the router key does not open a backend session'],
  role_missing: ['policy', 'no role or grant of the subject allows it'],
  item_unknown: ['policy', 'there is no such item'],
  item_ambiguous: ['policy', 'more than one server has such an item'],
  server_unknown: ['policy', 'there is no such server'],
  server_disabled: ['policy', 'the server is disabled'],
  virtual_server_unknown: ['policy', 'there is no such virtual server'],
  virtual_server_excludes: ['policy', 'the virtual server does not hold the item'],
  argument_refused: ['policy', 'an argument is not allowed'],
  scope_missing: ['policy', 'the token lacks an OAuth scope'],
  credential_excludes: ['policy', 'the credential is limited to other items'],
  address_refused: ['policy', 'the credential is not for this network address'],
  time_refused: ['policy', 'the credential is not for this time'],
  usage_exceeded: ['policy', 'the credential has been used up for now'],
  not_ready: ['service', 'the policy is not loaded yet'],
  policy_error: ['service', 'the policy could not be evaluated'],
  mint_failed: ['service', 'the capability token could not be made'],
  claim_too_large: ['service', 'the capability token would be too large'],
  keys_unavailable: ['service', 'the keys of the issuer cannot be had'],
  overloaded: ['service', 'too many requests are waiting'],
  revocations_unknown: ['service', 'whether the credential was revoked cannot be known'],
  state_unavailable: ['service', 'what must be recorded cannot be'],
} as const satisfies Record<ReasonCode, readonly [ReasonCategory, string]>

/** The codes of one category, as types. */
export type CodeOf<C extends ReasonCategory> = {
  [K in ReasonCode]: (typeof reasons)[K][0] extends C ? K : never
}[ReasonCode]

/** Which kind of fault a reason is. */
export function categoryOf(code: ReasonCode): ReasonCategory {
  return reasons[code][0]
}

/** The fixed text of a reason. */
export function messageOf(code: ReasonCode): string {
  return reasons[code][1]
}
