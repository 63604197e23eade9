'use strict'

/** Pages as a user meets them with `make run`: the function, OSS, WeChat's check and the business of the local cloud. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, mock, test } = require('node:test')
const { startLocalCloud } = require('./local_cloud')
const { choices, loadPages, pageOf, tagOf, tap, textOf, until } = require('./stage')
const { createWx } = require('./wx')

const MOST_LINES = 20
const PICTURE = path.join(__dirname, '../../tests/playground/picture.png')
const LABELLED = Buffer.from(require('../../tests/vectors/ai_labels.json').files['J1.jpg'].base64, 'base64')

let cloud
let folder
let wx
let renderPost
let renderShare

mock.method(console, 'warn', () => {}) // for the developer

before(async () => {
  cloud = await startLocalCloud()
  await cloud.judge({ delay: 0.2 })
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'example-'))
  ;[renderPost, renderShare] = loadPages(createWx(), cloud.function, ['post', 'share'], cloud.business)
  wx = global.wx
  wx.showModal = ({ success }) => success({ confirm: true })
})

after(async () => {
  wx.close()
  await cloud.stop()
  fs.rmSync(folder, { recursive: true })
})

function choose(tag, names, size = 0) {
  return choices(wx, tag, names.map((name) => {
    const tempFilePath = path.join(folder, name)
    fs.copyFileSync(PICTURE, tempFilePath)
    if (size) fs.truncateSync(tempFilePath, size) // longer
    return { tempFilePath, size: fs.statSync(tempFilePath).size, fileType: 'image' }
  }))
}

const words = (tag) => tag.data.items.map(({ word }) => word).join()

test('of three pictures of a post one is published, one refused, one left to a human, and its user reads each', async (t) => {
  const page = renderPost()
  t.after(() => page.detach())
  await page.instance.onShow()
  const draft = tagOf(page, '#draft')
  await choose(draft, ['good.png', 'risky-1.png', 'review-1.png'])
  await until(() => draft.data.items.every(({ state }) => state === 'held'), page)
  page.instance.write({ detail: { value: '海边' } })
  await tap(page, '.button')
  await until(() => page.instance.data.sent && !page.instance.data.sending, page)
  await page.instance.again()
  const shown = () => tagOf(page, '.post .pictures')
  await until(() => /还要人工审核/.test(page.dom.textContent) && /^,未通过,/.test(words(shown())), page)
  assert.deepEqual(textOf(page, '.tag'), ['审核中'])
  await until(() => shown().data.items[0].src, page)
  const [{ src }, refused, waiting] = shown().data.items
  assert.deepEqual([(await fetch(src)).headers.get('content-type'), refused.src, waiting.src], ['image/jpeg', '', ''])
})

test('a page of at most twenty lines publishes nine pictures, shows which one was refused, and says why one fails', async (t) => {
  const lines = ['js', 'wxml'].flatMap((kind) => fs.readFileSync(`${pageOf('share')}.${kind}`, 'utf8').split('\n').filter((line) => line.trim()))
  assert.ok(lines.length <= MOST_LINES, `${lines.length} lines`)
  const page = renderShare()
  t.after(() => page.detach())
  const tag = tagOf(page, '#pictures')
  const publish = async () => {
    await tap(page, '.button')
    await until(() => page.instance.data.message, page)
    return page.instance.data.message
  }
  await choose(tag, ['risky-2.png', ...Array.from({ length: 8 }, (_, index) => `good-${index}.png`)])
  assert.match(await publish(), /^已发布/)
  await until(() => words(tag) === `未通过${','.repeat(8)}`, page)
  tag.clear()
  page.instance.setData({ message: '' })
  await choose(tag, ['large.png'], 11 * 1024 ** 2)
  assert.match(await publish(), /^文件太大/)
})

test('a labelled picture has its notice, and so has one that its user declared', async (t) => {
  const page = renderShare()
  t.after(() => page.detach())
  const tag = tagOf(page, '#pictures')
  const shown = () => tag.data.items.map(({ state, aiNotice }) => `${state} ${aiNotice}`).join()
  const file = path.join(folder, 'labelled.jpg')
  fs.writeFileSync(file, LABELLED)
  await choices(wx, tag, [{ tempFilePath: file, size: LABELLED.length, fileType: 'image' }])
  await until(() => shown() === 'held 属于 AI 生成合成内容', page)
  tag.declare()
  await choose(tag, ['good-9.png'])
  await until(() => shown() === 'held 属于 AI 生成合成内容,held 可能为 AI 生成合成内容', page)
})
