'use strict'

// As ask.py.
const fs = require('node:fs')

const { commit, introspect, verifyReceipt, verifyWebhook } = require('./uploads.js')

const ASKED = {
  receipt(receipt, secret) {
    const { key, seen, context } = verifyReceipt(receipt, secret)
    return [key, seen, context.order]
  },
  webhook(id, timestamp, signature, secret, body) {
    const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
    const { event, claims } = verifyWebhook(Buffer.from(body), headers, secret)
    return [event, claims.key]
  },
  async call(url, receipts, secret, session) {
    const told = await commit(url, receipts.split(','), secret)
    const { sub } = await introspect(url, session, secret)
    return [...told.map((entry) => entry.state || entry.error.code), sub || 'inactive']
  },
}

async function main() {
  for (const line of fs.readFileSync(0, 'utf8').trimEnd().split('\n')) {
    const [kind, ...fields] = line.split('\t')
    try {
      console.log((await ASKED[kind](...fields)).join(' '))
    } catch ({ status, code, requestId, message }) {
      console.log(status ? `${code} ${requestId} ${message}` : 'refused')
    }
  }
}

main()
