'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, afterEach, before, beforeEach, test } = require('node:test')
const { jsonError, startFunction, startOss, HANG } = require('./servers')
const { loadPage, EXAMPLE, PAGE } = require('./example_page')
const { createWx } = require('./wx')

let oss
let fc
let wx
let folder
let render
let page

before(async () => {
  oss = await startOss()
  fc = await startFunction(oss)
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'example-'))
  wx = Object.assign(createWx(), { clipboard: [], dialogs: [], previews: [] })
  Object.assign(wx, {
    setClipboardData: ({ data }) => wx.clipboard.push(data),
    showModal: ({ content }) => wx.dialogs.push(content),
    previewImage: ({ urls }) => wx.previews.push(...urls),
  })
  render = loadPage(wx, fc.origin)
  wx = global.wx // the simulator's own, with ours in it
})

after(async () => {
  wx.close()
  await Promise.all([fc.stop(), oss.stop()])
  fs.rmSync(folder, { recursive: true })
})

beforeEach(() => { page = render() })

afterEach(() => {
  page.detach()
  oss.plan.length = 0
  fc.plan.sign.length = 0
})

function picture(name, size = 100) {
  const tempFilePath = path.join(folder, name)
  fs.writeFileSync(tempFilePath, 'x'.repeat(size))
  return { tempFilePath, size, fileType: 'image' }
}

async function choose(...tempFiles) {
  wx.chooseMedia = ({ success }) => success({ tempFiles })
  await tap('.choice-main')
}

async function tap(selector, index = 0) {
  page.querySelectorAll(selector)[index].dispatchEvent('tap')
  await new Promise((resolve) => { setImmediate(resolve) }) // the simulator hands taps on later
}

const textOf = (selector) => page.querySelectorAll(selector).map(({ dom }) => dom.textContent)
const states = () => page.instance.data.items.map(({ state }) => state)

async function until(isSo) {
  const end = Date.now() + 5000
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`not in time; the page shows: ${page.dom.textContent}`)
    await new Promise((resolve) => { setTimeout(resolve, 2) })
  }
}

test('an empty page invites to choose', () => {
  assert.match(page.dom.textContent, /还没有文件/)
  assert.deepEqual(textOf('.choice'), ['选照片或视频', '选聊天文件'])
})

test('chosen pictures are uploaded at once, with a progress bar each and one for all', async () => {
  await choose(picture('a.jpg', 3000), picture('b.jpg', 2000))
  assert.equal(page.querySelectorAll('.item').length, 2)
  assert.equal(page.querySelectorAll('.item .bar').length, 2)
  await until(() => states().every((state) => state === 'done'))
  assert.deepEqual(textOf('.state'), ['已完成', '已完成'])
  assert.match(textOf('.overall')[0], /全部结束 100%/)
  assert.match(textOf('.overall')[0], /共 2 个，完成 2 个/)
  assert.equal(oss.objects.size, 2)
})

test('a picture is shown as a thumbnail and in full on a tap', async () => {
  const chosen = picture('thumb.jpg')
  await choose(chosen)
  assert.equal(page.querySelectorAll('.thumb-file').length, 0)
  await tap('.thumb')
  assert.deepEqual(wx.previews, [chosen.tempFilePath])
  await until(() => states()[0] === 'done')
})

test('the receipt is shown and can be copied', async () => {
  oss.plan.push({ status: 200, store: true, body: { status: 'ok', receipt: 'header.payload.signature' } })
  await choose(picture('receipt.jpg'))
  await until(() => states()[0] === 'done')
  assert.match(textOf('.note')[0], /header\.payload\.signature/)
  await tap('.fact .link', 1)
  assert.equal(wx.clipboard.at(-1), 'header.payload.signature')
})

test('a failure is one sentence for the user; trying it again is offered where that helps', async (t) => {
  t.mock.method(console, 'warn', () => {})
  fc.plan.sign.push(jsonError(503, 'sts_unavailable', 'STS does not answer.', { 'Retry-After': '61' }))
  await choose(picture('busy.jpg'))
  await until(() => states()[0] === 'failed')
  assert.deepEqual(textOf('.note-error'), ['服务正忙，请在 61 秒后再试。'])
  assert.deepEqual(textOf('.actions .link'), ['移除'], 'whoever taps at once is refused again')
})

test('a failure that may pass is tried again on a tap', async (t) => {
  t.mock.method(console, 'warn', () => {})
  const { uploadFile } = wx
  wx.uploadFile = ({ fail }) => { setImmediate(fail, { errMsg: 'uploadFile:fail -101:net::ERR_CONNECTION_RESET' }) }
  t.after(() => { wx.uploadFile = uploadFile })
  await choose(picture('lost.jpg'))
  await until(() => states()[0] === 'failed')
  assert.deepEqual(textOf('.note-error'), ['网络不通，请检查后再试。'])
  wx.uploadFile = uploadFile
  await tap('.actions .link')
  await until(() => states()[0] === 'done')
  assert.equal(page.querySelectorAll('.note-error').length, 0)
})

