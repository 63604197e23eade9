'use strict'

/** The page of posts: pictures that are seen by others once they have been checked. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, afterEach, before, beforeEach, test } = require('node:test')
const { jsonError, startBusiness, startFunction, startOss, DROP, HANG } = require('./servers')
const { loadPages, EXAMPLE, POST } = require('./example_page')
const { createWx } = require('./wx')

let oss
let fc
let business
let wx
let folder
let render
let page

before(async () => {
  oss = await startOss()
  fc = await startFunction(oss, { tickets: true, held: true })
  business = await startBusiness(fc)
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'example-'))
  const phone = createWx()
  phone.setStorageSync('told-about-uploads', true)
  ;[render] = loadPages(Object.assign(phone, { dialogs: [], previews: [], refreshed: 0 }), fc.origin, [POST], business.origin)
  wx = global.wx // the simulator's own, with ours in it
  wx.showModal = (options) => { wx.dialogs.push(options) }
  wx.previewImage = ({ urls, current }) => wx.previews.push({ urls, current })
  wx.stopPullDownRefresh = () => { wx.refreshed += 1 }
})

after(async () => {
  wx.close()
  await Promise.all([fc.stop(), oss.stop(), business.stop()])
  fs.rmSync(folder, { recursive: true })
})

beforeEach(async () => {
  page = render()
  await page.instance.onShow()
})

afterEach(async () => {
  page.instance.onHide()
  page.detach()
  await settled()
  oss.plan.length = 0
  business.plan.length = 0
  business.posts.length = 0
  wx.dialogs.length = 0
  for (const answers of Object.values(fc.plan)) answers.length = 0
})

function picture(name, size = 100) {
  const tempFilePath = path.join(folder, name)
  fs.writeFileSync(tempFilePath, 'x'.repeat(size))
  return { tempFilePath, size, fileType: 'image' }
}

async function choose(...tempFiles) {
  wx.chooseMedia = ({ success }) => success({ tempFiles })
  await tap('.plus')
}

async function tap(selector, index = 0) {
  page.querySelectorAll(selector)[index].dispatchEvent('tap')
  await new Promise((resolve) => { setImmediate(resolve) }) // the simulator hands taps on later
}

const textOf = (selector) => page.querySelectorAll(selector).map(({ dom }) => dom.textContent)
const data = () => page.instance.data
const states = () => data().items.map(({ state }) => state)
const allDone = () => until(() => states().length && states().every((state) => state === 'done'))
const asked = (route) => fc.requestsTo(route)
const settled = () => until(() => wx.platform.calls.every((call) => call.settled))
const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds) })

async function until(isSo) {
  const end = Date.now() + 30000
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`not in time; the page shows: ${page.dom.textContent}`)
    await new Promise((resolve) => { setImmediate(resolve) })
  }
}

const TIMEOUTS = [20000, 60000, 120000]

/** Let the page wait a thousand times shorter; `waits` has how long it wanted to. What a call may take stays. */
function hurry(t, waits = []) {
  const real = globalThis.setTimeout
  t.mock.method(globalThis, 'setTimeout', (run, wait = 0, ...args) => {
    if (TIMEOUTS.includes(wait)) return real(run, wait, ...args)
    waits.push(Math.round(wait))
    return real(run, wait / 1000, ...args)
  })
}

/** Upload pictures and publish them; what the function knows of each. */
async function publish(text, ...names) {
  await choose(...names.map((name) => picture(name)))
  await allDone()
  page.instance.write({ detail: { value: text } })
  await tap('.button')
  await until(() => data().posts.some((post) => post.text === text) && !data().sending)
  return business.posts[0].receipts.map((receipt) => fc.state.uploads.get(receipt))
}

const verdict = (upload, state) => Object.assign(upload, { state })

test('before the first upload the user is told that pictures are uploaded and checked', async () => {
  wx.removeStorageSync('told-about-uploads')
  let picked = 0
  wx.chooseMedia = () => { picked += 1 }
  await tap('.plus')
  assert.match(wx.dialogs[0].content, /立即上传.*审核/)
  wx.dialogs[0].success({ confirm: false })
  assert.equal(picked, 0, 'who does not want to is left alone')
  await tap('.plus')
  wx.dialogs[1].success({ confirm: true })
  await tap('.plus')
  assert.deepEqual([picked, wx.dialogs.length], [2, 2], 'and not told every time')
  assert.match(textOf('.notice')[0], /审核通过后，其他人才能看到/)
})

test("one's own picture is seen at once, from the phone, and is uploaded for this purpose", async () => {
  oss.plan.push(HANG)
  const chosen = picture('mine.jpg')
  await choose(chosen)
  assert.deepEqual(data().items.map(({ path: shown }) => shown), [chosen.tempFilePath])
  await until(() => asked('upload-params').length)
  assert.equal(asked('upload-params').at(-1).body.profile, 'post')
})

