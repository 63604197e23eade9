'use strict'

/** The page of `manage.py review` in a browser: before a function that says what a test wants, and before the local cloud's. */

const assert = require('node:assert/strict')
const { after, afterEach, before, beforeEach, describe, test } = require('node:test')
const { launch } = require('./chromium')
const { inPlayground } = require('./page')
const { FunctionThatSays, SECRET, startReview } = require('./review_desk')

const PATIENCE = 60000 // ms
const CHINESE = /[\u4e00-\u9fff]/

describe('the reviewer’s page', () => {
  const says = new FunctionThatSays()
  const mistakes = []
  let browser
  let review
  let page

  before(async () => {
    await says.start()
    browser = await launch()
    review = await startReview(says.origin)
  })
  after(async () => {
    await browser?.close()
    await review?.stop()
    await says.stop()
  })
  beforeEach(() => { says.forget() })
  afterEach(async () => {
    // A decision that is under way would be about the next test's picture of this name.
    await settled()
    await page.close()
    assert.deepEqual(mistakes.splice(0), [])
  })

  async function open({ hasClock = false, ...options } = {}, address = review.address) {
    page = await browser.newPage({ locale: 'zh-CN', ...options })
    page.setDefaultTimeout(PATIENCE)
    page.on('pageerror', (error) => mistakes.push(error.message))
    if (hasClock) await page.clock.install()
    await page.goto(address)
    await page.waitForSelector('body[data-ready=true]')
  }

  const settled = () => page.waitForSelector('body[data-pending="0"]')
  const isReady = () => page.waitForSelector('#reject:enabled')
  /** A test at the desk, with so many pictures of these facts, the first in sight. */
  const onDesk = (title, wanted, run) => test(title, async () => {
    says.add(...wanted)
    await open()
    await isReady()
    await run()
  })
  const press = async (key) => {
    await isReady()
    await page.keyboard.press(key)
  }
  const factsSay = (text) => page.waitForFunction((wanted) => document.getElementById('facts').textContent.includes(wanted), text)
  const newsSay = (text) => page.waitForFunction((wanted) => document.getElementById('news').textContent.includes(wanted), text)
  const stageSays = (text) => page.waitForFunction((wanted) => document.getElementById('stage').textContent.includes(wanted), text)
  const decisions = () => says.decided.map(({ receipt, decision }) => [receipt, decision])

  onDesk('shows a picture with what the check said, and decides by single keys', [3], async () => {
    assert.equal(await page.evaluate(() => document.querySelector('#stage img').naturalWidth), 240)
    assert.equal(await page.textContent('#why'), '微信拿不准')
    assert.match(await page.textContent('#left'), /^还剩 (19|20) 小时$/)
    assert.deepEqual(await page.locator('#labels li').allTextContents(), ['\u2068色情 · 20002\u2069'])
    assert.match(await page.textContent('#facts'), /3小时前.*image\/png · 67 KB.*1\.png/)
    await press('a')
    await factsSay('2.png')
    await press('r')
    await factsSay('3.png')
    await press('A')
    await stageSays('没有待审核的内容')
    await settled()
    assert.deepEqual(decisions(), [['receipt-1', 'publish'], ['receipt-2', 'reject'], ['receipt-3', 'publish']])
    assert.deepEqual(says.decided.map(({ reviewer }) => reviewer), ['小红', '小红', '小红'])
    assert.match(await page.textContent('#progress'), /已处理 3 · 待处理 0/)
  })

  onDesk('shows the next one at once, however slow the function is', [2], async () => {
    let answer
    says.held = new Promise((resolve) => { answer = resolve })
    await press('a')
    await factsSay('2.png')
    await newsSay('通过…')
    answer()
    await newsSay('已通过')
  })

  onDesk('takes no key before the picture has appeared, nor one that is held down', [2], async () => {
    await page.evaluate(() => {
      const down = (repeat) => document.dispatchEvent(new KeyboardEvent('keydown', { key: 'r', code: 'KeyR', repeat }))
      down(true)
      down(false)
      down(false)
    })
    await factsSay('2.png')
    await settled()
    assert.deepEqual(decisions(), [['receipt-1', 'reject']])
  })

  onDesk('knows its keys while a Chinese input method is on', [1], async () => {
    await page.evaluate(() => document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Process', code: 'KeyR' })))
    await newsSay('已拒绝')
  })

  onDesk('skips one for later', [2], async () => {
    await press('s')
    await factsSay('2.png')
    await press('r')
    await factsSay('1.png')
    assert.equal(await page.isDisabled('#skip'), true)
  })

  test('goes on through all pages', async () => {
    says.longestPage = 2
    says.add(7)
    await open()
    await page.waitForFunction(() => document.getElementById('progress').textContent.endsWith('待处理 6+') || document.getElementById('progress').textContent.endsWith('待处理 7'))
    delete says.longestPage
    await page.reload()
    for (let count = 1; count <= 7; count += 1) {
      await factsSay(`${count}.png`)
      await press('a')
    }
    await stageSays('没有待审核的内容')
    await settled()
    assert.equal(new Set(says.decided.map(({ receipt }) => receipt)).size, 7)
  })

  onDesk('says what is gone', [1], async () => {
    says.says.commit = () => [404, { error: { code: 'not_uploaded', message: 'Nothing there.', requestId: 'r' } }]
    says.says.status = () => [200, { key: 'k', state: 'gone', url: null }]
    await press('a')
    await newsSay('已经不在了')
  })

  onDesk('says why a decision failed, and shows it again', [2], async () => {
    says.says.commit = () => [503, { error: { code: 'oss_unavailable', message: 'OSS did not respond.', requestId: 'r' } }]
    await press('a')
    await newsSay('没有成功，稍后会再出现')
    assert.match(await page.textContent('#news'), CHINESE)
    says.says = {}
    await press('a')
    await factsSay('1.png')
    await press('a')
    await stageSays('没有待审核的内容')
    await settled()
    assert.deepEqual(decisions(), [['receipt-2', 'publish'], ['receipt-1', 'publish']])
  })

  onDesk('says that a picture cannot be published, and waits for its rejection', [1, { reason: 'metadata', by: null, labels: [] }], async () => {
    says.says.commit = () => [200, { key: 'k', state: 'review', url: null }]
    await press('a')
    await newsSay('只能拒绝')
    says.says = {}
    await press('r')
    await newsSay('已拒绝')
  })

  test('looks again while nothing waits, and after a failure', async () => {
    says.says.reviews = () => [502, { error: { code: 'oss_rejected', message: 'OSS refused.', requestId: 'r' } }]
    await open({ hasClock: true })
    assert.match(await page.textContent('#problem:visible'), CHINESE)
    says.says = {}
    await page.clock.runFor(16000)
    await stageSays('没有待审核的内容')
    assert.equal(await page.isVisible('#problem'), false)
    says.add(1)
    await page.clock.runFor(16000)
    await factsSay('1.png')
  })

  test('lists anew before its links end', async () => {
    says.add(2)
    await open({ hasClock: true })
    await isReady()
    const before = says.lists
    await page.clock.runFor(9 * 60 * 1000)
    await press('a')
    await factsSay('2.png')
    await isReady()
    assert.equal(says.lists, before + 1)
  })

  test('a picture that does not load says so, and no key publishes it', async () => {
    says.add(1, { url: `${says.origin}/media/none` })
    await open()
    await stageSays('图片没有加载出来')
    await press('a')
    assert.deepEqual(decisions(), [])
    await page.click('#language')
    await stageSays('The picture did not load')
    await page.waitForSelector('#publish:enabled')
    await page.click('#publish')
    await newsSay('Published')
  })

  test('plays sound, and offers any other file as a link', async () => {
    says.add(1, { url: `${says.origin}/media/sound`, contentType: 'audio/wav' })
    says.add(1, { contentType: 'application/pdf' })
    await open()
    await isReady()
    assert.equal(await page.locator('#stage audio[controls]').count(), 1)
    await press('a')
    await stageSays('不能直接显示')
    assert.equal(await page.getAttribute('#stage a', 'rel'), 'noreferrer')
  })

  const ODD = {
    key: `posts/${'x'.repeat(300)}/\u202eمرحبا👨‍👩‍👧‍👦<b>.png`, profile: 'مرحبا', labels: ['pornographic_adultContent_tii', 'l'.repeat(128), 99, '🔞', '<i>'],
    by: 'aliyun', reason: 'label', contentType: 'image/png',
    aiLabel: { label: null, problem: 'conflict', producer: '<b>'.repeat(21), produceId: '\u202ex', digitalSourceType: 'trainedAlgorithmicMedia', c2pa: true },
  }

  test('keeps its buttons on the screen of a phone, and markup as text, whatever the texts are', async () => {
    says.add(1, ODD)
    await open({ viewport: { width: 390, height: 844 } })
    await isReady()
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390)
    assert.equal(await page.locator('.side b, .side i').count(), 0)
    const { y, height } = await page.locator('#reject').boundingBox()
    assert.ok(y + height <= 844, 'the buttons are on the screen')
  })

  test('shows the label of AI-made content, and sends a suspicion where nobody else labelled it', async () => {
    const labels = [
      [{ label: 1, source: 'metadata', producer: '<b>x</b>', c2pa: false }, /属于 AI 生成合成内容 · 文件里写的 · <b>x<\/b>/, false],
      [{ label: 2, source: 'declared', problem: 'unreadable' }, /可能为.*读不出来 · 上传者声明的/, false],
      [{ label: null, source: 'metadata', c2pa: true }, /只有其他来源标记 · C2PA/, true],
      [null, /查过，没有找到/, true],
      [undefined, /^((?!AI 标识).)*$/s, false],
    ]
    for (const [aiLabel] of labels) says.add(1, aiLabel === undefined ? {} : { aiLabel })
    await open()
    for (const [index, [, words, canSuspect]] of labels.entries()) {
      await factsSay(`${index + 1}.png`)
      assert.match(await page.textContent('#facts'), words)
      assert.equal(await page.isVisible('#suspected'), canSuspect)
      if (canSuspect) assert.equal(await page.isChecked('#suspected'), false)
      if (index === 3) await page.check('#suspected')
      await press('a')
    }
    await stageSays('没有待审核的内容')
    await settled()
    assert.deepEqual(says.decided.map(({ aiLabel }) => aiLabel), [undefined, undefined, undefined, 3, undefined])
  })

  test('has words for every reason, in both languages', async () => {
    const reasons = ['label', 'errcode', 'silent', 'changed', 'unsupported', 'animated', 'unreachable', 'not-checked', 'metadata', 'rules', 'ai-label', 'unreadable', 'of a newer version', 'toString']
    for (const reason of reasons) says.add(1, { reason, by: '', labels: [], ...(reason === 'errcode' && { errcode: 61010 }) })
    await open()
    const said = new Set()
    for (const [index, reason] of reasons.entries()) {
      await factsSay(`${index + 1}.png`)
      const chinese = await page.textContent('#why')
      assert.match(chinese, CHINESE)
      assert.equal(chinese.includes('61010'), reason === 'errcode')
      said.add(chinese)
      await page.click('#language')
      assert.doesNotMatch(await page.innerText('main'), CHINESE)
      await page.click('#language')
      await press('s')
    }
    assert.equal(said.size, reasons.length - 1)
  })

  test('does nothing without the token of its address', async () => {
    says.add(1)
    await open({}, review.address.replace(/#.*/, '#another'))
    await page.waitForSelector('#problem:visible')
    assert.match(await page.textContent('#problem'), /完整地址/)
    assert.equal(says.lists, 0)
  })
})

describe('two reviewers before one function', () => {
  const here = inPlayground({ patience: PATIENCE, options: ['--token-secret', SECRET] })

  test('decide what WeChat left to them, each once, and the second is told', async () => {
    const page = await here.open()
    const names = []
    for (const [index, sample] of ['review', 'review'].entries()) {
      await page.click(`#held-${sample}`)
      const item = page.locator('#held-items > li').first()
      await page.waitForFunction((count) => document.querySelectorAll('#held-items .here.held').length === 1 && document.querySelectorAll('#held-items > li').length === count, index + 1)
      names.push((await item.locator('.held-place code').getAttribute('title')).replace(/^held\//, ''))
      await item.getByRole('button', { name: '提交' }).click()
      await page.waitForFunction(() => document.querySelectorAll('#held-items .here.held').length === 0)
    }
    while (await page.locator('#held-items .here.review').count() < 2) {
      await here.cloud.release()
      await page.locator('#held-items').getByRole('button', { name: '问一次' }).first().click()
      await page.waitForTimeout(100)
    }
    const desks = []
    for (const desk of await Promise.all(['小红', '小明'].map((reviewer) => startReview(here.cloud.function, { reviewer })))) {
      const tab = await here.browser.newPage({ locale: 'zh-CN' })
      tab.on('pageerror', (error) => here.mistakes.push(error.message))
      await tab.goto(desk.address)
      desks.push({ desk, tab })
    }
    try {
      const [first, second] = desks.map(({ tab }) => tab)
      const newsSay = (tab, text) => tab.waitForFunction((wanted) => document.getElementById('news').textContent.includes(wanted), text)
      for (const tab of [first, second]) {
        await tab.waitForSelector('#reject:enabled')
        assert.equal(await tab.evaluate(() => document.querySelector('#stage img').naturalWidth > 0), true)
      }
      await first.keyboard.press('r')
      await newsSay(first, '已拒绝')
      await second.keyboard.press('a')
      await newsSay(second, '已由 \u2068小红\u2069 于')
      await newsSay(second, '处理：拒绝')
      await second.waitForSelector('#reject:enabled')
      await second.keyboard.press('a')
      await newsSay(second, '已通过')
      await first.waitForSelector('#reject:enabled')
      await first.keyboard.press('r')
      // Refused after a publication; then /status knows.
      await newsSay(first, '已由 \u2068小明\u2069 于')
      await newsSay(first, '处理：通过')
      assert.deepEqual(names.map((key) => here.cloud.holds(key)).sort(), [false, true])
      await first.reload()
      await first.waitForFunction(() => document.getElementById('stage').textContent.includes('没有待审核的内容'))
    } finally {
      for (const { desk, tab } of desks) {
        await tab.close()
        await desk.stop()
      }
    }
  })
})
