'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, afterEach, before, beforeEach, test } = require('node:test')
const { jsonError, startFunction, startOss, DROP, HANG } = require('./servers')
const { loadPages, EXAMPLE, PAGE, PICTURES } = require('./example_page')
const { hurryPauses } = require('./stage')
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
  fc = await startFunction(oss)
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'example-'))
  wx = Object.assign(createWx(), { clipboard: [], dialogs: [], previews: [], opened: [] })
  Object.assign(wx, {
    setClipboardData: ({ data }) => wx.clipboard.push(data),
    showModal: ({ content }) => wx.dialogs.push(content),
    previewImage: ({ urls, current }) => wx.previews.push({ urls, current }),
    navigateTo: ({ url }) => wx.opened.push(url),
  })
  ;[render, renderPictures] = loadPages(wx, fc.origin, [PAGE, PICTURES])
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
  for (const answers of Object.values(fc.plan)) answers.length = 0
  fc.state.tickets = false
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
  const end = Date.now() + 30000
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`not in time; the page shows: ${page.dom.textContent}`)
    await new Promise((resolve) => { setTimeout(resolve, 2) })
  }
}

test('an empty page invites to choose', () => {
  assert.match(page.dom.textContent, /还没有文件/)
  assert.deepEqual(textOf('.choice'), ['选照片或视频', '选聊天文件', '我的图片'])
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
  assert.deepEqual(wx.previews.at(-1).urls, [chosen.tempFilePath])
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

test('an upload that OSS vouches for says so, and has a receipt without any callback', async () => {
  fc.state.tickets = true
  await choose(picture('sure.jpg'))
  await until(() => states()[0] === 'done')
  assert.match(textOf('.note')[0], /receipt\.of\.ticket-\d+/)
  assert.equal(textOf('.confirmed').length, 1)
  assert.equal(page.querySelectorAll('.confirm').length, 0)
})

test('an upload that could not be confirmed is done, and is confirmed on a tap', async () => {
  fc.state.tickets = true
  fc.plan.confirm.push(jsonError(403, 'forbidden'), jsonError(403, 'forbidden'))
  await choose(picture('later.jpg'))
  await until(() => states()[0] === 'done')
  assert.deepEqual([textOf('.state'), textOf('.confirmed')], [['已完成'], []])
  await tap('.confirm')
  await until(() => textOf('.note-error').length)
  assert.deepEqual([textOf('.note-error'), states()], [['这个账号没有权限。'], ['done']])
  await tap('.confirm')
  await until(() => textOf('.confirmed').length)
  assert.deepEqual([textOf('.note-error'), page.querySelectorAll('.confirm').length], [[], 0])
})

test('an outcome that nobody knows is looked up on a tap: the file is there, or may be sent again', async (t) => {
  t.mock.method(console, 'warn', () => {})
  hurryPauses(t)
  Object.assign(fc.state, { tickets: true, life: 5 })
  t.after(() => { fc.state.life = 300 })
  for (const store of [true, false]) {
    oss.plan.push({ drop: true, store })
    fc.plan.confirm.push(DROP, DROP, DROP)
    await choose(picture(`lost-${store}.jpg`))
    await until(() => states().at(-1) === 'failed')
    assert.match(textOf('.note-error').at(-1), /^文件可能已传好/)
    await tap('.confirm')
    if (store) await until(() => states()[0] === 'done')
  }
  await until(() => page.instance.data.items[1].canRetry)
  assert.deepEqual(textOf('.note-error'), ['文件还没有传好，请重新上传。'])
  assert.equal(textOf('.confirmed').length, 1)
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
  hurryPauses(t)
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

/** The page of one's own pictures, after these were uploaded. */
async function showPictures(t, ...names) {
  wx.setStorageSync(`my-pictures ${fc.origin}`, [])
  if (names.length) await choose(...names.map((name) => picture(name)))
  await until(() => states().every((state) => state === 'done'))
  const upload = page
  page = renderPictures()
  t.after(() => upload.detach())
  await page.instance.onShow()
  return page.instance.data.pictures
}

test('what was uploaded is among the pictures of its user, the newest first, as thumbnails', async (t) => {
  await tap('.choice', 2)
  assert.deepEqual(wx.opened, ['/pages/pictures/pictures'])
  await showPictures(t, 'old.jpg')
  page.detach()
  page = render()
  await choose(picture('new.jpg'))
  await until(() => states()[0] === 'done')
  page.detach()
  page = renderPictures()
  await page.instance.onShow()
  assert.match(page.instance.data.pictures[0].thumb, /new\.jpg\?x-oss-process=thumb$/)
  assert.match(page.instance.data.pictures[1].thumb, /old\.jpg\?x-oss-process=thumb$/)
  assert.equal(page.querySelectorAll('.thumb').length, 2)
})

test('a tap shows the large picture, and the others beside it', async (t) => {
  const [first, second] = await showPictures(t, 'a.jpg', 'b.jpg')
  await tap('.thumb', 1)
  await until(() => wx.previews.at(-1).current)
  const { urls, current } = wx.previews.at(-1)
  assert.deepEqual(urls, [first, second].map(({ key }) => `${oss.origin}/${key}?x-oss-process=large`))
  assert.equal(current, urls[1])
})

test('nothing uploaded is nothing asked, and said so', async (t) => {
  const asked = fc.requests.length
  await showPictures(t)
  assert.match(page.dom.textContent, /还没有图片/)
  assert.equal(fc.requests.length, asked)
})

test('videos and files are not among the pictures', async (t) => {
  wx.setStorageSync(`my-pictures ${fc.origin}`, [])
  wx.chooseMessageFile = ({ success }) => success({ tempFiles: [{ path: picture('x.pdf').tempFilePath, name: 'x.pdf', size: 100, type: 'file' }] })
  await tap('.choice', 1)
  await until(() => states()[0] === 'done')
  t.after(() => page.detach())
  assert.deepEqual(wx.getStorageSync(`my-pictures ${fc.origin}`), [])
})

test('a picture that is gone says so, stays out of the preview, and is forgotten on a tap', async (t) => {
  const [, second] = await showPictures(t, 'gone.jpg', 'there.jpg')
  page.querySelectorAll('.thumb')[0].dispatchEvent('error')
  await until(() => page.instance.data.pictures[0].gone)
  await page.instance.onShow()
  assert.match(page.dom.textContent, /打不开了/)
  await page.instance.preview({ currentTarget: { dataset: { key: second.key } } })
  assert.equal(wx.previews.at(-1).urls.length, 1)
  await tap('.gone .link')
  await until(() => page.instance.data.pictures.length === 1)
  assert.deepEqual(wx.getStorageSync(`my-pictures ${fc.origin}`), [second.key])
})

test('pictures come by thirty', async (t) => {
  await showPictures(t)
  wx.setStorageSync(`my-pictures ${fc.origin}`, Array.from({ length: 70 }, (_, index) => `uploads/user/many-${index}.jpg`))
  await page.instance.onShow()
  for (const count of [30, 60, 70]) {
    assert.equal(page.querySelectorAll('.thumb').length, count)
    if (count < 70) await tap('.more')
    await until(() => page.instance.data.pictures.length > count || count === 70)
  }
  assert.equal(page.querySelectorAll('.more').length, 0)
})

for (const [status, code, text] of [[403, 'forbidden', '这个账号没有权限。'], [404, 'not_found', '服务出了问题，请联系客服。']]) {
  test(`pictures that ${code} keeps back are one sentence, and asked for again on a tap`, async (t) => {
    t.mock.method(console, 'warn', () => {})
    fc.plan.read.push(jsonError(status, code))
    await showPictures(t, `${code}.jpg`)
    assert.match(textOf('.note')[0], new RegExp(`^${text}`))
    assert.equal(/profiles\.toml/.test(textOf('.note')[0]), code === 'not_found')
    await tap('.note .link')
    await until(() => page.querySelectorAll('.thumb').length === 1)
    assert.equal(page.querySelectorAll('.note').length, 0)
  })
}

test('a preview that fails is told on the page', async (t) => {
  t.mock.method(console, 'warn', () => {})
  await showPictures(t, 'refused.jpg')
  fc.plan.read.push(jsonError(403, 'forbidden'))
  await tap('.thumb')
  await until(() => textOf('.note').length)
  assert.match(textOf('.note')[0], /^这个账号没有权限。/)
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
