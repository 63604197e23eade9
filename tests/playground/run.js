'use strict'

/** Runs the browser tests; without a Chromium it says so loudly, as its last words, and is no failure. */

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { findChromium } = require('./chromium')

const LINE = '!'.repeat(80)
const NONE = `
${LINE}
!!  THE BROWSER TESTS OF THE PLAYGROUND DID NOT RUN: no Chromium was found.
!!  Install one (Debian: apt-get install chromium), or name one in CHROMIUM, and run
!!  npm run test:playground
${LINE}
`

if (findChromium()) {
  const tests = fs.readdirSync(__dirname).filter((name) => name.endsWith('.test.js')).map((name) => path.join(__dirname, name))
  const { status } = spawnSync(process.execPath, ['--test', ...tests], { stdio: 'inherit' })
  process.exitCode = status === null ? 1 : status
} else {
  console.error(NONE)
}
