'use strict'

/** The Chromium of this machine: the one CHROMIUM names, else the first that is installed. */

const fs = require('node:fs')
const path = require('node:path')

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const MAC = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking']

function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM
  const folders = (process.env.PATH || '').split(path.delimiter)
  const candidates = folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name)))
  return [...candidates, ...MAC].find((each) => fs.existsSync(each)) || null
}

function launch(flags = []) {
  return require('playwright-core').chromium.launch({ executablePath: findChromium() || undefined, args: [...FLAGS, ...flags] })
}

module.exports = { findChromium, launch }
