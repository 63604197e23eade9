'use strict'

/** Pages of the example: the first, one's own pictures, the avatar, and posts that others see once they are checked; their tag is tested in uploader.test.js. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, afterEach, before, beforeEach, mock, test } = require('node:test')
const { jsonError, startBusiness, startFunction, startOss, DROP } = require('./servers')
const stage = require('./stage')
const { choices, loadPages, pageOf, tagOf, until, EXAMPLE } = stage
const { createWx } = require('./wx')

let oss
let fc
let business
let wx
let folder
let render
let renderPictures
let renderAvatar
let renderPost
let page

mock.method(console, 'warn', () => {}) // for the developer

before(async () => {
  oss = await startOss()
  fc = await startFunction(oss, { tickets: true })
  business = await startBusiness(fc)
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'example-'))
  ;[render, renderPictures, renderAvatar, renderPost] = loadPages(createWx(), fc.origin, ['upload', 'pictures', 'avatar', 'post'], business.origin)
  wx = Object.assign(global.wx, { clipboard: [], previews: [], opened: [], dialogs: [], refreshed: 0 }) // the simulator's own, with ours in it
  Object.assign(wx, {
    setClipboardData: ({ data }) => wx.clipboard.push(data),
    previewMedia: ({ sources, current }) => wx.previews.push(sources[current].url),
    navigateTo: ({ url }) => wx.opened.push(url),
    stopPullDownRefresh: () => { wx.refreshed += 1 },
  })
})

after(async () => {
  wx.close()
  await Promise.all([fc.stop(), oss.stop(), business.stop()])
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
  for (const answers of [...Object.values(fc.plan), business.plan, business.posts]) answers.length = 0
  Object.assign(fc.state, { tickets: true, held: false })
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

test('a failure is one sentence on the page', async () => {
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
  await showPictures(t, 'there.jpg')
  wx.showModal = ({ success }) => success({ confirm: true })
  fc.plan.delete.push(jsonError(403, 'forbidden'))
  await tap('.cross')
  await until(() => data().message, page)
  assert.deepEqual([shown(), textOf('.note-error')], [['there.jpg'], ['这个账号没有权限。再试一次']])
})

test('files come by thirty as the user reaches the bottom, and begin anew on a pull', async (t) => {
  const { refreshed } = wx
  await showPictures(t, ...Array.from({ length: 70 }, (_, index) => `many-${100 + index}.jpg`))
  for (const count of [30, 60, 70, 70]) {
    assert.equal(data().files.length, count)
    await page.instance.onReachBottom()
  }
  oss.objects.delete('uploads/user/many-100.jpg')
  await page.instance.onPullDownRefresh()
  assert.deepEqual([data().files.length, shown()[0], wx.refreshed], [30, 'many-101.jpg', refreshed + 1])
})

test('a page that comes too late for a list that began anew is not shown', async (t) => {
  await showPictures(t, ...Array.from({ length: 40 }, (_, index) => `many-${100 + index}.jpg`))
  await Promise.all([page.instance.onReachBottom(), page.instance.begin()])
  assert.equal(new Set(shown()).size, shown().length)
  assert.equal(shown().length, 30)
})

test('a missing list is named to the developer, and asked for again on a tap', async (t) => {
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
  await changeAvatar(t, 'old.png')
  fc.plan.sign.push(jsonError(415, 'unsupported_type'))
  await page.instance.chosen({ detail: { avatarUrl: picture('new.png').tempFilePath } })
  assert.deepEqual([textOf('.note-error'), data().sending, oss.objects.size], [['不支持这种文件，请换一个。'], false, 1])
  assert.match(data().src, /old\.png\?x-oss-process=thumb$/)
})

test('a missing option for replacing is named to the developer, and the old avatar stays', async (t) => {
  await changeAvatar(t, 'old.png')
  fc.plan.sign.push(jsonError(400, 'bad_request'))
  await page.instance.chosen({ detail: { avatarUrl: picture('new.png').tempFilePath } })
  assert.deepEqual([textOf('.note-error'), oss.objects.size], [['用途 avatar 缺 delete'], 1])
})

test('an old avatar that is not the user\'s is forgotten, so that the next attempt is not refused for it', async (t) => {
  await changeAvatar(t, 'old.png')
  fc.plan.sign.push(jsonError(403, 'forbidden'))
  for (const name of ['one.png', 'two.png']) await page.instance.chosen({ detail: { avatarUrl: picture(name).tempFilePath } })
  assert.deepEqual([fc.signRequests().slice(-1)[0].body.replaces, data().message], [undefined, ''])
})

// --- posts

/** A test on the page of posts. */
const onPost = (title, run) => test(title, async (t) => {
  page.detach()
  fc.state.held = true
  wx.showModal = ({ content, success }) => { wx.dialogs.push(content); success({ confirm: true }) }
  page = renderPost()
  await page.instance.onShow()
  await run(t)
})

