'use strict'

/** The page of posts: pictures that are seen by others once they have been checked. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, afterEach, before, beforeEach, test } = require('node:test')
const { jsonError, startBusiness, startFunction, startOss, DROP } = require('./servers')
const stage = require('./stage')
const { choices, loadPages, pageOf, tagOf, until } = stage
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
  ;[render] = loadPages(createWx(), fc.origin, ['post'], business.origin)
  wx = Object.assign(global.wx, { dialogs: [], refreshed: 0 }) // the simulator's own, with ours in it
  wx.showModal = ({ content, success }) => { wx.dialogs.push(content); success({ confirm: true }) }
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
  page.detach()
  await until(() => wx.platform.calls.every((call) => call.settled), page)
  business.plan.length = 0
  business.posts.length = 0
  for (const answers of Object.values(fc.plan)) answers.length = 0
})

const draft = () => tagOf(page, '#draft')
const data = () => page.instance.data
const textOf = (selector) => stage.textOf(page, selector)
const tap = (selector, index) => stage.tap(page, selector, index)
const marksOf = (tag) => tag.data.items.map(({ word }) => word)
const verdict = (upload, state) => Object.assign(upload, { state })

async function choose(...names) {
  await choices(wx, draft(), names.map((name) => {
    const tempFilePath = path.join(folder, name)
    fs.writeFileSync(tempFilePath, 'some bytes')
    return { tempFilePath, size: 10, fileType: 'image' }
  }))
}

/** Upload pictures and publish them; what the function knows of each. */
async function publish(text, ...names) {
  await choose(...names)
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

test('before the first upload the user is told that pictures are uploaded and checked', async () => {
  await choose('first.jpg')
  assert.match(wx.dialogs[0], /立即上传.*审核/)
  assert.match(textOf('.notice')[0], /审核通过后，其他人才能看到/)
})

test('nothing is published without a picture, and a draft that is being published is left alone', async () => {
  const posted = () => business.requests.filter(({ method }) => method === 'POST').length
  await tap('.button')
  assert.deepEqual([posted(), textOf('.button-off').length], [0, 1])
  await choose('one.jpg')
  page.instance.publish()
  await tap('.button')
  await until(() => data().sent && !data().sending, page)
  assert.equal(posted(), 1)
})

test('publishing hands the receipts and the text to the business; the pictures stay until the next draft', async () => {
  await publish('海边', 'one.jpg', 'two.jpg')
  const { body } = business.requests.filter(({ method }) => method === 'POST').at(-1)
  const names = body.receipts.map((receipt) => path.basename(fc.state.uploads.get(receipt).key).replace(/^\d+-/, ''))
  assert.deepEqual([body.text, names], ['海边', ['one.jpg', 'two.jpg']])
  assert.deepEqual([marksOf(draft()), data().posts], [['审核中', '审核中'], []])
  await tap('.button')
  await until(() => data().posts.length === 1, page)
  assert.deepEqual([draft().data.items, data().text, data().canPublish], [[], '', false])
})

test("one's own posts are followed by their receipts: one passes, one does not", async () => {
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

test('whoever has not published sees nothing that is not published', async () => {
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

test('pulling down asks the business anew, and the newest twenty posts are shown', async () => {
  const [upload] = await publish('多', 'many.jpg')
  verdict(upload, 'published')
  for (let count = 0; count < 30; count += 1) business.posts.push({ ...business.posts[0], id: `old-${count}` })
  await page.instance.again()
  const refreshed = wx.refreshed
  await page.instance.onPullDownRefresh()
  assert.deepEqual([wx.refreshed, data().posts.length], [refreshed + 1, 20])
  assert.equal(JSON.parse(fs.readFileSync(`${pageOf('post')}.json`, 'utf8')).enablePullDownRefresh, true)
})

test('a post that could not be sent stays a draft, and is sent once', async (t) => {
  t.mock.method(console, 'warn', () => {})
  await choose('draft.jpg')
  business.plan.push(DROP)
  await tap('.button')
  await until(() => textOf('.note-error').length && !data().sending, page)
  assert.match(textOf('.note-error')[0], /^网络不通，请检查后再试。/)
  await tap('.button')
  await until(() => data().sent && !data().sending, page)
  assert.equal(business.posts.length, 1)
})

test('pictures that expired meanwhile are told so, and can be cleared', async (t) => {
  t.mock.method(console, 'warn', () => {})
  await choose('expired.jpg')
  business.plan.push(jsonError(409, 'not_uploaded'))
  await tap('.button')
  await until(() => textOf('.note-error').length, page)
  assert.match(textOf('.note-error')[0], /^有图片已经失效，请删去后重新选择。/)
  await tap('.link')
  await until(() => draft().data.items.length === 0, page)
  assert.deepEqual(textOf('.note-error'), [])
})

test('a wrong or unlisted address of the business is named to the developer', async (t) => {
  t.mock.method(console, 'warn', () => {})
  business.plan.push(jsonError(404, 'not_found'))
  await page.instance.refresh()
  assert.match(textOf('.note-error')[0], /^config\.js 中的 BUSINESS 不对：http/)
  t.mock.method(wx, 'request', ({ fail }) => fail({ errMsg: 'request:fail url not in domain list' }))
  await page.instance.refresh()
  assert.match(textOf('.note-error')[0], /^在 request 合法域名 中加入 http/)
})

test('a list that does not come is told, and asked for again on a tap', async (t) => {
  t.mock.method(console, 'warn', () => {})
  verdict((await publish('还在', 'there.jpg'))[0], 'published')
  await page.instance.again()
  business.plan.push(jsonError(503, 'busy'))
  await page.instance.refresh()
  assert.match(textOf('.note-error')[0], /^服务正忙，请稍后再试。/)
  assert.equal(data().posts.length, 1, 'what was there stays')
  await tap('.link')
  await until(() => !textOf('.note-error').length, page)
})

test('leaving the page takes back what was not published, and nothing that was', async () => {
  await publish('发了', 'sent.jpg')
  await page.instance.again()
  await choose('left.jpg')
  await until(() => draft().data.items[0].state === 'held', page)
  const discards = () => fc.requestsTo('discard').filter(({ body }) => /left\.jpg$/.test(fc.state.uploads.get(body.receipt).key))
  page.detach()
  await until(() => discards().length === 1, page)
  assert.equal(fc.state.uploads.get(business.posts[0].receipts[0]).state, 'checking')
  page = render()
})
