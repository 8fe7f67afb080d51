/** The policy could not be loaded or gave no usable answer. `message` is for the log; callers see a reason code. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly code: 'bundle_unusable' | 'evaluation_failed'

  constructor(code: PolicyError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** The text of whatever was thrown: the WASM host throws strings and plain objects, not only errors. Never throws. */
export function textOf(thrown: unknown): string {
  try {
    if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return String(thrown.message)
    return String(thrown)
  } catch {
    return 'something was thrown that has no text'
  }
}
