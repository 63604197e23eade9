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

describe('on an H5 page', () => {
  const server = http.createServer((request, response) => {
    const isPage = request.url === '/'
    response.writeHead(200, { 'content-type': isPage ? 'text/html' : 'text/javascript' })
    response.end(isPage ? '<!doctype html><link rel="icon" href="data:,">' : fs.readFileSync(path.join(CLIENT, path.basename(request.url))))
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

  /** A picture with a red left half, below a sky and noise; what became of it. */
  const shrink = (facts) => page.evaluate(async ({ width, height, type, orientation, alpha, compress }) => {
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
    let blob = await canvas.convertToBlob({ type, quality: 0.95 })
    if (orientation) {
      const exif = [0xff, 0xe1, 0, 34, 69, 120, 105, 102, 0, 0, 77, 77, 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
      blob = new Blob([blob.slice(0, 2), new Uint8Array(exif), blob.slice(2)], { type })
    }
    const job = { filePath: blob, name: 'a.jpg', size: blob.size, progress: 0, compress }
    await run(job, { api: createBrowserApi() })
    const made = await createImageBitmap(job.filePath)
    const seen = new OffscreenCanvas(made.width, made.height).getContext('2d')
    seen.drawImage(made, 0, 0)
    const redAt = (x, y) => { const [red, green] = seen.getImageData(Math.floor(x * made.width), Math.floor(y * made.height), 1, 1).data; return red > 200 && green < 60 }
    return { ...job.compressed, width: made.width, height: made.height, isSame: job.filePath === blob, isRedAbove: redAt(0.8, 0.1), isRedLeft: redAt(0.1, 0.8) }
  }, { type: 'image/jpeg', compress: true, ...facts })

  test('a photo of 12 megapixels that lies on its side comes out upright, under a mebibyte and 2,048 pixels', async () => {
    const { before: size, after: made, width, height, type, isRedAbove, isRedLeft } = await shrink({ width: 4032, height: 3024, orientation: 6 })
    assert.ok(size > MIB && made <= MIB, `${size} to ${made}`)
    assert.deepEqual([width, height, type, isRedAbove, isRedLeft], [1536, 2048, 'image/jpeg', true, false])
  })

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
