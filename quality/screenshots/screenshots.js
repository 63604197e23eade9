'use strict'

/**
 * Draws the pictures of the documents anew: node quality/screenshots/screenshots.js
 */

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { startLocalCloud } = require('../../miniprogram/test/local_cloud')
const { launch } = require('../../tests/playground/chromium')
const { drawExample, drawPosts } = require('./example_picture')
const { drawReview } = require('./review_picture')

const IMAGES = path.join(__dirname, '../../docs/images')
const BAR_MILLISECONDS = 300 // the bar's last movement
const PICTURE = path.join(__dirname, '../../tests/playground/picture.png')
const DESK = { viewport: { width: 1280, height: 800 } }

async function open(browser, cloud, options) {
  const page = await browser.newPage(options)
  await page.goto(cloud.playground)
  await page.waitForSelector('body[data-ready]')
  return page
}

async function upload(page) {
  await page.setInputFiles('#file', PICTURE)
  await page.click('#upload')
  await page.waitForSelector('#upload:enabled')
  await page.waitForTimeout(BAR_MILLISECONDS)
}

async function tamper(page) {
  for (const [id, list] of [['expired', '#attempts'], ['tooLarge', '#attempts'], ['oneCharacter', '#readings'], ['otherKey', '#attempts']]) {
    const before = await page.locator(`${list} li`).count()
    await page.click(`#tamper-${id}`)
    await page.waitForFunction(([all, count]) => document.querySelectorAll(`${all} li`).length > count, [list, before])
    await page.waitForSelector('#upload:enabled')
  }
}

/** A page has few colours: 256 of them, well chosen, are a third of the bytes. */
function shrink(file) {
  const program = 'import sys; from PIL import Image; Image.open(sys.argv[1]).convert("RGB").quantize(256, method=1, kmeans=8, dither=0).save(sys.argv[1], optimize=True)'
  execFileSync(process.env.PYTHON || path.join(__dirname, '../../.venv/bin/python'), ['-c', program, file])
}

/** For the documents: the whole page after an upload and some tampering, no longer than a look. */
async function drawPlayground(browser, cloud, { name, locale }) {
  const page = await open(browser, cloud, { ...DESK, locale })
  await upload(page)
  await tamper(page)
  await page.evaluate(() => window.scrollTo(0, 0))
  await page.screenshot({ path: path.join(IMAGES, name), fullPage: true })
  shrink(path.join(IMAGES, name))
  await page.close()
}

/** Four held pictures: one that waits, one for people to decide, one rejected, one published. */
async function hold(page, cloud) {
  const hurry = () => fetch(`${cloud.wechat}/-/check/waiting`, { method: 'POST' })
  const becomes = async (number, state) => {
    const found = () => page.locator(`#held-items > li:nth-last-child(${number}).${state}`).count()
    for (let times = 0; !(await found()) && times < 100; times += 1) {
      await hurry()
      await page.waitForTimeout(100)
    }
  }
  for (const [number, sample, state] of [[1, 'ok', 'published'], [2, 'risky', 'rejected'], [3, 'review', 'review'], [4, 'silent', '']]) {
    await page.click(`#held-${sample}`)
    await becomes(number, 'held')
    if (!state) continue
    await page.click(`#held-${number}-commit`)
    await becomes(number, state)
  }
  await page.waitForFunction(() => /** @type {any} */ (document.querySelector('.held-seen'))?.naturalWidth > 0)
}

/** For the documents: the card of held pictures alone. */
async function drawHeld(browser, cloud, { name, locale }) {
  const page = await open(browser, cloud, { ...DESK, locale })
  await hold(page, cloud)
  await page.mouse.move(0, 0)
  await page.locator('#held').screenshot({ path: path.join(IMAGES, name) })
  shrink(path.join(IMAGES, name))
  await page.close()
}

async function main() {
  fs.mkdirSync(IMAGES, { recursive: true })
  const cloud = await startLocalCloud()
  const browser = await launch()
  try {
    for (const [end, locale] of [['.png', 'zh-CN'], ['-en.png', 'en-US']]) {
      await drawPlayground(browser, cloud, { name: `playground${end}`, locale })
      await drawHeld(browser, cloud, { name: `held${end}`, locale })
      await drawReview(browser, path.join(IMAGES, `review${end}`), { ...DESK, locale })
    }
    await drawExample(browser, PICTURE, path.join(IMAGES, 'example.png'))
    await drawPosts(browser, PICTURE, path.join(IMAGES, 'posts.png'))
    ;['example.png', 'posts.png', 'review.png', 'review-en.png'].forEach((name) => shrink(path.join(IMAGES, name)))
  } finally {
    await browser.close()
    await cloud.stop()
  }
}

main()
