'use strict'

// For each line "id, timestamp, signature, secret, body" with tabs its event and key, or "refused".
const fs = require('node:fs')

const { verifyWebhook } = require('./webhooks.js')

for (const line of fs.readFileSync(0, 'utf8').trimEnd().split('\n')) {
  const [id, timestamp, signature, secret, body] = line.split('\t')
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
  try {
    const { event, claims } = verifyWebhook(Buffer.from(body), headers, secret)
    console.log(`${event} ${claims.key}`)
  } catch {
    console.log('refused')
  }
}
