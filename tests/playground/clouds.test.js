'use strict'

/** Other clouds: one that a phone in the same network reaches by this machine's address there, and one of several callers. */

const assert = require('node:assert/strict')
const os = require('node:os')
const { describe, test } = require('node:test')
const { PHOTO, PICTURE, inPlayground } = require('./page')

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
    // The second bucket is called by the same name; the fault is planned where this profile's forms go.
    await page.selectOption('#profile', 'contract')
    await page.tap('#upload')
    await page.waitForFunction(() => document.querySelector('#step-object code')?.textContent?.startsWith('contracts/'))
    await page.waitForFunction(() => document.querySelector('#step-reading img')?.naturalWidth > 0)
    const key = await page.textContent('#step-object code')
    assert.deepEqual([here.cloud.archived(key).equals(PICTURE), here.cloud.holds(key)], [true, false])
    assert.match(await page.textContent('#step-receipt .body'), /"bucket": "local-archive"/)
    await here.isOver()
    for (const id of ['expired', 'otherKey']) {
      const attempts = await page.locator('#attempts li').count()
      await page.tap(`#tamper-${id}`)
      await page.waitForFunction((count) => document.querySelectorAll('#attempts li').length > count, attempts)
    }
    assert.match(await page.textContent('#attempts'), /被拒绝.*换了一张新表单/s)
    // A held picture: the business is reached by the same name.
    await page.tap('#held-ok')
    await page.tap('.held-item button:text-is("提交")')
    await page.waitForFunction(() => document.querySelector('.held-item [aria-current]')?.textContent?.includes('已发布'))
    assert.deepEqual([...hosts], [new URL(here.cloud.function).hostname])
    assert.notEqual(new URL(here.cloud.function).hostname, '127.0.0.1')
  })
})

describe('the playground of several callers', () => {
  const here = inPlayground({ options: ['--caller-auth', 'several'] })

  test('each caller has a folder of its own and only its own profiles', async () => {
    const page = await here.open()
    const names = await page.locator('#caller option').evaluateAll((all) => all.map((each) => each.value))
    assert.deepEqual(names, ['main', 'second', 'pay', 'tt', 'site', 'app'])
    const owners = new Set()
    for (const name of names) {
      await page.selectOption('#caller', name)
      await page.waitForURL(`**/?caller=${name}`)
      await here.isReady()
      assert.equal(await page.inputValue('#caller'), name)
      const held = await page.locator('#held-profile option').evaluateAll((all) => all.map((each) => each.value))
      assert.equal(held.includes('post'), ['main', 'second'].includes(name))
      await page.setInputFiles('#file', PHOTO)
      await page.click('#upload')
      await here.statusIs('上传完成')
      await here.isOver()
      owners.add((await page.textContent('#step-object')).match(/avatars\/(\w{26})\//)[1])
    }
    assert.equal(owners.size, names.length)
  })
})
