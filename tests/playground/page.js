'use strict'

/** The playground of a local cloud in a browser, begun anew for each test; a mistake of the page's own fails its test. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { after, afterEach, before } = require('node:test')
const { startLocalCloud } = require('../../miniprogram/test/local_cloud')
const { launch } = require('./chromium')

const PICTURE = fs.readFileSync(path.join(__dirname, 'picture.png'))
const PHOTO = { name: 'photo.png', mimeType: 'image/png', buffer: PICTURE }

/** In a `describe`: what its tests have, with `cloud`, `browser` and `page` as they are at the time. */
function inPlayground({ patience = 15000, options = [] } = {}) {
  const here = {
    mistakes: [],
    /** A page that nobody was on before. A new one is half a second, so one of the usual screen is kept. */
    async open(screen) {
      if (screen || !here.page || here.page.isClosed()) {
        here.page = await here.browser.newPage({ locale: 'zh-CN', ...screen })
        here.page.setDefaultTimeout(patience)
        here.page.on('pageerror', (error) => here.mistakes.push(error.message))
        here.isUsual = !screen
      }
      await here.visit()
      return here.page
    },
    async visit() {
      await here.page.goto(here.cloud.playground)
      await here.isReady()
    },
    isReady: () => here.page.waitForSelector('body[data-ready]'),
    /** The upload with all that comes after it. */
    isOver: () => here.page.waitForSelector('#upload:enabled'),
    statusIs: (text) => here.page.waitForFunction((wanted) => document.getElementById('status').textContent.includes(wanted), text),
  }
  before(async () => {
    here.cloud = await startLocalCloud({ options })
    here.browser = await launch()
  })
  after(async () => {
    await here.browser?.close()
    await here.cloud?.stop()
  })
  afterEach(async () => {
    if (!here.isUsual) await here.page?.close()
    else if (!here.page.isClosed()) await forget(here.page)
    assert.deepEqual(here.mistakes.splice(0), [])
  })
  return here
}

async function forget(page) {
  await page.unrouteAll()
  await page.evaluate(() => {
    Storage.prototype.setItem = () => {} // by what is still under way
    localStorage.clear()
    sessionStorage.clear()
  })
  await page.goto('about:blank')
}

/** In a page: what the client waits before it calls a function again that does not answer. */
function shortenPauses() {
  const real = window.setTimeout
  Object.assign(window, { setTimeout: (run, wait, ...values) => real(run, wait >= 500 && wait < 20000 ? wait / 100 : wait, ...values) })
}

module.exports = { PHOTO, PICTURE, inPlayground, shortenPauses }
