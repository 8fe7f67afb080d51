import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Data } from '../policy/data.gen.ts'
import { type DataText, parseData } from './data.ts'
import { ConfigError, type Problem } from './problem.ts'
import { readSource } from './source.ts'

export interface WatchOptions {
  /**
   * The data that is in use already. The first set of files is handed over unless it holds the same, so that a change
   * between loading and watching is not lost. Absent: the first set is always handed over.
   */
  readonly current?: Data
  /** Takes a whole, valid, frozen set. The next one waits until it is done; what it throws goes to `onError`. */
  onData(data: Data): void | Promise<void>
  /** Told once for each content of the files that cannot be used; a ConfigError, or what `onData` threw. */
  onError(error: unknown): void
}

/** A watch that goes on until it is closed; it does not keep the process alive. */
export interface DataWatch {
  /** After this returns nothing more is handed over. */
  close(): void
}

/**
 * Watches the data files as one set. It looks at their directories, because watching a file misses renames and the
 * `..data` link that Kubernetes swaps, and at their contents every two seconds in case the system reports nothing.
 */
export function watchData(files: readonly string[], options: WatchOptions): DataWatch {
  if (files.length === 0) return { close: () => undefined }
  const observer = observe(files, options)
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

function observe(files: readonly string[], options: WatchOptions): Observer {
  let seen: ReadSet | undefined
  let looking = false
  let again = false
  let closed = false
  let retry: NodeJS.Timeout | undefined

  async function lookOnce(): Promise<void> {
    const set = await readSet(files)
    if (closed || isDeepStrictEqual(set, seen)) return
    // Files that change while they are read may not belong together.
    if (!isDeepStrictEqual(set, await readSet(files))) {
      retry = setTimeout(look, quietMs)
      retry.unref()
      return
    }
    const first = seen === undefined
    seen = set
    if (!closed) await handOver(first ? set : withoutBlanks(set), first ? options.current : undefined)
  }

  async function handOver(set: ReadSet, current: Data | undefined): Promise<void> {
    try {
      const data = dataOf(set)
      if (current === undefined || !isDeepStrictEqual(data, current)) await options.onData(data)
    } catch (error) {
      if (!closed) options.onError(error)
    }
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
    // `onError` is the last to be told; what it throws has nowhere to go and must not end the process.
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

interface ReadSet {
  readonly texts: readonly DataText[]
  readonly problems: readonly Problem[]
}

async function readSet(files: readonly string[]): Promise<ReadSet> {
  const readings = await Promise.all(files.map(readSource))
  return {
    texts: readings.flatMap((reading, index) => (reading.ok ? { file: files[index] ?? '', text: reading.text } : [])),
    problems: readings.flatMap((reading) => (reading.ok ? [] : [reading.problem])),
  }
}

/**
 * A file that is written in place is blank for a moment, and blank is no data: everything would be denied until the
 * rest has come, or for good if that is refused.
 */
function withoutBlanks({ texts, problems }: ReadSet): ReadSet {
  const blank = texts.filter(({ text }) => text.trim() === '')
  const message = 'the file has become empty'
  const mend = 'write `{}` if there is to be no data, and rename whole files into place'
  return {
    texts,
    problems: [
      ...problems,
      ...blank.map(({ file }) => ({ file, line: undefined, column: undefined, path: '', message, mend })),
    ],
  }
}

function dataOf({ texts, problems }: ReadSet): Data {
  if (problems.length > 0) throw new ConfigError(problems)
  return parseData(texts)
}
