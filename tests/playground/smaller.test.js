'use strict'

/** Pictures made smaller on an H5 page, by the canvas of a real browser. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { launch } = require('./chromium')

const CLIENT = path.join(__dirname, '../../miniprogram/example/utils/oss-direct-upload')
const MIB = 1024 ** 2
const PHOTOS = Number(process.env.PHOTOS) || 1 // of 20, in two minutes

describe('on an H5 page', () => {
  const server = http.createServer((request, response) => {
    const isPage = request.url === '/'
    response.writeHead(200, { 'content-type': isPage ? 'text/html' : 'text/javascript' })
    const name = path.basename(request.url)
    response.end(isPage ? '<!doctype html><link rel="icon" href="data:,">' : fs.readFileSync(path.join(name === 'photos.mjs' ? __dirname : CLIENT, name)))
  })
  let browser
  let page

  before(async () => {
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve) })
    browser = await launch()
    page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${/** @type {any} */ (server.address()).port}/`)
  })

  after(async () => {
    await browser?.close()
    server.close()
    server.closeAllConnections()
  })

  /** A picture with a red left half beside noise; what became of it. */
  const shrink = (facts) => page.evaluate(async ({ width, height, type, alpha, compress }) => {
    const [{ shrink: run }, { createBrowserApi }] = await Promise.all(['smaller', 'browser'].map((name) => import(`/${name}.mjs`)))
    const canvas = new OffscreenCanvas(width, height)
    const context = canvas.getContext('2d')
    const tile = new ImageData(64, 64)
    tile.data.forEach((_, index) => { tile.data[index] = index % 4 === 3 ? 255 : (index * 7919) % 251 })
    const noise = new OffscreenCanvas(64, 64)
    noise.getContext('2d').putImageData(tile, 0, 0)
    context.fillStyle = context.createPattern(noise, 'repeat')
    if (!alpha) context.fillRect(0, 0, width, height)
    context.fillStyle = '#f00'
    context.fillRect(0, 0, width / 2, height)
    const blob = await canvas.convertToBlob({ type, quality: 0.95 })
    const job = { filePath: blob, name: 'a.jpg', size: blob.size, progress: 0, compress }
    await run(job, { api: createBrowserApi() })
    const made = await createImageBitmap(job.filePath)
    return { ...job.compressed, width: made.width, height: made.height, isSame: job.filePath === blob }
  }, { type: 'image/jpeg', compress: true, ...facts })

  for (let index = 20 - PHOTOS; index < 20; index += 1) {
    test(`photo ${index} of 12 megapixels comes out upright and sharp, under a mebibyte and 2,048 pixels`, async (t) => {
      const wanted = 2e6 + index * 5e5
      const found = await page.evaluate(async ([number, bytes]) => (await import('/photos.mjs')).measure(number, bytes), [index, wanted])
      const { before: size, after: made, orientation, ms, width, height, type, reds, ssim } = found
      t.diagnostic(`orientation ${orientation}: ${size} to ${made} bytes, ${ms} ms, SSIM ${ssim.toFixed(3)}`)
      assert.ok(size > 1.9e6 && made < MIB, `${size} to ${made}`)
      assert.deepEqual([width, height, type], [2048, 1536, 'image/jpeg'])
      assert.deepEqual(reds, [true, false, false, false], 'upright')
      assert.ok(ssim >= 0.92, `SSIM ${ssim}`)
    })
  }

  test('a long screenshot stays wide enough to be read', async () => {
    const { before: size, after: made, width, type } = await shrink({ width: 1242, height: 8000, type: 'image/png', compress: { maxBytes: 300000 } })
    assert.ok(made < size && width >= 720, `${size} to ${made}, ${width} wide`)
    assert.equal(type, 'image/jpeg')
  })

  test('what one can see through stays a PNG', async () => {
    const { type, width, isSame } = await shrink({ width: 3000, height: 2000, type: 'image/png', alpha: true })
    assert.deepEqual([type, width, isSame], ['image/png', 2048, false])
  })

  test('what is larger than every canvas is made as narrow as can be read', async () => {
    const { before: size, after: made, width } = await shrink({ width: 1100, height: 16300 })
    assert.equal(width, 720)
    assert.ok(made < size, `${size} to ${made}`)
  })
})
