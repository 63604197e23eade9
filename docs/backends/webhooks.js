'use strict'

const crypto = require('node:crypto')

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

module.exports = { verifyWebhook }
