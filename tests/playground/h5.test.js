'use strict'

/** An H5 page of one's own in a browser: ALLOWED_ORIGINS of .env opens the local cloud to it alone; its canvas makes pictures smaller. */

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
const MIB = 1024 ** 2
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

  /** A picture of noise with a red quarter above on the left, as it lies in its file; what became of it, and its red corners, clockwise. */
  async function shrink(facts) {
    const page = await browser.newPage()
    await page.goto(origin('127.0.0.1'))
    return page.evaluate(async ({ width, height, type = 'image/jpeg', alpha = false, orientation = 0 }) => {
      const [{ shrink: run }, { createBrowserApi }] = await Promise.all(['smaller', 'browser'].map((name) => import(`/${name}.mjs`)))
      const contextOf = (...sides) => new OffscreenCanvas(...sides).getContext('2d')
      const [context, noise, tile] = [contextOf(width, height), contextOf(64, 64), new ImageData(64, 64)]
      tile.data.forEach((_, index) => { tile.data[index] = index % 4 === 3 ? 255 : (index * 7919) % 251 })
      noise.putImageData(tile, 0, 0)
      context.fillStyle = context.createPattern(noise.canvas, 'repeat')
      if (!alpha) context.fillRect(0, 0, width, height)
      context.fillStyle = '#f00'
      context.fillRect(0, 0, width / 2, height / 2)
      const plain = await context.canvas.convertToBlob({ type, quality: 0.95 })
      const exif = [0xff, 0xe1, 0, 34, 69, 120, 105, 102, 0, 0, 77, 77, 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
      const blob = orientation ? new Blob([plain.slice(0, 2), new Uint8Array(exif), plain.slice(2)], { type }) : plain
      const job = { filePath: blob, name: 'a.jpg', size: blob.size, progress: 0, compress: true }
      await run(job, { api: createBrowserApi() })
      const made = await createImageBitmap(job.filePath)
      const seen = contextOf(made.width, made.height)
      seen.drawImage(made, 0, 0)
      const [right, low] = [made.width - 9, made.height - 9]
      const reds = [[9, 9], [right, 9], [right, low], [9, low]].map((place) => {
        const [red, green, blue] = seen.getImageData(...place, 1, 1).data
        return red > 200 && green < 60 && blue < 60
      })
      return { ...job.compressed, width: made.width, height: made.height, reds }
    }, facts)
  }

  for (let orientation = 1; orientation <= 8; orientation += 1) {
    test(`a photo that lies as EXIF ${orientation} comes out upright, within bytes and pixels, and no smaller than that needs`, async () => {
      const { before: size, after: made, width, height, type, reds } = await shrink({ width: 2600, height: 1950, orientation })
      assert.ok(size > made && made <= MIB && made > MIB / 8, `${size} to ${made}`)
      assert.deepEqual([width, height, type], [...(orientation > 4 ? [1536, 2048] : [2048, 1536]), 'image/jpeg'])
      assert.equal(reds.indexOf(true), (orientation - 1) % 4)
    })
  }

  test('what one can see through stays a PNG', async () => {
    const { type, width } = await shrink({ width: 3000, height: 2000, type: 'image/png', alpha: true })
    assert.deepEqual([type, width], ['image/png', 2048])
  })
})

function answer({ url }, response) {
  const file = path.join(ROOT, 'miniprogram/example/utils/oss-direct-upload', path.basename(url))
  const isModule = url.endsWith('.mjs')
  response.writeHead(200, { 'content-type': isModule ? 'text/javascript' : 'text/html' })
  response.end(isModule ? fs.readFileSync(file) : '<!doctype html><link rel="icon" href="data:,">')
}
