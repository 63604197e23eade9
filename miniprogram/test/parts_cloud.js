'use strict'

/**
 * The function's four routes for large files and the part of OSS behind them, as the contract and the reference have them,
 * in memory: strict with everything that a client sends. Shares nothing with the client.
 */

const crypto = require('node:crypto')

const BUCKET = 'https://bucket.oss.test'
const FUNCTION = 'https://function.test'
const MOST_URLS = 20
const MOST_LISTED = 1000
const MOST_CALLS = 120 // a minute and ticket
const LEAST_PART = 102400
const FIELDS = new Set(['profile', 'filename', 'contentType', 'size', 'context', 'replaces', 'aiDeclared'])
const SIGNED_TYPE = 'application/octet-stream'

/**
 * `now` in milliseconds. `profiles`: name → { partSize, maxSize, parts, state, quota }. `keep: false` keeps of a part its ETag alone.
 * `encrypted`: ETags are no MD5s. `lists: false`: a function that lists no stored parts.
 * `onChange` is called after every change of what OSS holds.
 */
function openCloud({
  now, urlSeconds = 900, ticketSeconds = 86400, sessionSeconds = 3600, clockAhead = 0, keep = true, encrypted = false, lists = true, leastPart = LEAST_PART, onChange = () => {},
  profiles = { default: { partSize: LEAST_PART, maxSize: 2 ** 40, parts: true } },
}) {
  const cloud = {
    objects: new Map(), uploads: new Map(), tickets: new Map(), calls: [], puts: [], forms: [], tokens: new Set(['']),
    time: () => now() + clockAhead, urlSeconds, ticketSeconds, sessionSeconds, clockAhead, profiles, keep, encrypted, lists, leastPart, onChange,
  }
  return Object.assign(cloud, { handle: (request) => handle(cloud, request), forget: (key) => forget(cloud, key), FUNCTION, BUCKET })
}

function handle(cloud, request) {
  const { origin, pathname } = new URL(request.url)
  if (origin === BUCKET) return request.method === 'PUT' ? putPart(cloud, request) : postForm(cloud, request)
  const route = { '/multipart': begin, '/multipart-parts': sign, '/multipart-complete': complete, '/multipart-abort': abort, '/upload-params': form, '/login': logIn }[pathname]
  if (!route || request.method !== 'POST') return error(404, 'not_found')
  if (request.header['content-type'] !== 'application/json') throw new Error(`JSON is sent as ${request.header['content-type']}`)
  const body = JSON.parse(request.data)
  cloud.calls.push({ route: pathname, body, at: cloud.time() })
  return route(cloud, body, request)
}

const json = (body, statusCode = 200, header = {}) => ({ statusCode, data: JSON.stringify(body), header: { 'Content-Type': 'application/json', ...header } })
const error = (status, code, more, header) => json({ error: { code, message: `${code} it is`, requestId: 'r-1', ...more } }, status, header)
const xml = (statusCode, code, message) => (
  { statusCode, data: `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>5F</RequestId></Error>`, header: {} }
)
const iso = (milliseconds) => new Date(milliseconds).toISOString().replace(/\.\d+/, '')

function logIn(cloud) {
  const token = `token-${cloud.tokens.size}`
  cloud.tokens.add(token)
  return json({ token, expiresIn: 7200 })
}

const isCaller = ({ tokens }, { header }) => tokens.has((header.Authorization || '').replace('Bearer ', ''))

function wanted(cloud, body, request) {
  if (!isCaller(cloud, request)) return [error(401, 'unauthorized')]
  const strange = Object.keys(body).filter((name) => !FIELDS.has(name))
  if (strange.length) throw new Error(`/multipart knows no ${strange}`)
  const profile = cloud.profiles[body.profile || 'default']
  if (!profile) return [error(400, 'unknown_profile')]
  if (body.size > profile.maxSize) return [error(413, 'too_large', { limits: { maxSize: profile.maxSize } })]
  return [null, profile]
}

