'use strict'

/** Small servers that play the function and OSS; each request is answered by the next planned answer, or well. */

const http = require('node:http')

const DROP = { drop: true }
const HANG = { hang: true }

async function startServer(answer) {
  const server = http.createServer((request, response) => {
    const chunks = []
    request.on('error', () => {})
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => reply(request, response, answer(request, Buffer.concat(chunks))))
  })
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const stop = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections() })
  return { origin: `http://127.0.0.1:${port}`, stop }
}

function reply(request, response, { drop, hang, status = 200, headers = {}, body = '', after = 0 }) {
  if (drop) { request.socket.destroy(); return }
  if (hang) return
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'string' ? 'application/xml' : 'application/json'
  setTimeout(() => response.writeHead(status, { 'content-type': type, ...headers }).end(text), after)
}

const ROUTES = { login: logIn, 'upload-params': sign, confirm, read }

/**
 * The function: `plan.sign`, `plan.login`, `plan.confirm` and `plan.read` are answers to give first.
 *
 *   tickets: whether a form comes with one; readSeconds: how long a URL of /read is good for, null for public ones
 */
async function startFunction(oss, { life = 300, clockAhead = 0, tokenSeconds = 7200, tickets = false, readSeconds = 600 } = {}) {
  const requests = []
  const plan = { sign: [], login: [], confirm: [], read: [] }
  const state = { life, clockAhead, tokenSeconds, tickets, readSeconds, tokens: new Set(), made: 0, keys: new Map() }
  const server = await startServer((request, raw) => {
    const seen = { url: request.url, headers: request.headers, body: JSON.parse(raw.toString('utf8')) }
    requests.push(seen)
    const route = request.url.split('/').pop()
    const planned = plan[route === 'upload-params' ? 'sign' : route].shift()
    const answer = typeof planned === 'function' ? planned(seen) : planned
    return answer || ROUTES[route](state, oss, seen)
  })
  const requestsTo = (route) => requests.filter(({ url }) => url.endsWith(`/${route}`))
  return { ...server, requests, plan, state, requestsTo, signRequests: () => requestsTo('upload-params') }
}

function logIn(state) {
  const token = `token-${state.tokens.size + 1}`
  state.tokens.add(token)
  return { body: { token, expiresIn: state.tokenSeconds } }
}

function sign(state, oss, { body }) {
  const now = Date.now() + state.clockAhead
  const serverTime = new Date(now).toISOString()
  const uploads = (body.files || [body]).map((wanted) => form(state, oss, wanted, now))
  return { body: body.files ? { uploads, serverTime } : { ...uploads[0], serverTime } }
}

function form(state, oss, wanted, now) {
  state.made += 1
  const key = `uploads/user/${state.made}-${wanted.filename}`
  const ticket = state.tickets ? `ticket-${state.made}` : undefined
  state.keys.set(ticket, key)
  return {
    url: oss.origin,
    key,
    fileUrl: `${oss.origin}/${key}`,
    formData: { key, policy: `policy-${state.made}`, success_action_status: '200' },
    maxSize: wanted.size || 1000,
    expiresAt: new Date(now + state.life * 1000).toISOString(),
    uploadId: `id-${state.made}`,
    ticket,
  }
}

/** What OSS says of the object that the ticket names. */
function confirm({ keys }, oss, { body: { ticket } }) {
  const key = keys.get(ticket)
  const file = oss.objects.get(key)
  if (!file) return jsonError(404, 'not_uploaded')
  const facts = { key, url: `${oss.origin}/${key}`, etag: 'E7A6', size: file.length, mimeType: 'image/jpeg', width: null, height: null }
  return { body: { status: 'ok', ...facts, uploadId: ticket.replace('ticket', 'id'), receipt: `receipt.of.${ticket}`, state: 'stored' } }
}

function read({ clockAhead, readSeconds }, oss, { body: { items } }) {
  const now = Date.now() + clockAhead
  const expiresAt = readSeconds && new Date(now + readSeconds * 1000).toISOString()
  const signed = items.map(({ key, variant = null }) => (
    { key, variant, url: `${oss.origin}/${key}?x-oss-process=${variant}`, expiresAt }
  ))
  return { body: { items: signed, serverTime: new Date(now).toISOString() } }
}

/** OSS: `plan` holds answers to give first; { store: true } in one stores the file all the same. */
async function startOss() {
  const objects = new Map()
  const posts = []
  const plan = []
  const server = await startServer((request, raw) => {
    const post = readForm(request, raw)
    posts.push(post)
    const planned = plan.shift()
    if (planned && !planned.store) return planned
    const exists = objects.has(post.fields.key)
    if (exists) return xmlError(409, 'FileAlreadyExists', 'The object you specified already exists and can not be overwritten.')
    objects.set(post.fields.key, post.file)
    return planned || { status: 200 }
  })
  return { ...server, objects, posts, plan }
}

function readForm(request, raw) {
  const boundary = /boundary=(.+)$/.exec(request.headers['content-type'])[1]
  const parts = raw.toString('latin1').split(`--${boundary}`).slice(1, -1)
  const fields = {}
  const order = []
  let file = null
  for (const part of parts) {
    const [head, ...rest] = part.split('\r\n\r\n')
    const value = Buffer.from(rest.join('\r\n\r\n').slice(0, -2), 'latin1')
    const name = /name="([^"]*)"/.exec(head)[1]
    order.push(name)
    if (name === 'file') file = value
    else fields[name] = value.toString('utf8')
  }
  return { fields, order, file, headers: request.headers, at: Date.now() }
}

function xmlError(status, code, message) {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n  <Code>${code}</Code>\n  <Message>${message}</Message>\n`
    + '  <RequestId>5F0000000000000000000001</RequestId>\n  <HostId>local</HostId>\n</Error>'
  return { status, body }
}

function jsonError(status, code, message = 'what is wrong, in English', headers = {}) {
  return { status, headers, body: { error: { code, message, requestId: 'request-1' } } }
}

module.exports = { startServer, startFunction, startOss, xmlError, jsonError, DROP, HANG }
