'use strict'

const { Webhook } = require('standardwebhooks')

// body: the bytes as they came, before any JSON parser
function verifyWebhook(body, headers, secret) {
  const event = new Webhook(secret, { format: 'raw' }).verify(body, headers)
  if (event.receipt) event.claims = JSON.parse(Buffer.from(event.receipt.split('.')[1], 'base64url'))
  return event
}

module.exports = { verifyWebhook }
