'use strict'

/** A picture of the reviewer's page: something to judge, and what became of the ones before. */

const { FunctionThatSays, startReview } = require('../../tests/playground/review_desk')

const CHECKED = { contentType: 'image/jpeg', size: 2684190, by: 'aliyun', labels: ['pornographic_adultContent', 'sexual_partialNudity'] }

/** Hills before a sunset, as large as a phone's photo. */
async function photo(browser) {
  const page = await browser.newPage()
  const drawn = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1600, height: 1200 })
    const pen = /** @type {any} */ (canvas.getContext('2d'))
    const fill = (style, draw) => {
      pen.fillStyle = style
      pen.beginPath()
      draw()
      pen.fill()
    }
    const sky = pen.createLinearGradient(0, 0, 0, 900)
    ;['#27406b', '#a8668a', '#f2a65e'].forEach((colour, index) => sky.addColorStop(index / 2, colour))
    fill(sky, () => pen.rect(0, 0, 1600, 1200))
    fill('#ffe3a3', () => pen.arc(1080, 640, 110, 0, 7))
    ;[['#7a4f74', 640, 130], ['#4c3a60', 780, 110], ['#241f3a', 950, 90]].forEach(([colour, height, wave], layer) => fill(colour, () => {
      pen.moveTo(0, 1200)
      for (let x = 0; x <= 1600; x += 10) pen.lineTo(x, height + wave * Math.sin(x / (210 - layer * 30) + layer * 2))
      pen.lineTo(1600, 1200)
    }))
    return canvas.toDataURL('image/png')
  })
  await page.close()
  return Buffer.from(drawn.split(',')[1], 'base64')
}

/** On the screen that `options` describe. */
async function drawReview(browser, target, options) {
  const says = await new FunctionThatSays().start()
  const review = await startReview(says.origin, { reviewer: 'Hong' })
  try {
    says.picture = await photo(browser)
    says.add(2)
    says.add(15, CHECKED)
    const page = await browser.newPage(options)
    await page.goto(review.address)
    await page.waitForSelector('#publish:enabled')
    await page.keyboard.press('a')
    await page.waitForSelector('#news .good')
    await page.waitForSelector('#reject:enabled')
    const decision = { action: 'reject', by: 'backend', reviewer: 'Ming', at: new Date(Date.now() - 60e3).toISOString() }
    says.says.commit = () => [200, { key: 'k', state: 'rejected', url: null, decision }]
    await page.keyboard.press('a')
    await page.waitForSelector('#news .other')
    await page.waitForSelector('#reject:enabled')
    await page.screenshot({ path: target })
    await page.close()
  } finally {
    await review.stop()
    await says.stop()
  }
}

module.exports = { drawReview }
