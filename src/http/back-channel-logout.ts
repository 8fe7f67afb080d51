import express, { type ErrorRequestHandler, type Express, type Response } from 'express'
import { type BackChannelLogout, type LogoutAnswer, maxLogoutBytes } from '../revocation/feeds/back-channel-logout.ts'

/** Adds `POST /backchannel-logout`, where OpenID providers tell of logouts. */
export function addBackChannelLogoutRoute(app: Express, logOut: BackChannelLogout): void {
  const body = express.raw({ type: () => true, limit: maxLogoutBytes, inflate: false })
  app.post('/backchannel-logout', body, async (request, response) => {
    const bytes: unknown = request.body
    send(response, await logOut(request.get('content-type'), Buffer.isBuffer(bytes) ? bytes : new Uint8Array()))
  })
  const onError: ErrorRequestHandler = (error: { readonly status?: unknown }, _request, response, _next) => {
    const status = error.status === 413 ? 413 : 400
    const headers = { 'cache-control': 'no-store', 'content-type': 'application/json' }
    send(response, { status, headers, body: '{"error":"invalid_request"}' })
  }
  app.use('/backchannel-logout', onError)
}

function send(response: Response, { status, headers, body }: LogoutAnswer): void {
  response.status(status).set(headers).send(Buffer.from(body))
}
