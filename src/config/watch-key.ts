import { readFile } from 'node:fs/promises'
import {
  type CapabilityKey,
  capabilityKeyOf,
  type KeyTexts,
  loadCapabilityKey,
  nextFile,
  readKeyTexts,
  retiredFile,
} from '../capabilities/key.ts'
import {
  keysAtHand,
  readTrusted,
  readTrustedSet,
  type Trusted,
  type TrustedKeys,
} from '../capabilities/trusted-keys.ts'
import { fileFault } from './problem.ts'
import { type FilesWatch, watchFiles } from './watch-files.ts'

export interface KeyWatchOptions {
  /** Takes the key as the files hold it, with what is published beside it; also at first. */
  onKey(key: CapabilityKey): void
  /** Told once for each content of the files that cannot be used; what was there goes on. Holds nothing of the files. */
  onRefused(cause: string): void
}

/** Watches a capability key and the files beside it as one set. */
export function watchCapabilityKey(file: string, { onKey, onRefused }: KeyWatchOptions): FilesWatch {
  return watchReadings([file, nextFile(file), retiredFile(file)], {
    read: () => readKeyTexts(file),
    use: async (texts: KeyTexts) => onKey(await capabilityKeyOf(file, texts)),
    onRefused,
  })
}

/**
 * The public side of a capability key, of the next and of the retired ones, followed as they change.
 * @throws {TypeError | Error} for files that cannot be used
 */
export async function followOwnKeys(file: string, onRefused: KeyWatchOptions['onRefused']): Promise<TrustedKeys> {
  let key = await loadCapabilityKey(file)
  const watch = watchCapabilityKey(file, {
    onKey: (next) => {
      key = next
    },
    onRefused,
  })
  let read: { readonly kids: string; readonly trusted: Trusted } | undefined
  // Not once and for all: retired keys leave the set as time goes by.
  const current = (): Trusted => {
    const { keys } = key.jwks
    const kids = keys.map(({ kid }) => kid).join(' ')
    if (read?.kids !== kids) read = { kids, trusted: readTrustedSet({ keys }) }
    return read.trusted
  }
  return keysAtHand(current, () => watch.close())
}

/**
 * The keys in a file, PEM or a JWK Set, followed as it changes.
 * @throws {TypeError | Error} for a file that cannot be used
 */
export async function followTrustedKeys(file: string, onRefused: KeyWatchOptions['onRefused']): Promise<TrustedKeys> {
  let trusted: Trusted = readTrusted(await readFile(file, 'utf8'))
  const watch = watchReadings([file], {
    read: () => readFile(file, 'utf8'),
    use: (text: string) => {
      trusted = readTrusted(text)
    },
    onRefused,
  })
  return keysAtHand(
    () => trusted,
    () => watch.close(),
  )
}

type Reading<T> = { readonly ok: true; readonly texts: T } | { readonly ok: false; readonly cause: string }

function watchReadings<T>(
  files: readonly string[],
  parts: { read(): Promise<T>; use(texts: T): void | Promise<void>; onRefused(cause: string): void },
): FilesWatch {
  const { read, use, onRefused } = parts
  return watchFiles<Reading<T>>(files, {
    read: () =>
      read().then(
        (texts) => ({ ok: true, texts }),
        (error: unknown) => ({ ok: false, cause: fileFault(error) }),
      ),
    async onChange(reading) {
      try {
        if (reading.ok) await use(reading.texts)
        else onRefused(reading.cause)
      } catch (error) {
        onRefused(error instanceof TypeError ? error.message : 'the file cannot be used')
      }
    },
  })
}
