'use strict'

/** Large files of the playground: the row of parts, a lost network, a reload; what travels is counted where it is sent. */

const assert = require('node:assert/strict')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, beforeEach, describe, test } = require('node:test')
const { inPlayground } = require('./page')

const MIB = 1024 ** 2
const COUNT = 24 // parts of the sample
const SHORT = 12 // parts of a film, where half as many do
const MOST_UNDER_WAY = 3

describe('a large file in the playground', () => {
  const here = inPlayground({ patience: 30000 })
  const { isReady, reload, statusIs } = here
  let cloud
  let page
  let folder
  let begun // requests to /multipart
  let sent // numbers of the parts that OSS took, in order

  before(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'playground-')) })
  after(() => fs.rmSync(folder, { recursive: true }))

  beforeEach(async () => {
    cloud = here.cloud
    await cloud.clear(cloud.oss)
    begun = 0
    sent = []
    page = await here.open(undefined, count)
  })

  const count = (opened) => opened.on('response', (response) => {
    const { pathname, searchParams } = new URL(response.url())
    if (response.request().method() === 'POST' && pathname === '/multipart') begun += 1
    if (response.request().method() === 'PUT' && response.status() === 200) sent.push(Number(searchParams.get('partNumber')))
  })

  const rowHas = (count, look) => page.waitForFunction(
    ([wanted, name]) => document.querySelectorAll(`#part-row .${name}`).length >= wanted, [count, look],
  )
  /** Presses a button while so many are done and others under way, in the page itself: no part comes between. */
  const pressAt = async (count, id) => (await page.waitForFunction(([wanted, button]) => {
    const [done, sending] = ['done', 'sending'].map((look) => document.querySelectorAll(`#part-row .${look}`))
    if (done.length < wanted || !sending.length) return null
    document.getElementById(button).click()
    return { done: done.length, underWay: document.querySelectorAll('#part-row .sending').length }
  }, [count, id])).jsonValue()
  const countOf = (look) => page.locator(`#part-row .${look}`).count()
  /** The page presses the button itself: a click from outside may be tried once more, in the new page. */
  const pressReload = async () => {
    const loaded = page.waitForEvent('domcontentloaded')
    await page.evaluate(() => { setTimeout(() => document.getElementById('reload').click()) })
    await loaded
    await isReady()
  }
  const goesFast = () => page.uncheck('#slow')
  const inOrder = (numbers) => [...numbers].sort((one, other) => one - other)
  /** Of as many parts, though of some under way when the page or the network went the answer was never seen. */
  function eachOnce(count) {
    assert.deepEqual(inOrder(sent), inOrder(new Set(sent)))
    assert.ok(sent.length >= count - MOST_UNDER_WAY && sent.length <= count, `${sent.length} parts`)
  }

  const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1)

  async function uploadSample() {
    await page.click('#large')
    await page.click('#upload')
  }

  async function uploadFilm(size = SHORT * MIB) {
    const { file, digest } = makeFilm(size)
    await page.selectOption('#profile', 'video')
    await page.setInputFiles('#file', file)
    await page.click('#upload')
    return { file, digest }
  }

  /** As the page says: all done, all there. */
  async function isWhole(digest) {
    await statusIs('上传完成')
    await here.isOver()
    assert.equal(await countOf('done'), await page.locator('#part-row li').count())
    const object = cloud.object(await page.textContent('#step-object code'))
    assert.equal(crypto.createHash('sha256').update(object).digest('hex'), digest || await digestOfSample())
    assert.equal(await page.getAttribute('.bar', 'aria-valuenow'), '100')
  }

  const digestOfSample = () => page.evaluate(async () => {
    const { makeLargeSample } = await import('/samples.js')
    const digest = await crypto.subtle.digest('SHA-256', await makeLargeSample().arrayBuffer())
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
  })

  function makeFilm(size) {
    const bytes = crypto.randomBytes(size)
    const file = path.join(fs.mkdtempSync(path.join(folder, 'film-')), 'film.mp4')
    fs.writeFileSync(file, bytes)
    return { file, digest: crypto.createHash('sha256').update(bytes).digest('hex') }
  }

  test('the sample goes in parts, each seen on its way and sent once', async () => {
    await uploadSample()
    await rowHas(1, 'sending')
    await rowHas(3, 'done')
    assert.match(await page.textContent('#part-facts'), /^24 片存好 \d+ 片这个页面发了 \d+ 次每秒 [\d.]+ [KM]B还要 \d+ 秒$/)
    assert.match(await page.textContent('#status'), /^正在上传 \d+%$/)
    await goesFast()
    await isWhole()
    assert.deepEqual(inOrder(sent), upTo(COUNT))
    assert.equal(await countOf('again'), 0)
    assert.match(await page.textContent('#step-request .body'), /"filename": "large-sample.mp4".*"partCount": 24/s)
    assert.match(await page.textContent('#step-policy'), /每一片有自己的预签名 URL/)
    assert.match(await page.textContent('#step-receipt'), /POST \/multipart-complete → JWT.*"seen": true/s)
  })

  test('a network that is cut in the middle loses nothing, and the upload goes on by itself', async () => {
    const { digest } = await uploadFilm()
    const { done, underWay } = await pressAt(3, 'cut')
    // At once, whatever was on its way.
    assert.equal(underWay, 0)
    assert.match(await page.textContent('#status'), /^断网了，传到 \d+%/)
    await page.waitForTimeout(500)
    assert.equal(await countOf('done'), done)
    await rowHas(done + 2, 'done')
    await goesFast()
    await isWhole(digest)
    assert.ok(await countOf('again') > 0, 'the cut broke nothing off')
    eachOnce(SHORT)
    assert.equal(begun, 1)
  })

  test('a page that is reloaded goes on by itself, and sends only what is missing', async () => {
    await uploadSample()
    await rowHas(5, 'done')
    await pressReload()
    await rowHas(5, 'done')
    await goesFast()
    await isWhole()
    eachOnce(COUNT)
    assert.equal(begun, 1)
    assert.match(await page.textContent('#part-facts'), /^24 片存好 24 片这个页面发了 (\d|1\d) 次$/)
    // It is over: another reload has nothing to go on with.
    await reload()
    assert.equal(await page.isVisible('#parts'), false)
  })

  test('after a reload a file of the user is asked for, and goes on when it is chosen again', async () => {
    const { file, digest } = await uploadFilm(9 * MIB + 5)
    await rowHas(3, 'done')
    await pressReload()
    await statusIs('“film.mp4”还没传完：再选一次同一个文件，就接着传。')
    assert.match(await page.textContent('#profile-facts'), /^最大 200 MB；/)
    await page.click('#language')
    await statusIs('film.mp4 is not finished: choose the same file again, and it goes on.')
    await page.click('#language')
    await page.setInputFiles('#file', file)
    await isWhole(digest)
    eachOnce(10)
    assert.equal(begun, 1)
  })

  test('another file than the one that was not finished is none of it', async () => {
    await uploadFilm(9 * MIB)
    await rowHas(3, 'done')
    await reload()
    const { file, digest } = makeFilm(8 * MIB)
    await page.setInputFiles('#file', file)
    assert.equal(await page.isEnabled('#upload'), true)
    assert.equal(await page.isVisible('#parts'), false)
    await page.click('#upload')
    await isWhole(digest)
    assert.equal(begun, 2)
  })

  test('paused, nothing is sent until it is resumed, and both languages say so', async () => {
    const { digest } = await uploadFilm()
    await pressAt(2, 'pause')
    await page.waitForFunction(() => !document.querySelector('#part-row .sending'))
    const count = sent.length
    await page.waitForTimeout(500)
    assert.equal(sent.length, count)
    assert.match(await page.textContent('#status'), /^已暂停，传到 \d+%$/)
    await page.click('#language')
    assert.match(await page.textContent('#status'), /^Paused at \d+%$/)
    assert.equal(await page.textContent('#pause'), 'Resume')
    await here.isInEnglish()
    await page.click('#language')
    await goesFast()
    await page.click('#pause')
    await isWhole(digest)
    assert.deepEqual(inOrder(sent), upTo(SHORT))
  })

  test('cancelled, it ends and is begun anew', async () => {
    const stored = cloud.stored().length
    const { digest } = await uploadFilm()
    await pressAt(2, 'cancel')
    await statusIs('已取消')
    assert.equal(await page.isEnabled('#upload'), true)
    assert.equal(await page.isDisabled('#pause'), true)
    assert.equal(cloud.stored().length, stored)
    await goesFast()
    await page.click('#upload')
    await isWhole(digest)
    assert.equal(begun, 2)
  })

  test('under 5 MiB, and in a profile without parts, a file goes by a form', async () => {
    await page.selectOption('#profile', 'video')
    await page.setInputFiles('#file', makeFilm(5 * MIB - 1).file)
    await page.click('#upload')
    await statusIs('上传完成')
    await page.selectOption('#profile', 'default')
    await here.isOver()
    await page.setInputFiles('#file', makeFilm(5 * MIB).file)
    await page.click('#upload')
    await page.waitForSelector('#upload:disabled')
    await here.isOver()
    await statusIs('上传完成')
    assert.equal(await page.isVisible('#parts'), false)
    assert.deepEqual([begun, sent], [0, []])
  })

  test('nothing of it sticks out of a narrow screen, and the row is seen while it is sent', async () => {
    await reload({ width: 360, height: 640 })
    await uploadSample()
    await rowHas(2, 'done')
    const { wide, row } = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - window.innerWidth,
      row: document.getElementById('part-row').getBoundingClientRect().bottom - window.innerHeight,
    }))
    assert.ok(wide <= 0, `${wide} pixels too wide`)
    assert.ok(row <= 0, `the row ends ${row} pixels below the screen`)
  })
})