test('nothing can be published before every picture is stored', async () => {
  oss.plan.push(HANG)
  await choose(picture('slow.jpg'))
  const earlier = business.requests.length
  await tap('.button')
  assert.equal(business.requests.length, earlier)
  assert.equal(textOf('.button-off').length, 1)
})

test('a picture that is not wanted is taken back: the object is gone', async () => {
  await choose(picture('keep.jpg'), picture('drop.jpg'))
  await allDone()
  const discards = asked('discard').length
  await tap('.cross', 1)
  assert.deepEqual(data().items.map(({ path: shown }) => path.basename(shown)), ['keep.jpg'])
  await until(() => asked('discard').length > discards)
  const receipt = asked('discard').at(-1).body.receipt
  await until(() => fc.state.uploads.get(receipt).state === 'gone')
  assert.match(fc.state.uploads.get(receipt).key, /drop\.jpg$/)
})

test('a picture that is on its way is cancelled, and the others may be published', async () => {
  oss.plan.push(HANG)
  const posts = oss.posts.length
  await choose(picture('slow.jpg'))
  await until(() => oss.posts.length > posts)
  await choose(picture('quick.jpg'))
  await tap('.cross')
  await allDone()
  assert.equal(data().canPublish, true)
  assert.ok(wx.platform.calls.every((call) => call.settled))
})

test('a picture whose upload ends while it is removed is taken back', async (t) => {
  t.mock.method(console, 'warn', () => {})
  const discards = asked('discard').length
  await choose(picture('late.jpg'))
  const [{ id }] = data().items
  page.instance.succeed(id + 1000, { held: true, receipt: 'receipt.of.ticket-1' })
  await until(() => asked('discard').length > discards)
})

test('a failure is a sentence on its picture; another try is offered where it helps', async (t) => {
  t.mock.method(console, 'warn', () => {})
  oss.plan.push(...Array(3).fill({ status: 503, body: '<Error><Code>ServiceUnavailable</Code></Error>' }))
  hurry(t)
  await choose(picture('busy.jpg'))
  await until(() => states()[0] === 'failed')
  assert.deepEqual([textOf('.reason'), textOf('.again')], [['服务正忙，请稍后再试。'], ['重试']])
  await tap('.veil-failed')
  await allDone()
  fc.plan.sign.push({ status: 413, body: { error: { code: 'too_large', message: 'm', requestId: 'r', limits: { maxSize: 10 * 1024 ** 2 } } } })
  await choose(picture('large.jpg'))
  await until(() => states()[1] === 'failed')
  assert.deepEqual([textOf('.reason'), textOf('.again')], [['文件太大，最大 10 MB。'], []])
  const signs = asked('upload-params').length
  await tap('.veil-failed')
  assert.equal(asked('upload-params').length, signs)
})

test('publishing hands the receipts and the text to the business, and empties the draft', async () => {
  await publish('海边', 'one.jpg', 'two.jpg')
  const { body } = business.requests.filter(({ method }) => method === 'POST').at(-1)
  assert.equal(body.text, '海边')
  assert.deepEqual(body.receipts.map((receipt) => path.basename(fc.state.uploads.get(receipt).key)).map((name) => name.replace(/^\d+-/, '')), ['one.jpg', 'two.jpg'])
  assert.deepEqual([data().items, data().text, data().canPublish], [[], '', false])
})

test("review before release is told in the user's words, and is no error", async () => {
  await publish('等审核', 'wait.jpg')
  assert.deepEqual([textOf('.tag'), textOf('.mark')], [['审核中'], ['审核中']])
  assert.match(page.dom.textContent, /图片审核通过后，其他人才能看到。/)
  assert.equal(page.querySelectorAll('.note-error').length, 0)
  assert.equal(path.basename(data().posts[0].pictures[0].src), 'wait.jpg', 'its own user sees it, from the phone')
})

test('a picture that passes is published, and is shown by its URL', async (t) => {
  hurry(t)
  const [upload] = await publish('通过', 'good.jpg')
  verdict(upload, 'published')
  await until(() => textOf('.tag').join() === '已发布')
  const [{ src }] = data().posts[0].pictures
  assert.match(src, /good\.jpg\?x-oss-process=thumb$/)
  assert.deepEqual(textOf('.mark'), [])
})

test('a picture that does not pass is told so, and is shown to nobody', async (t) => {
  hurry(t)
  const [good, bad] = await publish('一好一坏', 'good.jpg', 'risky.jpg')
  verdict(good, 'published')
  verdict(bad, 'rejected')
  await until(() => textOf('.mark').join() === '未通过')
  assert.deepEqual(textOf('.tag'), ['已发布'])
  assert.match(page.dom.textContent, /1 张图片没有通过审核，其他人看不到。/)
  assert.deepEqual(data().posts[0].pictures.map(({ src }) => Boolean(src)), [true, false])
})

