import type { Config } from '../config/config.ts'
import { type Kept, type KeptOptions, openKept } from '../kept.ts'
import { chooseConfig } from './configuration.ts'
import type { Terminal } from './exit.ts'

/** What every command that needs the state takes. */
export interface ConfigOption {
  readonly config?: string
}

/**
 * Opens what a configuration keeps for one command, and closes it after. A file that cannot be used is refused also
 * where nobody named it: what is kept in memory instead would end with the command.
 * @throws {ConfigError}
 */
export async function withKept<T>(
  { config: file }: ConfigOption,
  { terminal, state }: { readonly terminal: Terminal; readonly state: KeptOptions['state'] },
  work: (kept: Kept) => Promise<T>,
): Promise<T> {
  const { config } = await chooseConfig(file, terminal)
  const insisting: Config = { ...config, state: { ...config.state, named: true } }
  const kept = await openKept(insisting, { state, onWarning: (text) => terminal.err.write(`${text}\n`) })
  try {
    return await work(kept)
  } finally {
    await kept.close()
  }
}
