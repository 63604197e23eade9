'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { after, afterEach, before, beforeEach, describe, test } = require('node:test')
const { startLocalCloud } = require('../../miniprogram/test/local_cloud')
const { launch } = require('./chromium')

const PICTURE = fs.readFileSync(path.join(__dirname, 'picture.png'))
const SLOW_SECONDS = 5

describe('the playground page', () => {
  let cloud
  let browser
  let page
  let mistakes

  before(async () => {
    cloud = await startLocalCloud()
    browser = await launch()
  })

  after(async () => {
    await browser?.close()
    await cloud?.stop()
  })

  beforeEach(async () => {
    await cloud.clear(cloud.oss)
    mistakes = []
    page = await browser.newPage({ locale: 'zh-CN' })
    page.setDefaultTimeout(15000)
    page.on('pageerror', (error) => mistakes.push(error.message))
    await page.goto(cloud.playground)
    await page.waitForSelector('body[data-ready]')
  })

  afterEach(async () => {
    await page.close()
    assert.deepEqual(mistakes, [])
  })

  async function upload(file = { name: 'photo.png', mimeType: 'image/png', buffer: PICTURE }) {
    await page.setInputFiles('#file', file)
    await page.click('#upload')
  }

  const statusIs = (text) => page.waitForFunction((wanted) => document.getElementById('status').textContent.includes(wanted), text)
  const bodyOf = (step) => page.textContent(`#step-${step} .body`)

  async function tamper(id) {
    await page.click(`#tamper-${id}`)
    await page.waitForSelector('#attempts li')
    return page.textContent('#attempts li')
  }

  test('a picture is uploaded, and every step is shown', async () => {
    await upload()
    await statusIs('上传完成')
    await page.waitForSelector('#step-object.filled')
    const key = await page.textContent('#step-object code')
    assert.match(key, /^avatars\/.+\.png$/)
    assert.ok(cloud.object(key).equals(PICTURE))
    // Private, and seen all the same: the page shows it by a signed address.
    await page.waitForFunction(() => document.querySelector('#step-object img').naturalWidth > 0)
    assert.match(await page.getAttribute('#step-object img', 'src'), /x-oss-signature=/)
    assert.match(await bodyOf('request'), /"filename": "photo.png"/)
    assert.match(await bodyOf('form'), /x-oss-signature/)
    assert.match(await bodyOf('policy'), /对象名由函数决定/)
    assert.match(await bodyOf('policy'), /必须正好 \d+ 字节/)
    assert.match(await bodyOf('receipt'), /"bucket": "local-bucket"/)
    assert.equal(await page.getAttribute('.bar', 'aria-valuenow'), '100')
  })

  test('every condition of the policy is explained, none is passed over', async () => {
    await upload()
    await statusIs('上传完成')
    const said = await page.$$eval('.conditions li', (items) => items.map((item) => item.textContent))
    assert.ok(said.length >= 10)
    assert.deepEqual(said.filter((text) => text.includes('必须是这个值')), [])
  })

  for (const [id, status, code] of [
    ['otherKey', 403, 'AccessDenied'],
    ['otherType', 403, 'AccessDenied'],
    ['tooLarge', 400, 'EntityTooLarge'],
    ['noToken', 403, '\\w+'],
    ['publicAcl', 403, 'AccessDenied'],
    ['otherPolicy', 403, 'SignatureDoesNotMatch'],
  ]) {
    test(`a form spoilt by ${id} is refused`, async () => {
      const stored = cloud.stored().length
      assert.match(await tamper(id), new RegExp(`被拒绝.*HTTP ${status} ${code}`))
      assert.equal(cloud.stored().length, stored)
    })
  }

  test('an expired form is renewed by the client, and the file is stored once', async () => {
    const stored = cloud.stored().length
    const text = await tamper('expired')
    assert.match(text, /存下了.*HTTP 403 AccessDenied.*[Pp]olicy expired/)
    assert.match(text, /换了一张新表单/)
    assert.equal(cloud.stored().length, stored + 1)
  })

  test('an upload is cancelled', async () => {
    const stored = cloud.stored().length
    await cloud.plan(cloud.oss, { kind: 'slow', times: 1, seconds: SLOW_SECONDS })
    await upload()
    await page.waitForSelector('#step-form.filled')
    await page.click('#cancel')
    await statusIs('已取消')
    assert.equal(await page.isEnabled('#upload'), true)
    assert.equal(cloud.stored().length, stored)
  })

  test('a dropped answer is survived', async () => {
    await cloud.plan(cloud.oss, { kind: 'answer_lost', times: 1 })
    await upload()
    await statusIs('上传完成')
    await page.waitForSelector('#step-object.filled')
    assert.match(await page.textContent('#step-object .note'), /409/)
  })

  test('a file its profile does not take is refused with advice', async () => {
    await upload({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('text') })
    await statusIs('不支持这种文件')
    await statusIs('content_types')
    await page.click('#language')
    await page.click('#upload')
    await statusIs('This kind of file is not accepted.')
    assert.doesNotMatch(await page.textContent('#status'), /[\u4e00-\u9fff]/)
  })

  test('a dropped file is taken', async () => {
    const data = await page.evaluateHandle(() => {
      const transfer = new DataTransfer()
      transfer.items.add(new File(['bytes'], 'dropped.png', { type: 'image/png' }))
      return transfer
    })
    await page.dispatchEvent('#drop', 'drop', { dataTransfer: data })
    assert.equal(await page.textContent('#chosen'), 'dropped.png')
    await page.click('#upload')
    await statusIs('上传完成')
  })

  test('the page speaks English as well, and remembers it', async () => {
    await page.click('#language')
    assert.equal(await page.textContent('#upload'), 'Upload')
    await page.reload()
    await page.waitForSelector('body[data-ready]')
    assert.equal(await page.getAttribute('html', 'lang'), 'en')
    assert.doesNotMatch(await page.innerText('main'), /[\u4e00-\u9fff]/)
    await upload()
    await statusIs('Uploaded')
    assert.doesNotMatch(await page.innerText('main'), /[\u4e00-\u9fff]/)
  })

  test('nothing sticks out of a narrow screen', async () => {
    await page.setViewportSize({ width: 360, height: 700 })
    await upload()
    await statusIs('上传完成')
    await page.waitForSelector('#step-object.filled')
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    assert.ok(tooWide <= 0, `${tooWide} pixels too wide`)
  })

  test('a page without its services says so', async () => {
    await page.route(`${cloud.function}/**`, (route) => route.abort())
    await upload()
    await statusIs('网络不通')
  })
})
