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

const ROUTES = { login: logIn, 'upload-params': sign, confirm, read, status, discard, list: listOwn, delete: deleteOwn }
const MOST_RECEIPTS = 20

/**
 * The function: `plan.sign`, `plan.login`, `plan.confirm`, `plan.read`, `plan.status`, `plan.discard`, `plan.list` and `plan.delete` are answers to give first.
 *
 *   tickets: whether a form comes with one; held: whether what is uploaded waits before it may be seen
 *   readSeconds: how long a URL of /read is good for, null for public ones
 *
 * `state.aiLabel` is what is found in every file; what its form declared comes after it. `state.quota` is what each form says of the day, when it is set. `state.uploads` has what became of each upload, by its receipt; a test may change it.
 */
async function startFunction(oss, { life = 300, clockAhead = 0, tokenSeconds = 7200, tickets = false, held = false, readSeconds = 600 } = {}) {
  const requests = []
  const plan = { sign: [], login: [], confirm: [], read: [], status: [], discard: [], list: [], delete: [] }
  const made = { tokens: new Set(), made: 0, keys: new Map(), uploads: new Map(), wanted: new Map() }
  const state = { life, clockAhead, tokenSeconds, tickets, held, readSeconds, ...made }
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
  state.wanted.set(ticket, wanted)
  return {
    url: oss.origin,
    key,
    fileUrl: `${oss.origin}/${key}`,
    formData: { key, policy: `policy-${state.made}`, success_action_status: '200' },
    maxSize: wanted.size || 1000,
    expiresAt: new Date(now + state.life * 1000).toISOString(),
    uploadId: `id-${state.made}`,
    ticket,
    ...(state.held && { held: true }),
    ...(state.quota && { quota: { ...state.quota, filesLeft: state.quota.filesLeft - state.made } }),
  }
}

/** What OSS says of the object that the ticket names. */
function confirm({ keys, held, uploads, wanted, aiLabel: found }, oss, { body: { ticket } }) {
  if (!ticket) return jsonError(400, 'bad_request')
  const key = keys.get(ticket)
  const file = oss.objects.get(key)
  if (!file) return jsonError(404, 'not_uploaded')
  const { replaces, aiDeclared } = wanted.get(ticket)
  if (!held) oss.objects.delete(replaces)
  const receipt = `receipt.of.${ticket}`
  const told = found || (aiDeclared === true ? { label: 2, source: 'declared' } : found)
  if (!uploads.has(receipt)) uploads.set(receipt, { key, state: held ? 'held' : 'stored', url: null, aiLabel: told })
  const { state, aiLabel } = uploads.get(receipt)
  const facts = { key, url: state === 'stored' || state === 'published' ? `${oss.origin}/${key}` : null, etag: 'E7A6', size: file.length, mimeType: 'image/jpeg', width: null, height: null }
  return { body: { status: 'ok', ...facts, uploadId: ticket.replace('ticket', 'id'), receipt, state, aiLabel } }
}

/** The receipts are enough: whoever has one may ask. */
function status({ uploads }, oss, { body: { receipts } }) {
  if (!Array.isArray(receipts) || !receipts.length || receipts.length > MOST_RECEIPTS) return jsonError(400, 'bad_request')
  return { body: { results: receipts.map((receipt) => uploads.get(receipt) || jsonError(403, 'forbidden').body) } }
}

function discard({ uploads, tokens }, oss, { body: { receipt }, headers }) {
  if (!tokens.has(String(headers.authorization).replace('Bearer ', ''))) return jsonError(401, 'unauthorized')
  if (!receipt) return jsonError(400, 'bad_request')
  const upload = uploads.get(receipt)
  if (!upload) return jsonError(403, 'forbidden')
  if (upload.state === 'published') return jsonError(409, 'already_published')
  Object.assign(upload, { state: 'gone', url: null })
  return { body: { key: upload.key, state: upload.state } }
}

function read({ clockAhead, readSeconds }, oss, { body: { items } }) {
  const now = Date.now() + clockAhead
  const expiresAt = readSeconds && new Date(now + readSeconds * 1000).toISOString()
  const signed = items.map(({ key, variant = null }) => (
    { key, variant, url: `${oss.origin}/${key}?x-oss-process=${variant}`, expiresAt }
  ))
  return { body: { items: signed, serverTime: new Date(now).toISOString() } }
}

const OWN = 'uploads/user/'
const isCaller = ({ tokens }, { authorization }) => tokens.has(String(authorization).replace('Bearer ', ''))

/** The caller's own, in the order of keys; a cursor is the last key of its page. */
function listOwn(state, oss, { body: { profile, limit = 100, cursor = '', variant = null }, headers }) {
  if (!isCaller(state, headers)) return jsonError(401, 'unauthorized')
  if (!profile || !(limit >= 1 && limit <= 100) || (cursor && !cursor.startsWith(OWN))) return jsonError(400, 'bad_request')
  const serverTime = new Date().toISOString()
  const left = [...oss.objects.keys()].filter((key) => key.startsWith(OWN) && key > cursor).sort()
  const items = left.slice(0, limit).map((key) => (
    { key, size: oss.objects.get(key).length, etag: 'E7A6', lastModified: serverTime, url: `${oss.origin}/${key}?x-oss-process=${variant}`, expiresAt: serverTime }
  ))
  return { body: { items, cursor: left.length > limit ? left[limit - 1] : null, serverTime } }
}

function deleteOwn(state, oss, { body: { keys }, headers }) {
  if (!isCaller(state, headers)) return jsonError(401, 'unauthorized')
  if (!Array.isArray(keys) || !keys.length || keys.length > 20) return jsonError(400, 'bad_request')
  return { body: { results: keys.map((key) => (
    key.startsWith(OWN) ? Object(oss.objects.delete(key)) && { key, state: 'gone' } : { key, ...jsonError(403, 'forbidden').body }
  )) } }
}

/** The business: it keeps posts, and commits what their receipts are about. `plan` holds answers to give first. */
async function startBusiness(fc) {
  const posts = []
  const plan = []
  const requests = []
  const server = await startServer((request, raw) => {
    const seen = { method: request.method, url: request.url, body: raw.length ? JSON.parse(raw.toString('utf8')) : null }
    requests.push(seen)
    if (seen.url !== '/posts') return jsonError(404, 'not_found')
    return plan.shift() || (seen.method === 'POST' ? publish(posts, fc.state.uploads, seen.body) : list(posts, fc.state.uploads))
  })
  return { ...server, posts, plan, requests }
}

function publish(posts, uploads, { text, receipts }) {
  if (typeof text !== 'string' || !Array.isArray(receipts) || !receipts.length) return jsonError(400, 'bad_request')
  const made = posts.find((post) => post.receipts.join() === receipts.join())
  if (made) return { body: { id: made.id } }
  if (!receipts.every((receipt) => uploads.has(receipt))) return jsonError(403, 'forbidden')
  const committed = receipts.map((receipt) => uploads.get(receipt))
  if (committed.some(({ state }) => state === 'gone')) return jsonError(409, 'not_uploaded')
  committed.filter(({ state }) => state === 'held').forEach((upload) => { upload.state = 'checking' })
  posts.unshift({ id: `post-${posts.length + 1}`, text, receipts })
  return { body: { id: posts[0].id } }
}

function list(posts, uploads) {
  return { body: { posts: posts.map(({ id, text, receipts }) => ({ id, text, pictures: receipts.map((each) => ({ ...uploads.get(each) })) })) } }
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

module.exports = { startServer, startFunction, startBusiness, startOss, xmlError, jsonError, DROP, HANG }
