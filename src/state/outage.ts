/** Where the state says what is wrong with it. */
export interface Reports {
  /** Something is broken, and decisions may be refused because of it. One line, for the error log. */
  readonly onFault: (text: string) => void
  /** Something that whoever runs this should know. One line, for the log. */
  readonly onWarning: (text: string) => void
}

/** Something that fails for a while: said once when it begins, and once when it is over. */
export interface Outage {
  begin(cause: unknown): void
  end(): void
}

/** `what` reads like `the state file cannot be read`; `over` like `the state file can be read again`. */
export function createOutage(what: string, over: string, { onFault, onWarning }: Reports): Outage {
  let said: string | undefined
  return {
    begin(cause) {
      const text = `${what}: ${causeOf(cause)}`
      if (text === said) return
      said = text
      onFault(text)
    },
    end() {
      if (said === undefined) return
      said = undefined
      onWarning(over)
    },
  }
}

/** What an error says, on one line. */
export function causeOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 300)
}