const draft = () => tagOf(page, '#draft')
const marksOf = (tag) => tag.data.items.map(({ word }) => word)
const verdict = (upload, state) => Object.assign(upload, { state })

const draw = (...names) => choices(wx, draft(), names.map((name) => picture(name, 10)))

/** Upload pictures and publish them; what the function knows of each. */
async function publish(text, ...names) {
  await draw(...names)
  page.instance.write({ detail: { value: text } })
  await tap('.button')
  await until(() => data().sent && !data().sending, page)
  return business.posts[0].receipts.map((receipt) => fc.state.uploads.get(receipt))
}

/** Receipts as they really look. */
function asReal() {
  business.posts[0].receipts = business.posts[0].receipts.map((receipt) => {
    fc.state.uploads.set(`eyJ${receipt}`, fc.state.uploads.get(receipt))
    return `eyJ${receipt}`
  })
  wx.setStorageSync(`my-posts ${business.origin}`, [[business.posts[0].id, business.posts[0].receipts]])
}

onPost('before the first upload the user is told that pictures are uploaded and checked', async () => {
  await draw('first.jpg')
  assert.match(wx.dialogs[0], /立即上传.*审核/)
  assert.match(textOf('.notice')[0], /审核通过后，其他人才能看到/)
})

onPost('nothing is published without a picture, and a draft that is being published is left alone', async () => {
  const posted = () => business.requests.filter(({ method }) => method === 'POST').length
  await tap('.button')
  assert.deepEqual([posted(), textOf('.button-off').length], [0, 1])
  await draw('one.jpg')
  page.instance.publish()
  await tap('.button')
  await until(() => data().sent && !data().sending, page)
  assert.equal(posted(), 1)
})

onPost('publishing hands the receipts and the text to the business; the pictures stay until the next draft', async () => {
  await publish('海边', 'one.jpg', 'two.jpg')
  const { body } = business.requests.filter(({ method }) => method === 'POST').at(-1)
  const names = body.receipts.map((receipt) => path.basename(fc.state.uploads.get(receipt).key).replace(/^\d+-/, ''))
  assert.deepEqual([body.text, names], ['海边', ['one.jpg', 'two.jpg']])
  assert.deepEqual([marksOf(draft()), data().posts], [['审核中', '审核中'], []])
  await tap('.button')
  await until(() => data().posts.length === 1, page)
  assert.deepEqual([draft().data.items, data().text, data().canPublish], [[], '', false])
})

onPost("one's own posts are followed by their receipts: one passes, one does not", async () => {
  const [good, bad] = await publish('一好一坏', 'good.jpg', 'risky.jpg')
  asReal()
  await page.instance.again()
  await until(() => textOf('.tag').join() === '审核中', page)
  assert.match(page.dom.textContent, /图片审核通过后，其他人才能看到。/)
  verdict(good, 'published')
  verdict(bad, 'rejected')
  await until(() => textOf('.tag').join() === '已发布', page)
  assert.match(page.dom.textContent, /1 张图片没有通过审核，其他人看不到。/)
  assert.deepEqual(data().posts[0].standing.kind, 'published')
})