function begin(cloud, body, request) {
  if (!Object.values(cloud.profiles).some(({ parts }) => parts)) return error(404, 'not_found')
  const [refusal, profile] = wanted(cloud, body, request)
  if (refusal) return refusal
  if (!profile.parts || !Number.isInteger(body.size) || body.size < 1 || !(body.contentType || /\.\w+$/.test(body.filename))) return error(400, 'bad_request')
  const id = crypto.randomBytes(8).toString('hex')
  const { partSize, state = 'stored' } = profile
  const upload = { id, key: `video/${id}.mp4`, size: body.size, partSize, state, parts: new Map(), open: true, signed: new Map(), calls: [], wanted: body }
  upload.count = Math.ceil(body.size / partSize)
  upload.ends = cloud.time() + cloud.ticketSeconds * 1000
  cloud.uploads.set(id, upload)
  const ticket = `ticket.${id}.${crypto.randomBytes(8).toString('hex')}`
  cloud.tickets.set(ticket, upload)
  const numbers = Array.from({ length: Math.min(upload.count, MOST_URLS) }, (_, index) => index + 1)
  return json({
    ticket, key: upload.key, fileUrl: `${BUCKET}/${upload.key}`, uploadId: `our-${id}`, size: body.size, partSize,
    partCount: upload.count, headers: { 'Content-Type': SIGNED_TYPE }, ...signed(cloud, upload, numbers),
    ticketExpiresAt: iso(upload.ends),
    ...(profile.quota && { quota: profile.quota }),
  })
}

function sizeOf({ size, partSize, count }, number) {
  return number < count ? partSize : size - (count - 1) * partSize
}

/** A URL lives as long as it may, or as the session that signs it. */
function signed(cloud, upload, numbers) {
  const time = cloud.time()
  const session = cloud.sessionSeconds * 1000
  const ends = Math.min(time + cloud.urlSeconds * 1000, Math.max(time - (time % session) + session, time + 60000))
  const parts = numbers.map((number) => {
    const signature = crypto.randomBytes(12).toString('hex')
    upload.signed.set(signature, { number, ends })
    return { number, size: sizeOf(upload, number), url: `${BUCKET}/${upload.key}?partNumber=${number}&uploadId=${upload.id}&x-oss-signature=${signature}` }
  })
  return { parts, expiresAt: iso(ends), serverTime: iso(time) }
}

/** The upload that a ticket is good for, or the refusal. */
function held(cloud, { ticket, ...rest }, fields = []) {
  if (Object.keys(rest).some((name) => !fields.includes(name))) throw new Error(`unknown fields: ${Object.keys(rest)}`)
  if (typeof ticket !== 'string') return [error(400, 'bad_request')]
  const upload = cloud.tickets.get(ticket)
  const time = cloud.time()
  if (!upload || time >= upload.ends) return [error(403, 'forbidden')]
  upload.calls = upload.calls.filter((at) => at > time - 60000)
  if (upload.calls.length >= MOST_CALLS) return [error(429, 'too_many_requests', {}, { 'Retry-After': String(Math.ceil((upload.calls[0] + 60000 - time) / 1000)) })]
  upload.calls.push(time)
  return [null, upload]
}

function missingOf(upload) {
  const missing = []
  for (let number = 1; number <= upload.count; number += 1) {
    if (Object(upload.parts.get(number)).size !== sizeOf(upload, number)) missing.push(number)
  }
  return missing
}

const md5 = (bytes) => crypto.createHash('md5').update(bytes).digest('hex').toUpperCase()

const isStored = (cloud, { key }) => cloud.objects.has(key)
const gone = (cloud, upload) => (isStored(cloud, upload) ? error(409, 'already_complete') : error(410, 'upload_gone'))

function sign(cloud, body) {
  const [refusal, upload] = held(cloud, body, ['numbers', 'stored', 'storedAfter'])
  if (refusal) return refusal
  const { numbers } = body
  const isOdd = (number) => !Number.isInteger(number) || number < 1 || number > upload.count
  if (numbers && (!numbers.length || numbers.length > MOST_URLS || numbers.some(isOdd) || new Set(numbers).size < numbers.length)) return error(400, 'bad_request')
  if (!upload.open) return gone(cloud, upload)
  const missing = missingOf(upload)
  const { parts, expiresAt, serverTime } = signed(cloud, upload, numbers || missing.slice(0, MOST_URLS))
  const stored = [...upload.parts].map(([number, { size, etag }]) => ({ number, size, etag })).sort((a, b) => a.number - b.number)
    .filter(({ number }) => number > (body.storedAfter || 0)).slice(0, MOST_LISTED)
  return json({ parts, missing: missing.length, expiresAt, serverTime, ...(body.stored === true && cloud.lists && { stored }) })
}

