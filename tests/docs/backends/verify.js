'use strict'

// For each line "receipt secret" of standard input the receipt's key, seen and order, or "refused".
const fs = require('node:fs')

const { verifyReceipt } = require('./receipts.js')

for (const line of fs.readFileSync(0, 'utf8').trimEnd().split('\n')) {
  try {
    const { key, seen, context } = verifyReceipt(...line.split(' '))
    console.log(`${key} ${seen} ${context.order}`)
  } catch {
    console.log('refused')
  }
}