test('a file that is refused for what it is cannot be tried again, only removed', async (t) => {
  const told = t.mock.method(console, 'warn', () => {})
  const limits = { maxSize: 2097152, minSize: 1, contentTypes: ['image/jpeg'] }
  const error = { code: 'too_large', message: 'size is over the 2097152 bytes allowed here.', requestId: 'r', limits }
  fc.plan.sign.push({ status: 413, body: { error } })
  await choose(picture('large.jpg'))
  await until(() => states()[0] === 'failed')
  assert.deepEqual(textOf('.note-error'), ['文件太大，最大 2 MB。'])
  assert.match(textOf('.overall')[0], /未完成 1 个$/)
  assert.deepEqual(textOf('.actions .link'), ['移除'])
  assert.doesNotMatch(page.dom.textContent, /max_size|README|size is over/)
  assert.match(String(told.mock.calls[0].arguments), /max_size.*2097152/, 'the developer reads it in the console')
})

test('an upload is cancelled and taken up again', async () => {
  oss.plan.push(HANG)
  const posts = oss.posts.length
  await choose(picture('cancel.jpg'))
  await until(() => oss.posts.length > posts)
  await tap('.actions .link-danger')
  await until(() => states()[0] === 'cancelled')
  assert.deepEqual(textOf('.state'), ['已取消'])
  await tap('.actions .link')
  await until(() => states()[0] === 'done')
})

test('all uploads are cancelled and tried again together', async () => {
  oss.plan.push(HANG, HANG)
  const posts = oss.posts.length
  await choose(picture('c.jpg'), picture('d.jpg'))
  await until(() => oss.posts.length === posts + 2)
  await tap('.overall .link-danger')
  await until(() => states().every((state) => state === 'cancelled'))
  await tap('.overall .link')
  await until(() => states().every((state) => state === 'done'))
})

test('a finished file is removed from the list', async () => {
  await choose(picture('e.jpg'))
  await until(() => states()[0] === 'done')
  await tap('.link-quiet')
  assert.equal(page.querySelectorAll('.item').length, 0)
  assert.match(page.dom.textContent, /还没有文件/)
})

test('a chosen file keeps its name and has no thumbnail', async () => {
  const { tempFilePath } = picture('tmp_1.pdf')
  wx.chooseMessageFile = ({ success }) => success({ tempFiles: [{ path: tempFilePath, name: '合同.pdf', size: 100, type: 'file' }] })
  await tap('.choice', 1)
  assert.deepEqual(textOf('.name'), ['合同.pdf'])
  assert.deepEqual(textOf('.thumb-file'), ['文件'])
  await until(() => states()[0] === 'done')
  assert.equal(fc.signRequests().at(-1).body.filename, '合同.pdf')
})

test('closing the picker is no mistake, another failure of it is told', async () => {
  wx.chooseMedia = ({ fail }) => fail({ errMsg: 'chooseMedia:fail cancel' })
  await tap('.choice-main')
  assert.deepEqual(wx.dialogs, [])
  wx.chooseMedia = ({ fail }) => fail({ errMsg: 'chooseMedia:fail auth deny' })
  await tap('.choice-main')
  assert.deepEqual(wx.dialogs, ['没有得到授权，请在设置中允许。'])
})

test('leaving the page ends its uploads', async () => {
  oss.plan.push(HANG)
  const posts = oss.posts.length
  await choose(picture('f.jpg'))
  await until(() => oss.posts.length > posts)
  page.detach()
  await until(() => wx.platform.calls.every(({ settled }) => settled))
  page = render()
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

test('every handler the page names exists, and the project is whole', () => {
  const wxml = fs.readFileSync(`${PAGE}.wxml`, 'utf8')
  const handlers = [...wxml.matchAll(/bind\w+="(\w+)"/g)].map(([, name]) => name)
  assert.ok(handlers.length > 8)
  handlers.forEach((name) => assert.equal(typeof page.instance[name], 'function', name))
  const read = (name) => JSON.parse(fs.readFileSync(path.join(EXAMPLE, name), 'utf8'))
  read('app.json').pages.forEach((each) => {
    ['js', 'json', 'wxml', 'wxss'].forEach((kind) => assert.ok(fs.existsSync(path.join(EXAMPLE, `${each}.${kind}`))))
  })
  assert.equal(read('project.config.json').setting.urlCheck, false)
  read(read('app.json').sitemapLocation)
})
