'use strict'

/** The example's first page and that of one's own pictures; what their tag does is in uploader.test.js. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, afterEach, before, beforeEach, test } = require('node:test')
const { jsonError, startFunction, startOss } = require('./servers')
const { choices, loadPages, tagOf, until, EXAMPLE, PAGE, PICTURES, POST, SHARE } = require('./example_page')
const { createWx } = require('./wx')

let oss
let fc
let wx
let folder
let render
let renderPictures
let page

before(async () => {
  oss = await startOss()
  fc = await startFunction(oss, { tickets: true })
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'example-'))
  ;[render, renderPictures] = loadPages(createWx(), fc.origin, [PAGE, PICTURES])
  wx = Object.assign(global.wx, { clipboard: [], previews: [], opened: [] }) // the simulator's own, with ours in it
  Object.assign(wx, {
    setClipboardData: ({ data }) => wx.clipboard.push(data),
    previewMedia: ({ sources, current }) => wx.previews.push(sources[current].url),
    navigateTo: ({ url }) => wx.opened.push(url),
  })
})

after(async () => {
  wx.close()
  await Promise.all([fc.stop(), oss.stop()])
  fs.rmSync(folder, { recursive: true })
})

beforeEach(() => {
  wx.setStorageSync(`my-pictures ${fc.origin}`, [])
  page = render()
})

afterEach(async () => {
  page.detach()
  await until(() => wx.platform.calls.every(({ settled }) => settled), page)
  for (const answers of Object.values(fc.plan)) answers.length = 0
  fc.state.tickets = true
})

function picture(name, size = 100) {
  const tempFilePath = path.join(folder, name)
  fs.writeFileSync(tempFilePath, 'x'.repeat(size))
  return { tempFilePath, size, fileType: 'image' }
}

const tag = () => tagOf(page, '#files')
const choose = (...tempFiles) => choices(wx, tag(), tempFiles)
const data = () => page.instance.data
const textOf = (selector) => page.querySelectorAll(selector).map(({ dom }) => dom.textContent)

async function tap(selector, index = 0) {
  page.querySelectorAll(selector)[index].dispatchEvent('tap')
  await new Promise((resolve) => { setImmediate(resolve) }) // the simulator hands taps on later
}

async function submit() {
  await tap('.button')
  await until(() => data().stored.length || data().message, page)
}

test('chosen files are uploaded at once, and after submitting their keys and receipts can be copied', async () => {
  await choose(picture('a.jpg', 3000), picture('b.jpg', 2000))
  await submit()
  assert.equal(data().progress, 100)
  assert.equal(oss.objects.size, 2)
  assert.deepEqual(data().stored.map(({ key, receipt }) => [oss.objects.has(key), /^receipt\.of/.test(receipt)]), [[true, true], [true, true]])
  await tap('.fact .link', 0)
  await tap('.fact .link', 1)
  assert.deepEqual(wx.clipboard, [data().stored[0].key, data().stored[0].receipt])
  await tap('.button')
  assert.deepEqual([data().stored, tag().data.items], [[], []])
})

test('a profile without receipts says so', async () => {
  fc.state.tickets = false
  await choose(picture('plain.jpg'))
  await submit()
  assert.equal(data().stored[0].receipt, '')
  assert.match(page.dom.textContent, /没有回执/)
})

test('a failure is one sentence on the page', async (t) => {
  t.mock.method(console, 'warn', () => {})
  fc.plan.sign.push({ status: 413, body: { error: { code: 'too_large', message: 'm', requestId: 'r', limits: { maxSize: 2097152 } } } })
  await choose(picture('large.jpg'))
  await submit()
  assert.deepEqual(textOf('.note-error'), ['文件太大，最大 2 MB。'])
})

test('the other pages are a tap away', async () => {
  for (let index = 0; index < 4; index += 1) await tap('.more .link', index)
  assert.deepEqual(wx.opened.splice(0), ['pictures', 'video', 'post', 'share'].map((name) => `/pages/${name}/${name}`))
})

/** The page of one's own pictures, after these were uploaded. */
async function showPictures(t, ...names) {
  if (names.length) {
    await choose(...names.map((name) => picture(name)))
    await submit()
  }
  const upload = page
  page = renderPictures()
  t.after(() => upload.detach())
  page.instance.onShow()
  return tagOf(page, '#pictures')
}

