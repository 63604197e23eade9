'use strict'

// What a backend needs: verify receipts and webhooks, call the function.
const crypto = require('node:crypto')

function verifyReceipt(receipt, secret) {
  const [head, body, signature = '', ...more] = receipt.split('.')
  const expected = Buffer.from(crypto.createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url'))
  const given = Buffer.from(signature)
  if (more.length || given.length !== expected.length || !crypto.timingSafeEqual(given, expected)) throw new Error('bad signature')
  const claims = JSON.parse(Buffer.from(body, 'base64url'))
  if (JSON.parse(Buffer.from(head, 'base64url')).alg !== 'HS256') throw new Error('wrong algorithm')
  if (claims.aud !== 'oss-direct-upload/receipt' || !(claims.exp > Date.now() / 1000)) throw new Error('not a receipt, or expired')
  return claims
}

// body: the bytes as they came, before any JSON parser; headers: with names in lower case
function verifyWebhook(body, headers, secret) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers
  if (!(Math.abs(Date.now() / 1000 - timestamp) < 300)) throw new Error('too old or too new')
  const expected = Buffer.from(`v1,${crypto.createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64')}`)
  const given = signatures.split(' ').map((each) => Buffer.from(each))
  if (!given.some((each) => each.length === expected.length && crypto.timingSafeEqual(each, expected))) throw new Error('bad signature')
  const event = JSON.parse(body)
  if (event.receipt) event.claims = JSON.parse(Buffer.from(event.receipt.split('.')[1], 'base64url'))
  return event
}

// Throws the function's error: message, code, requestId, and the status of your answer; of several each has its own.
async function call(url, route, body, secret) {
  const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const exp = Math.floor(Date.now() / 1000) + 300
  const text = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded({ aud: 'oss-direct-upload/backend', exp })}`
  const token = `${text}.${crypto.createHmac('sha256', secret).update(text).digest('base64url')}`
  const answer = await fetch(`${url}/${route}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(15000),
  }).catch(({ message }) => ({ status: message, json: async () => ({}) }))
  const said = await answer.json().catch(() => ({}))
  if (!answer.ok) throw Object.assign(new Error(`${route}: ${answer.status}`), said.error, { status: 502 })
  return said
}

// For each receipt, in order, its state, or an error: repeat those later.
const commit = async (url, receipts, secret) => (await call(url, 'commit', { receipts }, secret)).results
// Whose session it is: sub, owner, exp; or active: false.
const introspect = (url, session, secret) => call(url, 'introspect', { token: session }, secret)

module.exports = { call, commit, introspect, verifyReceipt, verifyWebhook }
