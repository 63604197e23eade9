'use strict'

// Commit the receipts of the second argument at the function of the first: the state or code of each.
const { commit } = require('./commits.js')
const [url, receipts, secret] = process.argv.slice(2)

commit(url, receipts.split(','), secret).then((told) => {
  console.log(told.map((entry) => entry.state || entry.error.code).join(' '))
})