function complete(cloud, body) {
  const [refusal, upload] = held(cloud, body)
  if (refusal) return refusal
  const receipt = () => json({ status: 'ok', key: upload.key, url: `${BUCKET}/${upload.key}`, etag: upload.etag, size: upload.size, mimeType: 'video/mp4', width: null, height: null, uploadId: `our-${upload.id}`, receipt: `receipt.${upload.id}`, state: upload.state, ...(upload.wanted.aiDeclared && { aiLabel: { label: 2, source: 'declared' } }) })
  if (!upload.open) return isStored(cloud, upload) ? receipt() : error(410, 'upload_gone')
  const missing = missingOf(upload)
  if (missing.length) return error(409, 'incomplete', { missing: missing.slice(0, MOST_URLS) })
  if (isStored(cloud, upload)) return error(409, 'already_exists')
  if ([...upload.parts].some(([number, { size }]) => number < upload.count && size < cloud.leastPart)) return error(502, 'oss_rejected')
  const parts = Array.from({ length: upload.count }, (_, index) => upload.parts.get(index + 1))
  cloud.objects.set(upload.key, cloud.keep ? Buffer.concat(parts.map(({ bytes }) => bytes)) : parts.map(({ etag }) => etag))
  upload.etag = `${md5(parts.map(({ etag }) => etag).join(''))}-${parts.length}`
  upload.open = false
  cloud.onChange(cloud)
  return receipt()
}

function abort(cloud, body) {
  const [refusal, upload] = held(cloud, body)
  if (refusal) return refusal
  if (isStored(cloud, upload)) return error(409, 'already_complete')
  Object.assign(upload, { open: false, parts: new Map(), aborted: true })
  cloud.onChange(cloud)
  return json({ state: 'aborted' })
}

/** OSS forgets an upload, as a lifecycle rule makes it do. */
function forget(cloud, id) {
  Object.assign(cloud.uploads.get(id), { open: false, parts: new Map() })
}

/** A URL has to be good when the request begins; how long its bytes take does not matter. */
function putPart(cloud, { url, header, data, began }) {
  const { pathname, searchParams } = new URL(url)
  const upload = cloud.uploads.get(searchParams.get('uploadId'))
  const known = Object.entries(header).filter(([name]) => !/^referer$/i.test(name))
  if (known.length !== 1 || known[0][0].toLowerCase() !== 'content-type' || known[0][1] !== SIGNED_TYPE) {
    return xml(403, 'SignatureDoesNotMatch', `signed with content-type alone, sent with ${JSON.stringify(header)}`)
  }
  if (!(data instanceof ArrayBuffer)) throw new Error(`a part is bytes, not ${typeof data}`)
  const number = Number(searchParams.get('partNumber'))
  const signature = upload.signed.get(searchParams.get('x-oss-signature'))
  if (!signature || signature.number !== number || pathname !== `/${upload.key}`) return xml(403, 'SignatureDoesNotMatch', 'not what was signed')
  if (began + cloud.clockAhead > signature.ends) return xml(403, 'AccessDenied', 'Request has expired.')
  if (data.byteLength !== sizeOf(upload, number)) return xml(403, 'SignatureDoesNotMatch', 'the length is signed')
  if (!upload.open) return xml(404, 'NoSuchUpload', 'The specified upload does not exist.')
  cloud.puts.push({ id: upload.id, number, size: data.byteLength, again: upload.parts.has(number), at: cloud.time() })
  const bytes = Buffer.from(data)
  const etag = md5(cloud.encrypted ? `secret ${md5(bytes)}` : bytes)
  upload.parts.set(number, { size: bytes.length, etag, ...(cloud.keep && { bytes: Buffer.from(bytes) }) })
  cloud.onChange(cloud)
  return { statusCode: 200, data: '', header: { ETag: `"${etag}"` } }
}

function form(cloud, body, request) {
  const files = body.files || [body]
  for (const each of files) {
    const [refusal] = wanted(cloud, each, request)
    if (refusal) return refusal
  }
  const made = files.map(({ filename }) => {
    const uploadId = crypto.randomBytes(8).toString('hex')
    const key = `forms/${uploadId}`
    return { url: BUCKET, key, fileUrl: `${BUCKET}/${key}`, formData: { key, policy: 'p', filename }, uploadId, maxSize: 2 ** 33, expiresAt: iso(cloud.time() + 300000) }
  })
  return json(body.files ? { uploads: made, serverTime: iso(cloud.time()) } : { ...made[0], serverTime: iso(cloud.time()) })
}

function postForm(cloud, { formData, bytes }) {
  cloud.forms.push({ key: formData.key, size: bytes.length })
  cloud.objects.set(formData.key, bytes)
  cloud.onChange(cloud)
  return { statusCode: 200, data: '', header: {} }
}

module.exports = { openCloud, BUCKET, FUNCTION, LEAST_PART, xml, error }
