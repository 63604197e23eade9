'use strict'

/** An H5 page of one's own in a browser: ALLOWED_ORIGINS of .env opens function and bucket of the local cloud to it, and to no other. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { startLocalCloud } = require('../../miniprogram/test/local_cloud')
const { launch } = require('./chromium')
const { PICTURE, shortenPauses } = require('./page')

const ROOT = path.join(__dirname, '../..')
const OF_THE_PROJECT = ['manage.py', 'handler.py', 'bytecode.py', 'sts_credentials.py', 'function', 'local', 'ops', 'miniprogram/example/utils/oss-direct-upload']
const PROFILES = '[default]\nkey = "uploads/{owner}/{id}{ext}"\nmax_size = "10MiB"\ncontent_types = ["image/*"]\nconfirm = true\n'

describe('an H5 page', () => {
  const project = fs.mkdtempSync(path.join(os.tmpdir(), 'h5-'))
  const pages = http.createServer(answer)
  let cloud
  let browser
  let token

  before(async () => {
    await new Promise((resolve) => { pages.listen(0, resolve) })
    OF_THE_PROJECT.forEach((name) => fs.cpSync(path.join(ROOT, name), path.join(project, name), { recursive: true }))
    fs.writeFileSync(path.join(project, 'profiles.toml'), PROFILES)
    fs.writeFileSync(path.join(project, '.env'), `ALLOWED_ORIGINS=${origin('127.0.0.1')}\nCALLER_AUTH=jwt\n`)
    cloud = await startLocalCloud({ project })
    token = (await (await fetch(`${cloud.playground}/config.json`)).json()).businessToken
    browser = await launch()
  })

  after(async () => {
    await browser?.close()
    await cloud?.stop()
    pages.close()
    pages.closeAllConnections()
    fs.rmSync(project, { recursive: true, force: true })
  })

  const origin = (host) => `http://${host}:${/** @type {any} */ (pages.address()).port}`

  /** What becomes of an upload by a page of this origin: its key, or the error's code. */
  async function uploadFrom(host) {
    const page = await browser.newPage()
    await page.goto(origin(host))
    await page.evaluate(shortenPauses)
    return page.evaluate(async ({ endpoint, bytes, businessToken }) => {
      const [{ createUploader }, { createBrowserApi, filesFrom }] = await Promise.all(['index', 'browser'].map((name) => import(`/${name}.mjs`)))
      const uploader = createUploader({ endpoint, api: createBrowserApi(), user: 'u-1', retries: 0, getToken: () => businessToken })
      const [file] = filesFrom([new File([new Uint8Array(bytes)], 'photo.png', { type: 'image/png' })])
      return uploader.upload(file).promise.then(({ key, receipt }) => (receipt ? key : ''), ({ code }) => code)
    }, { endpoint: cloud.function, bytes: [...PICTURE], businessToken: token })
  }

  test('an origin of ALLOWED_ORIGINS logs in with a token of the business, uploads and gets a receipt', async () => {
    const key = await uploadFrom('127.0.0.1')
    assert.match(key, /^uploads\//)
    assert.ok(cloud.object(key).equals(PICTURE))
  })

  test('any other origin, be it another name of the same machine, is a network error', async () => {
    assert.equal(await uploadFrom('localhost'), 'network')
  })
})

function answer({ url }, response) {
  const file = path.join(ROOT, 'miniprogram/example/utils/oss-direct-upload', path.basename(url))
  const isModule = url.endsWith('.mjs')
  response.writeHead(200, { 'content-type': isModule ? 'text/javascript' : 'text/html' })
  response.end(isModule ? fs.readFileSync(file) : '<!doctype html><link rel="icon" href="data:,">')
}
