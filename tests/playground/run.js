'use strict'

/** Runs the browser tests; without a Chromium a line says so, which is a failure where CI is set. */

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { findChromium } = require('./chromium')

const NONE = 'the browser tests of the playground: needs chromium (apt install chromium fonts-noto-cjk)'
const tests = fs.readdirSync(__dirname).filter((name) => name.endsWith('.test.js')).map((name) => path.join(__dirname, name))

if (findChromium()) {
  const { status } = spawnSync(process.execPath, ['--test', ...tests], { stdio: 'inherit' })
  process.exitCode = status === null ? 1 : status
} else {
  // As node counts them.
  const count = tests.flatMap((file) => fs.readFileSync(file, 'utf8').match(/^ *(test|it)\(/gm) || []).length
  console.log(`${NONE}\n# skipped ${count}`)
  process.exitCode = process.env.CI ? 1 : 0
}
