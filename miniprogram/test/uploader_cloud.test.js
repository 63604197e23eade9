'use strict'

/** The tag <oss-uploader> as a user meets it with `make run`: pictures that are checked before others see them. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { startLocalCloud } = require('./local_cloud')
const { loadTag } = require('./uploader_stage')
const { createWx } = require('./wx')

const PICTURE = path.join(__dirname, '../../tests/playground/picture.png')

let cloud
let folder
let wx
let open

before(async () => {
  cloud = await startLocalCloud()
  await cloud.judge({ delay: 0.2 })
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tag-'))
  ;({ wx, open } = loadTag(createWx()))
})

after(async () => {
  wx.close()
  await cloud.stop()
  fs.rmSync(folder, { recursive: true })
})

async function until(isSo, what) {
  for (const end = Date.now() + 30000; !isSo();) {
    if (Date.now() > end) throw new Error(`not in time: ${what()}`)
    await new Promise((resolve) => { setTimeout(resolve, 10) })
  }
}

function pictures(...names) {
  return names.map((name) => {
    const tempFilePath = path.join(folder, name)
    fs.copyFileSync(PICTURE, tempFilePath)
    return { tempFilePath, size: fs.statSync(tempFilePath).size, fileType: 'image' }
  })
}

async function publish(receipts) {
  const body = JSON.stringify({ text: '', receipts })
  assert.equal((await fetch(`${cloud.business}/posts`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })).status, 200)
}

test('pictures are uploaded, submitted, checked; one passes, one does not, and its user reads both', async () => {
  const tag = open({ endpoint: cloud.function, profile: 'post' })
  const marks = () => tag.texts('.mark').join()
  await tag.choose(...pictures('good.png', 'risky-1.png'))
  const receipts = await tag.submit()
  assert.equal(marks(), '审核中,审核中')
  await publish(receipts)
  await until(() => marks() === '未通过', marks)
  assert.deepEqual(tag.heard.change.at(-1).items.map(({ state }) => state), ['published', 'rejected'])
  const { key } = tag.heard.change.at(-1).items[0]
  tag.close()
  const later = open({ endpoint: cloud.function, profile: 'post', value: [key] })
  await until(() => later.items()[0].src, () => JSON.stringify(later.heard.fail))
  assert.equal((await fetch(later.items()[0].src)).headers.get('content-type'), 'image/jpeg')
  assert.deepEqual(await later.submit(), [key])
  later.close()
})

test('what is removed, and what is left without being submitted, is gone from the bucket', async () => {
  const tag = open({ endpoint: cloud.function, profile: 'post' })
  await tag.choose(...pictures('unwanted.png', 'left.png'))
  await until(() => tag.states().every((state) => state === 'held'), () => JSON.stringify(tag.heard.fail))
  const keys = tag.heard.done[0].items.map(({ key }) => key)
  assert.deepEqual(keys.map((key) => cloud.holds(`held/${key}`)), [true, true])
  await tag.tap('.cross')
  tag.close()
  const discards = () => wx.platform.calls.filter(({ options, settled }) => options.url.endsWith('/discard') && settled)
  await until(() => discards().length === 2, () => 'two discards')
  assert.deepEqual(keys.map((key) => cloud.holds(`held/${key}`)), [false, false])
})

test('a file that the profile refuses says so on its picture, and submit rejects with it', async () => {
  const tag = open({ endpoint: cloud.function, profile: 'avatar' })
  const [good, large] = pictures('me.png', 'large.png')
  fs.writeFileSync(large.tempFilePath, Buffer.alloc(3 * 1024 ** 2))
  await tag.choose(good, { ...large, size: 3 * 1024 ** 2 })
  await assert.rejects(tag.submit(), { name: 'OssUploadError', code: 'too_large' })
  assert.match(tag.texts('.reason')[0], /^文件太大/)
  tag.close()
})
