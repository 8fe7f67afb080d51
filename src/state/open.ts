import { statSync } from 'node:fs'
import { inMemory, isFileThere, StateFileError } from './database.ts'
import type { State } from './ledger.ts'
import type { Reports } from './outage.ts'
import type { RedisOptions } from './redis-client.ts'
import { type EmbeddedState, openEmbeddedState } from './sqlite.ts'

/** Where the state is kept. */
export interface StateOptions extends Reports {
  /** The state file, absolute. */
  readonly file: string
  /** Whether somebody named the file: a default one that cannot be made is done without. */
  readonly named: boolean
  /** Makes the file where there is none. False: a file that is not there is an empty state. Default: true. */
  readonly create?: boolean
  /** Absent: the state is this host's alone. */
  readonly redis?: RedisOptions | undefined
}

/**
 * Opens the state, and shares it with other replicas where Redis is configured.
 * @throws {Error} where a file cannot be used, which is there or was named; says which, why and how to mend it
 */
export async function openState({ redis, ...options }: StateOptions): Promise<State> {
  const own = await openEmbedded(options)
  if (redis === undefined) return own
  const { onFault, onWarning } = options
  try {
    // Loaded for those alone who have one.
    const { shareState } = await import('./redis.ts')
    return await shareState(own, { ...redis, onFault, onWarning })
  } catch (error) {
    await own.close()
    throw error
  }
}

async function openEmbedded({ file, named, create = true, ...reports }: StateOptions): Promise<EmbeddedState> {
  if (!create && !isFileThere(file)) return await openEmbeddedState(inMemory, reports)
  try {
    const state = await openEmbeddedState(file, reports)
    warnOfOthers(file, reports)
    return state
  } catch (error) {
    // A file that is there may hold revocations, and must not be done without.
    if (named || !(error instanceof StateFileError) || !error.absent) throw error
    reports.onWarning(`${error.message}; until then revocations and counts end with this process`)
    return await openEmbeddedState(inMemory, reports)
  }
}

// Whoever writes there can revoke, and can make API keys. Windows has no such modes.
function warnOfOthers(file: string, { onWarning }: Reports): void {
  if (process.platform === 'win32' || (statSync(file).mode & 0o002) === 0) return
  onWarning(`everybody on this host can write the state file \`${file}\`: run \`chmod 600\``)
}
