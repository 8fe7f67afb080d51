import type { AllowedCapabilities, CapabilityOrigin } from '../capabilities/claim.gen.ts'
import type { TrustOptions } from '../capabilities/verify.ts'
import { validatorOf } from './schema.ts'

/** The checks of what a capability token says, by schemas/capability_claim.json. */
export function claimChecks(): Pick<TrustOptions, 'isAllowedCapabilities' | 'isOrigin'> {
  const allowed = validatorOf<AllowedCapabilities>('capability_claim', 'allowedCapabilities')
  const origin = validatorOf<CapabilityOrigin>('capability_claim', 'capabilityOrigin')
  return {
    isAllowedCapabilities: (value): value is AllowedCapabilities => allowed(value),
    isOrigin: (value): value is CapabilityOrigin => origin(value),
  }
}
