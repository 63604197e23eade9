'use strict'

/** The example's first page, that of one's own pictures and that of the avatar; what their tag does is in uploader.test.js. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, afterEach, before, beforeEach, test } = require('node:test')
const { jsonError, startFunction, startOss } = require('./servers')
const stage = require('./stage')
const { choices, loadPages, pageOf, tagOf, until, EXAMPLE } = stage
const { createWx } = require('./wx')

let oss
let fc
let wx
let folder
let render
let renderPictures
let renderAvatar
let page

before(async () => {
  oss = await startOss()
  fc = await startFunction(oss, { tickets: true })
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'example-'))
  ;[render, renderPictures, renderAvatar] = loadPages(createWx(), fc.origin, ['upload', 'pictures', 'avatar'])
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
  oss.objects.clear()
  wx.removeStorageSync(`my-avatar ${fc.origin}`)
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
const textOf = (selector) => stage.textOf(page, selector)
const tap = (selector, index) => stage.tap(page, selector, index)

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
  for (let index = 0; index < 5; index += 1) await tap('.more .link', index)
  assert.deepEqual(wx.opened.splice(0), ['pictures', 'avatar', 'video', 'post', 'share'].map((name) => `/pages/${name}/${name}`))
})

/** The page of one's own pictures, after these were stored. */
async function showPictures(t, ...names) {
  names.forEach((name) => oss.objects.set(`uploads/user/${name}`, Buffer.from(name)))
  const upload = page
  page = renderPictures()
  t.after(() => upload.detach())
  await until(() => data().done || data().message || data().files.length, page)
}

const shown = () => data().files.map(({ name }) => name)

test('what a user has stored is shown in its order: pictures as thumbnails that open large, files by their names', async (t) => {
  await showPictures(t, 'a.jpg', 'b.pdf', 'c.jpg')
  assert.deepEqual(data().files.map(({ src }) => src.replace(/^.*user./, '')), ['a.jpg?x-oss-process=thumb', '', 'c.jpg?x-oss-process=thumb'])
  assert.equal(textOf('.file .code')[0], 'b.pdf')
  await tap('.file', 2)
  await until(() => wx.previews.length, page)
  assert.match(wx.previews.pop(), /c\.jpg\?x-oss-process=large$/)
})

test('a file is deleted when its user says so, and only then', async (t) => {
  await showPictures(t, 'gone.jpg', 'there.jpg')
  const answers = [false, true]
  wx.showModal = ({ success }) => success({ confirm: answers.shift() })
  await tap('.cross')
  assert.equal(fc.requestsTo('delete').length, 0)
  await tap('.cross')
  await until(() => data().files.length === 1, page)
  assert.deepEqual([shown(), [...oss.objects.keys()]], [['there.jpg'], ['uploads/user/there.jpg']])
})

test('a file that can not be deleted stays, and the page says why', async (t) => {
  t.mock.method(console, 'warn', () => {})
  await showPictures(t, 'there.jpg')
  wx.showModal = ({ success }) => success({ confirm: true })
  fc.plan.delete.push(jsonError(403, 'forbidden'))
  await tap('.cross')
  await until(() => data().message, page)
  assert.deepEqual([shown(), textOf('.note-error')], [['there.jpg'], ['这个账号没有权限。再试一次']])
})

test('nothing uploaded is said so', async (t) => {
  await showPictures(t)
  assert.match(page.dom.textContent, /还没有图片/)
})

test('files come by thirty as the user reaches the bottom, and begin anew on a pull', async (t) => {
  let stopped = 0
  wx.stopPullDownRefresh = () => { stopped += 1 }
  await showPictures(t, ...Array.from({ length: 70 }, (_, index) => `many-${100 + index}.jpg`))
  for (const count of [30, 60, 70, 70]) {
    assert.equal(data().files.length, count)
    await page.instance.onReachBottom()
  }
  oss.objects.delete('uploads/user/many-100.jpg')
  await page.instance.onPullDownRefresh()
  assert.deepEqual([data().files.length, shown()[0], stopped], [30, 'many-101.jpg', 1])
})

test('a page that comes too late for a list that began anew is not shown', async (t) => {
  await showPictures(t, ...Array.from({ length: 40 }, (_, index) => `many-${100 + index}.jpg`))
  await Promise.all([page.instance.onReachBottom(), page.instance.begin()])
  assert.equal(new Set(shown()).size, shown().length)
  assert.equal(shown().length, 30)
})

test('a missing list is named to the developer, and asked for again on a tap', async (t) => {
  t.mock.method(console, 'warn', () => {})
  fc.plan.list.push(jsonError(404, 'not_found'))
  await showPictures(t, 'late.jpg')
  assert.deepEqual(textOf('.note-error'), ['用途 default 缺 list再试一次'])
  await tap('.note .link')
  await until(() => data().files.length, page)
  assert.equal(data().message, '')
})

/** The page of the avatar, after this was chosen. */
async function changeAvatar(t, ...names) {
  const upload = page
  page = renderAvatar()
  t.after(() => upload.detach())
  for (const name of names) await page.instance.chosen({ detail: { avatarUrl: picture(name).tempFilePath } })
}

test('a new avatar replaces the old one, and is shown when the page is opened again', async (t) => {
  await changeAvatar(t, 'old.png', 'new.png')
  assert.deepEqual([...oss.objects.keys()].map((key) => path.basename(key).replace(/^\d+-/, '')), ['new.png'])
  const [first, second] = fc.signRequests().slice(-2).map(({ body }) => body)
  assert.deepEqual([first.profile, first.replaces, /old\.png$/.test(second.replaces)], ['avatar', undefined, true])
  page.instance.show()
  await until(() => /new\.png\?x-oss-process=thumb$/.test(data().src), page)
})

test('an avatar that can not be stored leaves the old one, and the page says why', async (t) => {
  t.mock.method(console, 'warn', () => {})
  await changeAvatar(t, 'old.png')
  fc.plan.sign.push(jsonError(415, 'unsupported_type'))
  await page.instance.chosen({ detail: { avatarUrl: picture('new.png').tempFilePath } })
  assert.deepEqual([textOf('.note-error'), data().sending, oss.objects.size], [['不支持这种文件，请换一个。'], false, 1])
  assert.match(data().src, /old\.png\?x-oss-process=thumb$/)
})

test('a missing option for replacing is named to the developer, and the old avatar stays', async (t) => {
  t.mock.method(console, 'warn', () => {})
  await changeAvatar(t, 'old.png')
  fc.plan.sign.push(jsonError(400, 'bad_request'))
  await page.instance.chosen({ detail: { avatarUrl: picture('new.png').tempFilePath } })
  assert.deepEqual([textOf('.note-error'), oss.objects.size], [['用途 avatar 缺 delete'], 1])
})

test('an old avatar that is not the user\'s is forgotten, so that the next attempt is not refused for it', async (t) => {
  t.mock.method(console, 'warn', () => {})
  await changeAvatar(t, 'old.png')
  fc.plan.sign.push(jsonError(403, 'forbidden'))
  for (const name of ['one.png', 'two.png']) await page.instance.chosen({ detail: { avatarUrl: picture(name).tempFilePath } })
  assert.deepEqual([fc.signRequests().slice(-1)[0].body.replaces, data().message], [undefined, ''])
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
  for (const name of ['upload', 'pictures', 'avatar', 'post', 'share'].map(pageOf)) {
    const script = fs.readFileSync(`${name}.js`, 'utf8')
    const handlers = [...fs.readFileSync(`${name}.wxml`, 'utf8').matchAll(/(?:bind|catch):?\w+="(\w+)"/g)].map(([, handler]) => handler)
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