test('a post of which nothing passes did not pass', async (t) => {
  hurry(t)
  verdict((await publish('坏', 'risky.jpg'))[0], 'rejected')
  await until(() => textOf('.tag').join() === '未通过')
})

test('a picture that a human has to look at says that it may take longer', async (t) => {
  hurry(t)
  verdict((await publish('人工', 'review.jpg'))[0], 'review')
  await until(() => /需要人工审核|还要人工审核/.test(page.dom.textContent))
  assert.deepEqual(textOf('.tag'), ['审核中'])
})

test('whoever has not published sees nothing that is not published', async () => {
  const uploads = await publish('别人的', 'theirs.jpg', 'risky.jpg', 'third.jpg')
  wx.setStorageSync(`my-posts ${business.origin}`, [])
  await page.instance.refresh()
  assert.deepEqual(data().posts, [])
  verdict(uploads[0], 'published')
  verdict(uploads[1], 'rejected')
  await page.instance.refresh()
  const [post] = data().posts
  assert.deepEqual(post.pictures.map(({ key }) => key), [uploads[0].key])
  assert.deepEqual([textOf('.tag'), textOf('.mark')], [[], []])
})

test('nobody is asked while nobody looks, and as soon as somebody does', async (t) => {
  hurry(t)
  const [upload] = await publish('离开', 'away.jpg')
  await until(() => asked('status').length)
  page.instance.onHide()
  await settled()
  const earlier = asked('status').length
  await pause(5000)
  assert.equal(asked('status').length, earlier)
  verdict(upload, 'published')
  await page.instance.onShow()
  await until(() => textOf('.tag').join() === '已发布')
})

test('whoever waits longer is asked more and more rarely, and nobody once all is decided', async (t) => {
  const waits = []
  hurry(t, waits)
  const [upload] = await publish('很久', 'long.jpg')
  await until(() => waits.filter((wait) => wait === 45000).length > 1)
  const wanted = waits.filter((wait) => wait >= 1000)
  assert.deepEqual(wanted.slice(0, 11), [1000, 1600, 2560, 4096, 6554, 10486, 16777, 26844, 42950, 45000, 45000])
  verdict(upload, 'published')
  await until(() => textOf('.tag').join() === '已发布')
  const earlier = asked('status').length
  await pause(100000)
  assert.equal(asked('status').length, earlier)
})

test('a question that fails is asked again later, and shows no error', async (t) => {
  t.mock.method(console, 'warn', () => {})
  hurry(t)
  const [upload] = await publish('断网', 'lost.jpg')
  fc.plan.status.push(DROP, DROP, DROP)
  verdict(upload, 'published')
  await until(() => textOf('.tag').join() === '已发布')
  assert.equal(page.querySelectorAll('.note-error').length, 0)
})

test('a receipt that is refused is not asked about for ever', async (t) => {
  hurry(t)
  await publish('过期', 'old.jpg')
  const [{ receipts }] = business.posts
  fc.state.uploads.set('kept', fc.state.uploads.get(receipts[0]))
  business.posts[0].receipts = ['kept']
  fc.state.uploads.delete(receipts[0])
  const before = asked('status').length
  await until(() => asked('status').length > before)
  await settled()
  const earlier = asked('status').length
  await pause(100000)
  assert.equal(asked('status').length, earlier)
  assert.deepEqual(textOf('.tag'), ['审核中'])
})

test('pulling down asks the business anew', async () => {
  const [upload] = await publish('下拉', 'pull.jpg')
  verdict(upload, 'published')
  const refreshed = wx.refreshed
  await page.instance.onPullDownRefresh()
  assert.deepEqual([wx.refreshed, textOf('.tag')], [refreshed + 1, ['已发布']])
  assert.equal(JSON.parse(fs.readFileSync(`${POST}.json`, 'utf8')).enablePullDownRefresh, true)
})

test('a post that could not be sent stays a draft, and is sent once', async (t) => {
  t.mock.method(console, 'warn', () => {})
  await choose(picture('draft.jpg'))
  await allDone()
  business.plan.push(DROP)
  await tap('.button')
  await until(() => textOf('.note-error').length && !data().sending)
  assert.deepEqual([textOf('.note-error'), states()], [['网络不通，请检查后再试。'], ['done']])
  await tap('.button')
  await until(() => data().posts.length === 1 && !data().sending)
  assert.equal(business.posts.length, 1)
})

test('a draft that is being published is left alone', async () => {
  await choose(picture('sending.jpg'))
  await allDone()
  const discards = asked('discard').length
  let picked = 0
  wx.chooseMedia = () => { picked += 1 }
  page.instance.publish()
  await Promise.all(['.cross', '.plus', '.button'].map((selector) => tap(selector)))
  await until(() => data().posts.length === 1 && !data().sending)
  assert.deepEqual([asked('discard').length, picked, business.posts.length], [discards, 0, 1])
  assert.equal(business.requests.filter(({ method, body }) => method === 'POST' && body.receipts[0] === business.posts[0].receipts[0]).length, 1)
})

