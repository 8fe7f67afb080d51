import type { Express } from 'express'

/** What operators and their machines ask a process. */
export interface Operations {
  readonly ready: () => boolean
  /** Counts in the text format of Prometheus. */
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
  /** How it stands, for people: no secrets, but what only operators should know. */
  readonly status: () => object
}

/** `/healthz`, `/readyz`, `/status` and `/metrics`. */
export function addOperationsRoutes(app: Express, { ready, metrics, status }: Operations): void {
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.get('/readyz', (_request, response) => {
    const isReady = ready()
    response.status(isReady ? 200 : 503).json({ status: isReady ? 'ready' : 'not ready' })
  })
  app.get('/status', (_request, response) => void response.set('cache-control', 'no-store').json(status()))
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.text())
  })
}
