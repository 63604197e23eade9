'use strict'

/** <oss-uploader> as a Vue component, built by uni-app: in a simulated mini-program, and as an H5 page in Chromium. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { startLocalCloud } = require('../../test/local_cloud')
const { createWx } = require('../../test/wx')
const { findChromium, launch } = require('../../../tests/playground/chromium')
const { build, open, pointTo } = require('./check')

const PAGE = 'pages/share/share'
const PICTURE = path.join(__dirname, '../../../tests/playground/picture.png')
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

let cloud
let folder

before(async () => {
  cloud = await startLocalCloud()
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tag-'))
})

after(async () => {
  await cloud?.stop()
  fs.rmSync(folder, { recursive: true })
})

async function until(isSo, what) {
  for (const end = Date.now() + 30000; !await isSo();) {
    if (Date.now() > end) throw new Error(`not in time; the page shows: ${await what()}`)
    await new Promise((resolve) => { setTimeout(resolve, 10) })
  }
}

describe('as mp-weixin', () => {
  let page
  let phone
  let choose

  before(() => {
    const target = path.join(folder, 'weixin')
    pointTo(cloud.function, build('uni-app', 'dist/tag/mp-weixin'), target)
    phone = Object.assign(createWx(), {
      showActionSheet: ({ success }) => success({ tapIndex: 1 }),
      chooseMedia: (options) => choose(options),
    })
    page = open(target, phone, PAGE)
  })

  after(() => {
    page?.detach() // it asks for the state of what was submitted
    phone?.close()
  })

  const tag = () => page.querySelector('.r') // uni-app gives what has a ref this class
  const shown = () => page.dom.innerHTML
  const textsIn = (component, selector) => component.querySelectorAll(selector).map(({ dom }) => dom.textContent)

  async function tap(component, selector) {
    await until(() => component.querySelector(selector), shown)
    component.querySelector(selector).dispatchEvent('tap')
  }

  test('pictures are uploaded, and their receipts are submitted in the order shown', async () => {
    const paths = ['a.png', 'b.png'].map((name) => path.join(folder, name))
    paths.forEach((each) => fs.copyFileSync(PICTURE, each))
    choose = ({ count, success }) => {
      assert.equal(count, 9)
      success({ tempFiles: paths.map((tempFilePath) => ({ tempFilePath, size: fs.statSync(tempFilePath).size, fileType: 'image' })) })
    }
    await tap(tag(), '.add')
    await until(() => textsIn(tag(), '.hint').join() === '添加 2/9', shown)
    await tap(page, '.submit')
    await until(() => /2 张图片的回执/.test(page.dom.textContent), shown)
    assert.deepEqual(textsIn(tag(), '.mark'), ['审核中', '审核中'])
    assert.equal(phone.platform.calls.filter(({ api }) => api === 'uploadFile').length, 2)
  })
})

describe('as H5', { skip: !findChromium() && !process.env.CI && 'needs chromium (apt install chromium fonts-noto-cjk)' }, () => {
  let browser
  let server
  let origin

  before(async () => {
    const target = path.join(folder, 'h5')
    server = http.createServer((request, response) => (request.method === 'POST' ? forward(request, response) : serveFile(target, request, response)))
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve) })
    origin = `http://127.0.0.1:${server.address().port}`
    pointTo(`${origin}/fn`, build('uni-app', 'dist/tag/h5', 'build:h5', 'index.html'), target)
    browser = await launch()
  })

  after(async () => {
    await browser?.close()
    server?.close()
    server?.closeAllConnections()
  })

  /** The function under the page's own origin, as a gateway would have it. */
  async function forward(request, response) {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const { authorization = '' } = request.headers
    const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) }
    const answer = await fetch(cloud.function + request.url.replace('/fn', ''), { method: 'POST', headers, body: Buffer.concat(chunks) })
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(Buffer.from(await answer.arrayBuffer()))
  }

  function serveFile(target, request, response) {
    const name = path.join(target, new URL(request.url, origin).pathname.replace(/\/$/, '/index.html'))
    if (!fs.existsSync(name)) { response.writeHead(404).end(); return }
    response.writeHead(200, { 'content-type': TYPES[path.extname(name)] || 'application/octet-stream' }).end(fs.readFileSync(name))
  }

  for (const colorScheme of ['light', 'dark']) {
    test(`pictures are uploaded, removed and submitted in a browser (${colorScheme})`, async () => {
      const page = await browser.newPage({ viewport: { width: 390, height: 700 }, colorScheme, isMobile: true, hasTouch: true })
      await page.goto(`${origin}/#/${PAGE}`)
      const choose = async (...names) => {
        const choosing = page.waitForEvent('filechooser')
        await page.click('.add')
        await page.click('text=从相册选择')
        await (await choosing).setFiles(names.map((name) => ({ name, mimeType: 'image/png', buffer: fs.readFileSync(PICTURE) })))
      }
      await choose('one.png', 'two.png', 'three.png')
      await page.waitForFunction(() => document.querySelectorAll('.item-held').length === 3)
      await page.click('.cross >> nth=1')
      await page.waitForFunction(() => document.querySelectorAll('.item-held').length === 2)
      await page.locator('.tick').press('Space')
      assert.equal(await page.getAttribute('.tick', 'aria-checked'), 'true')
      assert.ok((await page.locator('.tick').boundingBox()).height >= 44)
      await choose('declared.png')
      await page.waitForSelector('.notice')
      assert.equal(await page.textContent('.hint'), '添加 3/9')
      if (process.env.PICTURES) await page.screenshot({ path: path.join(process.env.PICTURES, `h5-${colorScheme}.png`) })
      await page.click('.submit')
      await page.waitForFunction(() => /3 张图片的回执/.test(document.querySelector('.result').textContent))
      assert.deepEqual(await page.locator('.mark').allTextContents(), ['审核中', '审核中', '审核中', '可能为 AI 生成合成内容'])
      assert.equal(await page.locator('.cross, .add').count(), 0)
      await page.close()
    })
  }
})
