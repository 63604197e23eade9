'use strict'

const crypto = require('node:crypto')

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

module.exports = { call, commit, introspect }