test('the newest twenty posts are shown', async () => {
  const [upload] = await publish('多', 'many.jpg')
  verdict(upload, 'published')
  const [post] = business.posts
  for (let count = 0; count < 30; count += 1) business.posts.push({ ...post, id: `old-${count}` })
  await page.instance.refresh()
  assert.equal(data().posts.length, 20)
})

test('a picture that expired meanwhile is told so in a sentence', async (t) => {
  t.mock.method(console, 'warn', () => {})
  await choose(picture('expired.jpg'))
  await allDone()
  business.plan.push(jsonError(409, 'not_uploaded'))
  await tap('.button')
  await until(() => textOf('.note-error').length)
  assert.deepEqual(textOf('.note-error'), ['有图片已经失效，请删去后重新选择。'])
})

test('a picture that could not be confirmed is confirmed when it is published', async () => {
  fc.plan.confirm.push(jsonError(403, 'forbidden'))
  await publish('后确认', 'later.jpg')
  assert.equal(business.posts.length, 1)
})

test('a list that does not come is told, and asked for again on a tap', async (t) => {
  t.mock.method(console, 'warn', () => {})
  await publish('还在', 'there.jpg')
  business.plan.push(jsonError(503, 'busy'))
  await page.instance.refresh()
  assert.match(textOf('.note-error')[0], /^服务正忙，请稍后再试。/)
  assert.equal(data().posts.length, 1, 'what was there stays')
  await tap('.link')
  await until(() => !textOf('.note-error').length)
})

test('a tap shows the large pictures of a post', async (t) => {
  hurry(t)
  const [good, waiting] = await publish('大图', 'good.jpg', 'wait.jpg')
  verdict(good, 'published')
  await until(() => /thumb/.test(data().posts[0].pictures[0].src))
  const { id } = data().posts[0]
  await page.instance.preview({ currentTarget: { dataset: { post: id, key: good.key } } })
  const { urls, current } = wx.previews.at(-1)
  assert.equal(urls[0], `${oss.origin}/${good.key}?x-oss-process=large`)
  assert.deepEqual([current, path.basename(urls[1]), waiting.state], [urls[0], 'wait.jpg', 'checking'])
})

test('a picture that the phone has cleared away is a grey place, not a broken one', async () => {
  await publish('清理', 'cleared.jpg')
  const [{ id, pictures: [{ key }] }] = data().posts
  page.instance.lose({ currentTarget: { dataset: { post: id, key } } })
  assert.equal(data().posts[0].pictures[0].src, '')
  assert.deepEqual(textOf('.mark'), ['审核中'])
})

test('leaving the page takes back what was not published', async () => {
  await choose(picture('left.jpg'))
  await allDone()
  const discards = asked('discard').length
  page.detach()
  await until(() => asked('discard').length > discards)
  const { receipt } = asked('discard').at(-1).body
  await until(() => fc.state.uploads.get(receipt).state === 'gone')
  page = render()
})

test('leaving the page takes back nothing that was published', async () => {
  await publish('发了', 'sent.jpg')
  const discards = asked('discard').length
  page.detach()
  await pause(30)
  assert.equal(asked('discard').length, discards)
  page = render()
})

test('closing the picker is no mistake, another failure of it is told', async () => {
  wx.chooseMedia = ({ fail }) => fail({ errMsg: 'chooseMedia:fail cancel' })
  await tap('.plus')
  assert.deepEqual(wx.dialogs, [])
  wx.chooseMedia = ({ fail }) => fail({ errMsg: 'chooseMedia:fail auth deny' })
  await tap('.plus')
  assert.deepEqual(wx.dialogs.map(({ content }) => content), ['没有得到授权，请在设置中允许。'])
})

test('at most nine pictures are chosen', async () => {
  await choose(...Array.from({ length: 8 }, (_, index) => picture(`${index}.jpg`)))
  let count
  wx.chooseMedia = (options) => { count = options.count }
  await tap('.plus')
  assert.equal(count, 1)
  await choose(picture('9.jpg'))
  assert.equal(page.querySelectorAll('.plus').length, 0)
})

test('every handler the page names exists', () => {
  const handlers = [...fs.readFileSync(`${POST}.wxml`, 'utf8').matchAll(/bind\w+="(\w+)"/g)].map(([, name]) => name)
  assert.ok(handlers.length > 7)
  handlers.forEach((name) => assert.equal(typeof page.instance[name], 'function', name))
  assert.ok(fs.existsSync(path.join(EXAMPLE, 'utils/business.js')))
})
