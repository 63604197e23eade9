'use strict'

/** The page of posts as a user meets it with `make run`: the function, OSS, WeChat's check and the business of the local cloud. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { startLocalCloud } = require('./local_cloud')
const { choices, loadPages, tagOf, until, POST } = require('./example_page')
const { createWx } = require('./wx')

const PICTURE = path.join(__dirname, '../../tests/playground/picture.png')

let cloud
let folder
let wx
let page

before(async () => {
  cloud = await startLocalCloud()
  await cloud.judge({ delay: 0.2 })
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'example-'))
  const [render] = loadPages(createWx(), cloud.function, [POST], cloud.business)
  wx = global.wx
  wx.showModal = ({ success }) => success({ confirm: true })
  page = render()
  await page.instance.onShow()
})

after(async () => {
  page.detach()
  wx.close()
  await cloud.stop()
  fs.rmSync(folder, { recursive: true })
})

const data = () => page.instance.data
const textOf = (selector) => page.querySelectorAll(selector).map(({ dom }) => dom.textContent)

async function choose(...names) {
  const tempFiles = names.map((name) => {
    const tempFilePath = path.join(folder, name)
    fs.copyFileSync(PICTURE, tempFilePath)
    return { tempFilePath, size: fs.statSync(tempFilePath).size, fileType: 'image' }
  })
  await choices(wx, tagOf(page, '#draft'), tempFiles)
  await until(() => tagOf(page, '#draft').data.items.every(({ state }) => state === 'held'), page)
}

/** Publish, and begin the next draft. */
async function publish(text) {
  page.instance.write({ detail: { value: text } })
  page.querySelectorAll('.button')[0].dispatchEvent('tap')
  await until(() => data().sent && !data().sending, page)
  await page.instance.again()
}

const marks = () => tagOf(page, '.post .pictures').data.items.map(({ word }) => word).join()

test('one picture is published, one is refused, and its user reads both', async () => {
  await choose('good.png', 'risky-1.png')
  await publish('海边')
  await until(() => marks() === ',未通过', page)
  assert.deepEqual(textOf('.tag'), ['已发布'])
  assert.match(page.dom.textContent, /1 张图片没有通过审核，其他人看不到。/)
  await until(() => tagOf(page, '.post .pictures').data.items[0].src, page)
  const [{ src }, refused] = tagOf(page, '.post .pictures').data.items
  assert.deepEqual([(await fetch(src)).headers.get('content-type'), refused.src], ['image/jpeg', ''])
})

test('a picture that WeChat wants a human to look at waits, and says so', async () => {
  await choose('review-1.png')
  await publish('人工')
  await until(() => /还要人工审核/.test(page.dom.textContent), page)
  assert.deepEqual(textOf('.tag')[0], '审核中')
})

test('a picture that is removed before publishing is gone from the bucket', async () => {
  await choose('unwanted.png')
  const discards = () => wx.platform.calls.filter(({ options, settled }) => options.url.endsWith('/discard') && settled)
  const draft = tagOf(page, '#draft')
  draft.remove({ currentTarget: { dataset: { id: draft.data.items[0].id } } })
  await until(() => discards().length === 1, page)
  const { receipt } = JSON.parse(discards()[0].options.data)
  const { key } = JSON.parse(Buffer.from(receipt.split('.')[1], 'base64url').toString('utf8'))
  assert.equal(cloud.holds(`held/${key}`), false)
})
