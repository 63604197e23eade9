'use strict'

/** The page of posts as a user meets it with `make run`: the function, OSS, WeChat's check and the business of the local cloud. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { startLocalCloud } = require('./local_cloud')
const { loadPages, POST } = require('./example_page')
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
  const phone = createWx()
  phone.setStorageSync('told-about-uploads', true)
  const [render] = loadPages(phone, cloud.function, [POST], cloud.business)
  wx = global.wx
  page = render()
  await page.instance.onShow()
})

after(async () => {
  page.instance.onHide()
  page.detach()
  wx.close()
  await cloud.stop()
  fs.rmSync(folder, { recursive: true })
})

const data = () => page.instance.data
const textOf = (selector) => page.querySelectorAll(selector).map(({ dom }) => dom.textContent)

async function until(isSo) {
  for (const end = Date.now() + 30000; !isSo();) {
    if (Date.now() > end) throw new Error(`not in time; the page shows: ${page.dom.textContent}`)
    await new Promise((resolve) => { setTimeout(resolve, 10) })
  }
}

async function choose(...names) {
  const tempFiles = names.map((name) => {
    const tempFilePath = path.join(folder, name)
    fs.copyFileSync(PICTURE, tempFilePath)
    return { tempFilePath, size: fs.statSync(tempFilePath).size, fileType: 'image' }
  })
  wx.chooseMedia = ({ success }) => success({ tempFiles })
  page.querySelectorAll('.plus')[0].dispatchEvent('tap')
  await until(() => data().items.length && data().items.every(({ state }) => state === 'done'))
}

async function publish(text) {
  page.instance.write({ detail: { value: text } })
  page.querySelectorAll('.button')[0].dispatchEvent('tap')
  await until(() => data().posts.some((post) => post.text === text) && !data().sending)
}

test('one picture is published, one is refused, and its user reads both', async () => {
  await choose('good.png', 'risky-1.png')
  await publish('海边')
  await until(() => textOf('.mark').join() === '未通过')
  assert.deepEqual(textOf('.tag'), ['已发布'])
  assert.match(page.dom.textContent, /1 张图片没有通过审核，其他人看不到。/)
  const [{ src }, refused] = data().posts[0].pictures
  assert.deepEqual([(await fetch(src)).headers.get('content-type'), refused.src], ['image/jpeg', ''])
})

test('a picture that WeChat wants a human to look at waits, and says so', async () => {
  await choose('review-1.png')
  await publish('人工')
  await until(() => /还要人工审核/.test(page.dom.textContent))
  assert.deepEqual(textOf('.tag')[0], '审核中')
})

test('a picture that is removed before publishing is gone from the bucket', async () => {
  await choose('unwanted.png')
  const discards = () => wx.platform.calls.filter(({ options, settled }) => options.url.endsWith('/discard') && settled)
  page.querySelectorAll('.cross')[0].dispatchEvent('tap')
  await until(() => discards().length === 1)
  const { receipt } = JSON.parse(discards()[0].options.data)
  const { key } = JSON.parse(Buffer.from(receipt.split('.')[1], 'base64url').toString('utf8'))
  assert.equal(cloud.holds(`held/${key}`), false)
})
