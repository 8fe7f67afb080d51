import cluster from 'node:cluster'

/**
 * Resolves at the first SIGTERM or SIGINT; a second signal, of either kind, ends the process at once. A worker leaves
 * SIGINT to its primary: a terminal sends it to both, and the primary's SIGTERM would be the worker's second.
 */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false
    const stop = (signal: 'SIGTERM' | 'SIGINT'): void => {
      if (signal === 'SIGINT' && cluster.isWorker) return
      if (stopping) process.exit(signal === 'SIGINT' ? 130 : 143)
      stopping = true
      resolve()
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}
