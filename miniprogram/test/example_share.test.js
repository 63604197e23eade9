'use strict'

/** A page of one's own with nine checked pictures: at most twenty lines, and it works. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { startLocalCloud } = require('./local_cloud')
const { loadPages, SHARE } = require('./example_page')
const { createWx } = require('./wx')

const MOST_LINES = 20
const PICTURE = path.join(__dirname, '../../tests/playground/picture.png')

let cloud
let folder
let page

before(async () => {
  cloud = await startLocalCloud()
  await cloud.judge({ delay: 0.2 })
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'share-'))
  const [render] = loadPages(createWx(), cloud.function, [SHARE], cloud.business)
  page = render()
})

after(async () => {
  page.detach()
  global.wx.close()
  await cloud.stop()
  fs.rmSync(folder, { recursive: true })
})

const tag = () => page.querySelector('#pictures')
const marks = () => tag().instance.data.items.map(({ word }) => word).join()

async function until(isSo) {
  for (const end = Date.now() + 120000; !isSo();) {
    if (Date.now() > end) throw new Error(`not in time; the page shows: ${page.dom.textContent}`)
    await new Promise((resolve) => { setTimeout(resolve, 10) })
  }
}

async function choose(count, size = 0) {
  const tempFiles = Array.from({ length: count }, (_, index) => {
    const tempFilePath = path.join(folder, index ? `good-${index}.png` : 'risky-1.png')
    fs.copyFileSync(PICTURE, tempFilePath)
    return { tempFilePath, size: size || fs.statSync(tempFilePath).size, fileType: 'image' }
  })
  global.wx.showActionSheet = ({ success }) => success({ tapIndex: 1 })
  global.wx.chooseMedia = ({ success }) => success({ tempFiles })
  await tag().instance.choose()
}

async function publish() {
  page.querySelectorAll('.button')[0].dispatchEvent('tap')
  await until(() => page.instance.data.message)
}

test('the page has at most twenty lines of JavaScript and WXML', () => {
  const lines = ['js', 'wxml'].flatMap((kind) => fs.readFileSync(`${SHARE}.${kind}`, 'utf8').split('\n').filter((line) => line.trim()))
  assert.ok(lines.length <= MOST_LINES, `${lines.length} lines`)
})

test('nine pictures are published, and checked before others see them', async () => {
  await choose(9)
  await publish()
  assert.match(page.instance.data.message, /^已发布/)
  assert.equal(marks(), Array(9).fill('审核中').join())
  await until(() => marks() === `未通过${','.repeat(8)}`)
})

test('a picture that fails keeps the page from publishing, and the page says why', async (t) => {
  t.mock.method(console, 'warn', () => {})
  tag().instance.clear()
  page.instance.setData({ message: '' })
  await choose(1, 11 * 1024 ** 2)
  await publish()
  assert.match(page.instance.data.message, /^文件太大/)
})
