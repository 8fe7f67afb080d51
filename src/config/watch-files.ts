import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'

export interface FilesWatchOptions<T> {
  /** Reads what the files hold now, as one value that can be compared; what cannot be read is part of it. */
  read(): Promise<T>
  /** Takes each value that differs from the one before. The next one waits until it is done. */
  onChange(value: T, isFirst: boolean): void | Promise<void>
}

/** A watch that goes on until it is closed; it does not keep the process alive. */
export interface FilesWatch {
  /** After this returns nothing more is handed over. */
  close(): void
}

/**
 * Watches files as one set. It looks at their directories, because watching a file misses renames and the `..data` link
 * that Kubernetes swaps, and at their contents every two seconds in case the system reports nothing.
 */
export function watchFiles<T>(files: readonly string[], options: FilesWatchOptions<T>): FilesWatch {
  const observer = observe(options)
  const debounce = createDebounce(observer.look)
  const watchers = [...new Set(files.map((file) => dirname(file)))].map((directory) =>
    watchDirectory(directory, debounce),
  )
  const poll = setInterval(observer.look, pollMs)
  poll.unref()
  observer.look()
  return {
    close: () => {
      observer.close()
      debounce.close()
      clearInterval(poll)
      for (const watcher of watchers) watcher?.close()
    },
  }
}

const pollMs = 2000
const quietMs = 50
/** A directory that never is quiet is looked at all the same. */
const longestWaitMs = 500

interface Debounce {
  poke(): void
  close(): void
}

function createDebounce(run: () => void): Debounce {
  let timer: NodeJS.Timeout | undefined
  let first = 0
  const fire = () => {
    timer = undefined
    run()
  }
  return {
    poke: () => {
      const now = performance.now()
      if (timer === undefined) first = now
      clearTimeout(timer)
      timer = setTimeout(fire, Math.max(0, Math.min(quietMs, first + longestWaitMs - now)))
      timer.unref()
    },
    close: () => clearTimeout(timer),
  }
}

// Where a directory cannot be watched, or no longer, the poll goes on alone.
function watchDirectory(directory: string, debounce: Debounce): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, debounce.poke)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}

interface Observer {
  /** Looks at the files, or once more after the look that is under way. */
  look(): void
  close(): void
}

function observe<T>({ read, onChange }: FilesWatchOptions<T>): Observer {
  let seen: { readonly value: T } | undefined
  let looking = false
  let again = false
  let closed = false
  let retry: NodeJS.Timeout | undefined

  async function lookOnce(): Promise<void> {
    const value = await read()
    if (closed || (seen !== undefined && isDeepStrictEqual(value, seen.value))) return
    // Files that change while they are read may not belong together.
    if (!isDeepStrictEqual(value, await read())) {
      retry = setTimeout(look, quietMs)
      retry.unref()
      return
    }
    const isFirst = seen === undefined
    seen = { value }
    if (!closed) await onChange(value, isFirst)
  }

  async function lookWhileAsked(): Promise<void> {
    looking = true
    try {
      do {
        again = false
        await lookOnce()
      } while (again && !closed)
    } finally {
      looking = false
    }
  }

  function look(): void {
    again = true
    // Whoever is told is the last to be; what it throws has nowhere to go and must not end the process.
    if (!looking && !closed) lookWhileAsked().catch(() => undefined)
  }

  return {
    look,
    close: () => {
      closed = true
      clearTimeout(retry)
    },
  }
}
