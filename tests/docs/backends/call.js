'use strict'

// Commit receipts, then introspect a session: the state or code of each, and the subject; of an error code and id.
const { commit, introspect } = require('./calls.js')
const [url, receipts, secret, session] = process.argv.slice(2)

async function main() {
  const told = await commit(url, receipts.split(','), secret)
  const { sub } = await introspect(url, session, secret)
  console.log([...told.map((entry) => entry.state || entry.error.code), sub || 'inactive'].join(' '))
}

main().catch(({ code, requestId, message }) => {
  console.log(code, requestId, message)
  process.exitCode = 1
})
