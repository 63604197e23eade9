'use strict'

const assert = require('node:assert/strict')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { beforeEach, describe, test } = require('node:test')
const { PHOTO, PICTURE, inPlayground, shortenPauses } = require('./page')

const MIB = 1024 ** 2
const SLOW_SECONDS = 5
const CHINESE = /[\u4e00-\u9fff]/

describe('the playground page', () => {
  const here = inPlayground()
  const { isOver, statusIs } = here
  let cloud
  let page

  beforeEach(async () => {
    cloud = here.cloud
    await cloud.clear(cloud.oss)
    page = await here.open()
  })

  async function upload(file = PHOTO) {
    await page.setInputFiles('#file', file)
    await page.click('#upload')
  }

  /** Upload the picture, with all that comes after it. */
  async function finish() {
    await upload()
    await statusIs('上传完成')
    await isOver()
  }

  const bodyOf = (step) => page.textContent(`#step-${step} .body`)

  /** What the page says of it, the newest attempt first. */
  async function tamper(id) {
    const attempts = await page.locator('#attempts li').count()
    await page.click(`#tamper-${id}`)
    await page.waitForFunction((count) => document.querySelectorAll('#attempts li').length > count, attempts)
    await isOver()
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
    assert.match(await bodyOf('form'), /x-oss-signature/)
    const said = await page.$$eval('#step-policy .conditions li', (items) => items.map((item) => item.textContent))
    assert.ok(said.length >= 10)
    assert.deepEqual(said.filter((text) => text.includes('必须是这个值')), [], 'a condition is not explained')
    assert.match(await bodyOf('policy'), /对象名由函数决定/)
    assert.match(await bodyOf('policy'), /必须正好 [\d.]+ KB（[\d,]+ 字节）/)
    await isOver()
    assert.match(await bodyOf('receipt'), /seen: true：.*"bucket": "local-bucket".*"seen": true/s)
    await page.waitForFunction(() => document.querySelector('#step-reading img').naturalWidth === 96)
    assert.equal(await page.getAttribute('.bar', 'aria-valuenow'), '100')
  })

  test('a spoilt form is refused, nothing is stored, and what was uploaded before is shown as it was', async () => {
    await finish()
    const [stored, before] = [cloud.stored().length, await page.innerHTML('.results')]
    for (const [id, said] of [
      ['otherKey', '403 AccessDenied'], ['otherType', '403 AccessDenied'], ['tooLarge', '400 EntityTooLarge'], ['noToken', '403 \\w+'],
      ['otherPolicy', '403 SignatureDoesNotMatch'], ['publicAcl', '403 AccessDenied Invalid according to Policy: Policy Condition failed: .*x-oss-object-acl'],
    ]) assert.match(await tamper(id), new RegExp(`被拒绝.*HTTP ${said}`))
    assert.match(await page.textContent('#attempts li'), /x-oss-object-acl 改为 public-read(?!-)/)
    assert.deepEqual([cloud.stored().length, await page.innerHTML('.results')], [stored, before])
  })

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
    assert.equal(await page.isDisabled('#tamper-otherKey'), true)
    await page.click('#cancel')
    await statusIs('已取消')
    assert.equal(await page.isEnabled('#upload'), true)
    assert.equal(cloud.stored().length, stored)
  })

  test('a large file goes in parts, and after a reload, chosen again, only what is missing is sent', async (t) => {
    const film = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'film-')), 'film.mp4') // one time for both pages
    t.after(() => fs.rmSync(path.dirname(film), { recursive: true }))
    fs.writeFileSync(film, crypto.randomBytes(12 * MIB + 5))
    const sent = []
    let most = 5
    await page.route(/partNumber=/, async (route) => {
      if (sent.length >= most) return route.abort()
      sent.push(Number(new URL(route.request().url()).searchParams.get('partNumber')))
      return route.continue()
    })
    const choose = async () => {
      await page.selectOption('#profile', 'video')
      await upload(film)
    }
    await choose()
    await page.waitForFunction(() => Number(document.querySelector('.bar').getAttribute('aria-valuenow')) >= 30)
    await page.reload()
    await here.isReady()
    most = Infinity
    await choose()
    await statusIs('上传完成')
    await isOver()
    assert.ok(cloud.object(await page.textContent('#step-object code')).equals(fs.readFileSync(film)))
    assert.deepEqual([...new Set(sent)].sort((one, other) => one - other), Array.from({ length: 13 }, (_, index) => index + 1))
    assert.ok(sent.length <= 13 + 3, `${sent.length} parts`) // of those under way at the reload the answer was never seen
    assert.match(await page.textContent('#step-policy'), /每一片有自己的预签名 URL/)
    assert.match(await bodyOf('receipt'), /"seen": true/)
    assert.match(await page.textContent('#step-receipt .note'), /\/multipart-complete/)
  })

  test('a file its profile does not take is refused with advice, in the language of the page', async () => {
    await upload({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('text') })
    await statusIs('不支持这种文件')
    await statusIs('content_types')
    await page.click('#language')
    assert.match(await page.textContent('#status'), /^This kind of file is not accepted\. Please choose JPG, PNG, WEBP\./)
    assert.doesNotMatch(await page.innerText('main'), CHINESE)
  })

  test('after an upload the whole page changes its language, and back', async () => {
    await finish()
    await tamper('otherKey')
    await page.evaluate(() => document.querySelectorAll('details').forEach((each) => { each.open = true }))
    const chinese = await page.innerText('main')
    await page.click('#language')
    const english = await page.innerText('main')
    assert.doesNotMatch(english, CHINESE)
    for (const said of [/Uploaded/, /photo\.png/, /Refused · Other key: key becomes/, /\d+ conditions/, /exactly [\d.]+ KB/, /Signed by the function/, /seen: true, because/]) {
      assert.match(english, said)
    }
    await page.click('#language')
    assert.equal(await page.innerText('main'), chinese)
  })

})

describe('when the cloud has ended', () => {
  const here = inPlayground()

  test('whatever is tried ends in a sentence', async () => {
    const page = await here.open()
    await page.setInputFiles('#file', PHOTO)
    await here.cloud.stop()
    await page.evaluate(shortenPauses)
    for (const id of ['upload', 'tamper-otherKey', 'tamper-expired']) {
      await page.evaluate(() => { document.getElementById('status').textContent = '' })
      await page.click(`#${id}`)
      await here.statusIs('连不上本机的服务，请确认 make run 还在运行。')
      await here.isOver()
    }
    await page.click('#language')
    assert.match(await page.textContent('#status'), /^No connection\. .*Is make run still running\?$/)
  })
})
