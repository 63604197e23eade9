'use strict'

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

module.exports = { verifyReceipt }
