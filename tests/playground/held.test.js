'use strict'

/** Held pictures in the playground: each on its way to be seen, or not; what the bucket has is looked at in the bucket. */

const assert = require('node:assert/strict')
const { beforeEach, describe, test } = require('node:test')
const { PHOTO, PICTURE, inPlayground } = require('./page')

const PATIENCE = 60000 // ms

describe('held pictures in the playground', () => {
  const here = inPlayground({ patience: PATIENCE })
  let cloud
  let page

  beforeEach(async () => {
    cloud = here.cloud
    page = await here.open()
  })

  const item = (number) => page.locator('#held-items > li').nth(-number)
  const stateOf = (number) => item(number).locator('[aria-current]').textContent()
  const keyOf = async (number) => (await item(number).locator('.held-place code').getAttribute('title')).replace(/^held\//, '')
  const isThere = (key) => { try { return Boolean(cloud.object(key)) } catch { return false } }

  /** Waits for a state; WeChat is not waited for. */
  async function becomes(number, wanted) {
    const ends = Date.now() + PATIENCE
    while (!(await stateOf(number)).includes(wanted) && Date.now() < ends) {
      await fetch(`${cloud.wechat}/-/check/waiting`, { method: 'POST' })
      await page.waitForTimeout(100)
    }
    assert.match(await stateOf(number), new RegExp(wanted))
  }

  async function choose(sample, number = 1) {
    await page.click(`#held-${sample}`)
    await becomes(number, '暂存')
    return keyOf(number)
  }

  const press = (number, name) => item(number).getByRole('button', { name }).click()

  test('one that passes is published, shown as others see it, and removed by the business alone', async () => {
    const key = await choose('ok')
    assert.match(key, /^posts\/.+\.png$/)
    assert.deepEqual([isThere(`held/${key}`), isThere(key)], [true, false])
    await press(1, '提交')
    await becomes(1, '已发布')
    assert.deepEqual([isThere(`held/${key}`), isThere(key)], [false, true])
    assert.deepEqual(await item(1).locator('.way li').allTextContents(), ['暂存', '审核中', '已发布'])
    await page.waitForFunction(() => /** @type {any} */ (document.querySelector('.held-seen'))?.naturalWidth === 200)
    assert.match(await page.textContent('#held-news'), /ok\.png：已发布/)
    await press(1, '后端删除')
    await becomes(1, '没有了')
    assert.deepEqual([isThere(key), await item(1).locator('.held-seen').count()], [false, 0])
  })

  for (const [name, sample, button, state, isPublished] of [
    ['is risky is rejected', 'risky', '', '未通过', false], ['WeChat leaves to people is let pass', 'review', '人工通过', '已发布', true],
    ['WeChat leaves to people is rejected', 'review', '人工拒绝', '未通过', false],
  ]) {
    test(`one that ${name}, and its held bytes are gone`, async () => {
      const key = await choose(sample)
      await press(1, '提交')
      if (button) {
        await becomes(1, '人工审核')
        assert.deepEqual([isThere(`held/${key}`), isThere(key)], [true, false])
        await press(1, button)
      }
      await becomes(1, state)
      assert.deepEqual([isThere(`held/${key}`), isThere(key)], [false, isPublished])
      assert.equal(/桶里没有它的内容/.test(await item(1).textContent()), !isPublished)
      assert.equal(await item(1).getByRole('button').count(), isPublished ? 2 : 0)
    })
  }

  test('one of which nothing is heard stays held while minutes pass for the whole cloud, and may be taken back', async () => {
    const key = await choose('silent')
    await press(1, '提交')
    await becomes(1, '审核中')
    for (const button of ['#one-minute', '#silence']) { // then it is due
      const [answer] = await Promise.all([page.waitForResponse(/minutes\.json$/), page.click(button)])
      assert.equal(answer.status(), 200)
    }
    await becomes(1, '审核中')
    await press(1, '问一次')
    assert.match(await stateOf(1), /审核中/)
    assert.deepEqual([await page.textContent('#held-problem'), isThere(`held/${key}`)], ['', true])
    await press(1, '丢弃')
    await becomes(1, '没有了')
    assert.equal(isThere(`held/${key}`), false)
  })

  test('what nobody commits is gone after its days, and what was published stays', async () => {
    const kept = await choose('ok')
    await press(1, '提交')
    await becomes(1, '已发布')
    const forgotten = await choose('risky', 2)
    await page.click('#eight-days')
    await becomes(2, '没有了')
    assert.deepEqual([isThere(`held/${forgotten}`), isThere(kept)], [false, true])
    assert.match(await stateOf(1), /已发布/)
  })

  test('a note waits for its commit alone, a picture of one’s own too', async () => {
    await page.selectOption('#held-profile', 'note')
    await page.setInputFiles('#held-file', { ...PHOTO, name: 'mine.png' })
    await becomes(1, '暂存')
    assert.deepEqual(await item(1).locator('.way li').allTextContents(), ['暂存', '已发布'])
    const key = await keyOf(1)
    await press(1, '提交')
    await becomes(1, '已发布')
    assert.match(key, /^notes\//)
    assert.ok(cloud.object(key).equals(PICTURE))
  })
})