test('what was submitted is among the pictures of its user, as thumbnails, and opens large; files are not', async (t) => {
  const mine = await showPictures(t, 'old.jpg', 'contract.pdf', 'new.jpg')
  await until(() => mine.data.items.length === 2 && mine.data.items.every(({ src }) => src), page)
  assert.deepEqual(mine.data.items.map(({ src }) => /(old|new)\.jpg\?x-oss-process=thumb$/.test(src)), [true, true])
  await mine.open({ currentTarget: { dataset: { id: mine.data.items[0].id } } })
  assert.match(wx.previews[0], /x-oss-process=large$/)
})

test('a picture that is removed is forgotten', async (t) => {
  const mine = await showPictures(t, 'gone.jpg', 'there.jpg')
  await until(() => mine.data.items.length === 2, page)
  mine.remove({ currentTarget: { dataset: { id: mine.data.items[0].id } } })
  await until(() => data().keys.length === 1, page)
  assert.deepEqual(wx.getStorageSync(`my-pictures ${fc.origin}`), data().keys)
})

test('nothing uploaded is nothing asked, and said so', async (t) => {
  const asked = fc.requests.length
  await showPictures(t)
  assert.match(page.dom.textContent, /还没有图片/)
  assert.equal(fc.requests.length, asked)
})

test('pictures come by thirty', async (t) => {
  wx.setStorageSync(`my-pictures ${fc.origin}`, Array.from({ length: 70 }, (_, index) => `uploads/user/many-${index}.jpg`))
  const mine = await showPictures(t)
  for (const count of [30, 60, 70]) {
    await until(() => mine.data.items.length === count, page)
    page.instance.onReachBottom()
  }
})

test('a missing read is named to the developer, and the pictures are asked for again on a tap', async (t) => {
  t.mock.method(console, 'warn', () => {})
  fc.plan.read.push(jsonError(404, 'not_found'))
  const mine = await showPictures(t, 'late.jpg')
  await until(() => data().failed, page)
  assert.equal(mine.data.message, '用途 default 缺 read')
  await tap('.link')
  await until(() => mine.data.items[0].src, page)
  assert.equal(data().failed, false)
})

test('the local cloud gets a login code that it knows, always of one user', () => {
  const codes = fc.requests.filter(({ url }) => url === '/login').map(({ body }) => body.code)
  assert.equal(codes.length, 1)
  assert.match(codes[0], /^local-\w+-\d+$/)
  assert.ok(codes[0].includes(wx.getStorageSync('local-user')))
})

test('only an address of this machine counts as local', () => {
  const { isLocal } = require(path.join(EXAMPLE, 'utils/local_login.js'))
  const addresses = ['http://127.0.0.1:9000', 'http://localhost', 'https://upload.example.com', 'http://127.0.0.1.example.com']
  assert.deepEqual(addresses.map(isLocal), [true, true, false, false])
})

test('every handler the pages name exists, and the project is whole', () => {
  for (const name of [PAGE, PICTURES, POST, SHARE]) {
    const script = fs.readFileSync(`${name}.js`, 'utf8')
    const handlers = [...fs.readFileSync(`${name}.wxml`, 'utf8').matchAll(/bind:?\w+="(\w+)"/g)].map(([, handler]) => handler)
    assert.ok(handlers.length)
    handlers.forEach((handler) => assert.match(script, new RegExp(`^    (async )?${handler}\\(`, 'm')))
  }
  const read = (name) => JSON.parse(fs.readFileSync(path.join(EXAMPLE, name), 'utf8'))
  read('app.json').pages.forEach((each) => {
    ['js', 'json', 'wxml'].forEach((kind) => assert.ok(fs.existsSync(path.join(EXAMPLE, `${each}.${kind}`))))
  })
  assert.equal(read('project.config.json').setting.urlCheck, false)
  read(read('app.json').sitemapLocation)
})
