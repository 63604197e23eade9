'use strict'

/** Several callers in the playground: whoever is chosen uploads as itself. */

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { PHOTO, inPlayground } = require('./page')

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
