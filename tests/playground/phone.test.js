'use strict'

/** A phone in the same network: the page and everything it asks come from this machine's address there. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { startLocalCloud } = require('../../miniprogram/test/local_cloud')
const { launch } = require('./chromium')

const PICTURE = fs.readFileSync(path.join(__dirname, 'picture.png'))
const IS_IN_A_NETWORK = Object.values(os.networkInterfaces()).flat().some(({ family, internal }) => family === 'IPv4' && !internal)

describe('a phone in the same network', { skip: IS_IN_A_NETWORK ? false : 'this machine is in no network' }, () => {
  let cloud
  let browser

  before(async () => {
    cloud = await startLocalCloud({ options: ['--host', 'lan'] })
    browser = await launch()
  })

  after(async () => {
    await browser?.close()
    await cloud?.stop()
  })

  test('uploads and is refused like the browser of this machine, and never calls 127.0.0.1', async () => {
    const page = await browser.newPage({ locale: 'zh-CN', viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
    const hosts = new Set()
    const mistakes = []
    page.on('request', (request) => { if (request.url().startsWith('http')) hosts.add(new URL(request.url()).hostname) })
    page.on('pageerror', (error) => mistakes.push(error.message))
    await page.goto(cloud.playground)
    await page.waitForSelector('body[data-ready]')
    // Plain http from another machine: what browsers keep for secure pages is not there.
    assert.equal(await page.evaluate(() => window.isSecureContext), false)
    await page.setInputFiles('#file', { name: 'photo.png', mimeType: 'image/png', buffer: PICTURE })
    await page.tap('#upload')
    await page.waitForFunction(() => document.getElementById('status').textContent.includes('上传完成'))
    await page.waitForFunction(() => document.querySelector('#step-object img')?.naturalWidth > 0)
    for (const id of ['expired', 'otherKey']) {
      const attempts = await page.locator('#attempts li').count()
      await page.tap(`#tamper-${id}`)
      await page.waitForFunction((count) => document.querySelectorAll('#attempts li').length > count, attempts)
    }
    assert.match(await page.textContent('#attempts'), /被拒绝.*换了一张新表单/s)
    // The second bucket is called by the same name.
    await page.selectOption('#profile', 'contract')
    await page.tap('#upload')
    await page.waitForFunction(() => document.querySelector('#step-object code')?.textContent?.startsWith('contracts/'))
    await page.waitForFunction(() => document.querySelector('#step-reading img')?.naturalWidth > 0)
    // A held picture: the business is reached by the same name, and so is the switch of what WeChat says.
    await page.selectOption('#mood', 'twice')
    await page.tap('#held-ok')
    await page.tap('.held-item button:text-is("提交")')
    await page.waitForFunction(() => document.querySelector('.held-item [aria-current]')?.textContent?.includes('已发布'))
    await page.close()
    assert.deepEqual(mistakes, [])
    assert.deepEqual([...hosts], [new URL(cloud.function).hostname])
    assert.notEqual(new URL(cloud.function).hostname, '127.0.0.1')
  })

  test('a page whose own name was made to lead here is refused', async () => {
    const { hostname, port } = new URL(cloud.playground)
    const rebound = await launch([`--host-resolver-rules=MAP rebound.example ${hostname}`])
    const page = await rebound.newPage()
    const response = await page.goto(`http://rebound.example:${port}/`)
    await rebound.close()
    assert.equal(response.status(), 421)
  })
})