onPost('whoever has not published sees nothing that is not published', async () => {
  const uploads = await publish('别人的', 'theirs.jpg', 'risky.jpg', 'third.jpg')
  wx.setStorageSync(`my-posts ${business.origin}`, [])
  await page.instance.again()
  assert.deepEqual(data().posts, [])
  verdict(uploads[0], 'published')
  verdict(uploads[1], 'rejected')
  await page.instance.refresh()
  assert.deepEqual(data().posts.map(({ value }) => value), [[uploads[0].key]])
  assert.deepEqual(textOf('.tag'), [])
})

onPost('pulling down asks the business anew, and the newest twenty posts are shown', async () => {
  const [upload] = await publish('多', 'many.jpg')
  verdict(upload, 'published')
  for (let count = 0; count < 30; count += 1) business.posts.push({ ...business.posts[0], id: `old-${count}` })
  await page.instance.again()
  const refreshed = wx.refreshed
  await page.instance.onPullDownRefresh()
  assert.deepEqual([wx.refreshed, data().posts.length], [refreshed + 1, 20])
  assert.equal(JSON.parse(fs.readFileSync(`${pageOf('post')}.json`, 'utf8')).enablePullDownRefresh, true)
})

onPost('a post that could not be sent stays a draft, and is sent once', async () => {
  await draw('draft.jpg')
  business.plan.push(DROP)
  await tap('.button')
  await until(() => textOf('.note-error').length && !data().sending, page)
  assert.match(textOf('.note-error')[0], /^网络不通，请检查后再试。/)
  await tap('.button')
  await until(() => data().sent && !data().sending, page)
  assert.equal(business.posts.length, 1)
})

onPost('pictures that expired meanwhile are told so, and can be cleared', async () => {
  await draw('expired.jpg')
  business.plan.push(jsonError(409, 'not_uploaded'))
  await tap('.button')
  await until(() => textOf('.note-error').length, page)
  assert.match(textOf('.note-error')[0], /^有图片已经失效，请删去后重新选择。/)
  await tap('.link')
  await until(() => draft().data.items.length === 0, page)
  assert.deepEqual(textOf('.note-error'), [])
})

onPost('a wrong or unlisted address of the business is named to the developer', async (t) => {
  business.plan.push(jsonError(404, 'not_found'))
  await page.instance.refresh()
  assert.match(textOf('.note-error')[0], /^config\.js 中的 BUSINESS 不对：http/)
  t.mock.method(wx, 'request', ({ fail }) => fail({ errMsg: 'request:fail url not in domain list' }))
  await page.instance.refresh()
  assert.match(textOf('.note-error')[0], /^在 request 合法域名 中加入 http/)
})

onPost('a list that does not come is told, and asked for again on a tap', async () => {
  verdict((await publish('还在', 'there.jpg'))[0], 'published')
  await page.instance.again()
  business.plan.push(jsonError(503, 'busy'))
  await page.instance.refresh()
  assert.match(textOf('.note-error')[0], /^服务正忙，请稍后再试。/)
  assert.equal(data().posts.length, 1, 'what was there stays')
  await tap('.link')
  await until(() => !textOf('.note-error').length, page)
})

onPost('leaving the page takes back what was not published, and nothing that was', async () => {
  await publish('发了', 'sent.jpg')
  await page.instance.again()
  await draw('left.jpg')
  await until(() => draft().data.items[0].state === 'held', page)
  const discards = () => fc.requestsTo('discard').filter(({ body }) => /left\.jpg$/.test(fc.state.uploads.get(body.receipt).key))
  page.detach()
  await until(() => discards().length === 1, page)
  assert.equal(fc.state.uploads.get(business.posts[0].receipts[0]).state, 'checking')
  page = renderPost()
})

// --- the whole

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
