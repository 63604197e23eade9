'use strict'

/** Draws the pictures of the documents anew: npm run screenshots */

const fs = require('node:fs')
const path = require('node:path')
const { startLocalCloud } = require('../../miniprogram/test/local_cloud')
const { launch } = require('./chromium')
const { drawExample } = require('./example_picture')

const IMAGES = path.join(__dirname, '../../docs/images')
const BAR_MILLISECONDS = 300 // the bar's last movement
const PICTURE = path.join(__dirname, 'picture.png')

async function drawPlayground(browser, cloud, { name, locale, viewport }) {
  const page = await browser.newPage({ locale, viewport })
  await page.goto(cloud.playground)
  await page.waitForSelector('body[data-ready]')
  await page.setInputFiles('#file', PICTURE)
  await page.click('#upload')
  await page.waitForSelector('#step-object.filled')
  for (const id of ['expired', 'tooLarge', 'otherKey']) {
    const before = await page.locator('#attempts li').count()
    await page.click(`#tamper-${id}`)
    await page.waitForFunction((count) => document.querySelectorAll('#attempts li').length > count, before)
  }
  await page.click('#upload')
  await page.waitForSelector('#step-object.filled')
  await page.click('#step-request summary') // closed, so that the whole page is no longer than a look
  await page.evaluate(() => window.scrollTo(0, 0))
  await page.waitForTimeout(BAR_MILLISECONDS)
  await page.screenshot({ path: path.join(IMAGES, name), fullPage: true })
  await page.close()
}

async function main() {
  fs.mkdirSync(IMAGES, { recursive: true })
  const cloud = await startLocalCloud()
  const browser = await launch()
  try {
    const viewport = { width: 1200, height: 700 }
    await drawPlayground(browser, cloud, { name: 'playground.png', locale: 'zh-CN', viewport })
    await drawPlayground(browser, cloud, { name: 'playground-en.png', locale: 'en-US', viewport })
    await drawExample(browser, PICTURE, path.join(IMAGES, 'example.png'))
  } finally {
    await browser.close()
    await cloud.stop()
  }
}

main()
