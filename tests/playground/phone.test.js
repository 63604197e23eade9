'use strict'

/** A phone in the same network: the page and everything it asks come from this machine's address there. */

const assert = require('node:assert/strict')
const os = require('node:os')
const { describe, test } = require('node:test')
const { launch } = require('./chromium')
const { PHOTO, inPlayground } = require('./page')

const IS_IN_A_NETWORK = Object.values(os.networkInterfaces()).flat().some(({ family, internal }) => family === 'IPv4' && !internal)

describe('a phone in the same network', { skip: IS_IN_A_NETWORK ? false : 'this machine is in no network' }, () => {
  const here = inPlayground({ options: ['--host', 'lan'] })

  test('uploads and is refused like the browser of this machine, and never calls 127.0.0.1', async () => {
    const hosts = new Set()
    const page = await here.open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
    page.on('request', (request) => { if (request.url().startsWith('http')) hosts.add(new URL(request.url()).hostname) })
    await here.visit()
    // Plain http from another machine: what browsers keep for secure pages is not there.
    assert.equal(await page.evaluate(() => window.isSecureContext), false)
    await page.setInputFiles('#file', PHOTO)
    await page.tap('#upload')
    await here.statusIs('上传完成')
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
    assert.deepEqual([...hosts], [new URL(here.cloud.function).hostname])
    assert.notEqual(new URL(here.cloud.function).hostname, '127.0.0.1')
  })

  test('a page whose own name was made to lead here is refused', async () => {
    const { hostname, port } = new URL(here.cloud.playground)
    const rebound = await launch([`--host-resolver-rules=MAP rebound.example ${hostname}`])
    const page = await rebound.newPage()
    const response = await page.goto(`http://rebound.example:${port}/`)
    await rebound.close()
    assert.equal(response.status(), 421)
  })
})
