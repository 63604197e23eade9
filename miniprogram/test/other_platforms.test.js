'use strict'

/** Alipay and Douyin, as the client takes them, against the local cloud; who logs in is the business's own affair there. */

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
const { createAlipayApi, createDouyinApi } = require('../example/utils/oss-direct-upload/platforms')
const { startLocalCloud } = require('./local_cloud')
const { createMy, createTt } = require('./other_platforms')
const { PACKAGE } = require('./packed')

const TSC = require.resolve('typescript/bin/tsc')
const KINDS = {
  Alipay: { open: createMy, adapt: ({ my }) => createAlipayApi(my) },
  Douyin: { open: createTt, adapt: ({ tt }) => createDouyinApi(tt) },
}

let cloud
let folder

before(async () => {
  cloud = await startLocalCloud({ options: ['--caller-auth', 'jwt'] })
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'platforms-'))
})

after(async () => {
  await cloud.stop()
  fs.rmSync(folder, { recursive: true })
})

function makeFile(name, size) {
  const filePath = path.join(folder, name)
  fs.writeFileSync(filePath, crypto.randomBytes(size))
  return { filePath, name, size }
}

const isStored = ({ key }, { filePath }) => assert.ok(cloud.object(key).equals(fs.readFileSync(filePath)), key)

for (const [name, { open, adapt }] of Object.entries(KINDS)) {
  const newUploader = (t, options) => {
    const platform = open()
    t.after(platform.close)
    const api = adapt(platform)
    const getToken = () => cloud.businessToken
    return { platform, api, uploader: createUploader({ endpoint: cloud.function, api, getToken, backoff: 5, ...options }) }
  }

  test(`${name} uploads, is told the receipt, and shows a private picture`, async (t) => {
    const { uploader } = newUploader(t)
    const file = makeFile(`${name}.jpg`, 900)
    const value = await uploader.upload(file).promise
    isStored(value, file)
    assert.deepEqual([value.confirmed, value.statusCode, value.state], [true, 200, 'stored'])
    const url = await uploader.read(value.key)
    assert.equal((await fetch(url)).status, 200)
  })

  test(`${name} hears the answer of a callback`, async (t) => {
    const { uploader } = newUploader(t, { profile: 'avatar' })
    const { data, receipt } = await uploader.upload(makeFile('me.jpg', 300)).promise
    assert.deepEqual([data.status, data.size, typeof receipt], ['ok', 300, 'string'])
  })

  test(`${name} reads what the function and OSS refuse`, async (t) => {
    const { uploader } = newUploader(t, { profile: 'avatar' })
    const large = await uploader.upload({ ...makeFile('large.jpg', 100), size: 3 * 1024 * 1024 }).promise.catch((error) => error)
    assert.deepEqual([large.code, large.message], ['too_large', '文件太大，最大 2 MB。'])
    const other = await uploader.upload({ ...makeFile('other.jpg', 100), size: 99 }).promise.catch((error) => error)
    assert.deepEqual([other.code, other.ossCode, other.statusCode], ['too_large', 'EntityTooLarge', 400])
  })

  test(`${name} goes on after a lost answer`, async (t) => {
    const { uploader } = newUploader(t)
    await cloud.plan(cloud.oss, { kind: 'answer_lost', times: 1 })
    t.after(() => cloud.clear(cloud.oss))
    const file = makeFile('lost.jpg', 500)
    const value = await uploader.upload(file).promise
    isStored(value, file)
    assert.equal(value.confirmed, true)
  })

  test(`${name} keeps what is not finished, by the rules of its storage`, (t) => {
    const { api } = newUploader(t)
    api.setStorageSync('unfinished', { ticket: 'a' })
    assert.deepEqual(api.getStorageSync('unfinished'), { ticket: 'a' })
    api.removeStorageSync('unfinished')
    assert.ok(!api.getStorageSync('unfinished'))
  })
}

for (const [name, puts] of [['Alipay', 0], ['Douyin', 3]]) {
  test(`${name} sends a large file ${puts ? 'in parts' : 'by a form, for its files are not read in pieces'}`, async (t) => {
    const { open, adapt } = KINDS[name]
    const platform = open()
    t.after(platform.close)
    const uploader = createLargeUploader({ endpoint: cloud.function, api: adapt(platform), getToken: () => cloud.businessToken, profile: 'video' })
    const file = makeFile('film.mp4', 5 * 1024 * 1024 + 5)
    isStored(await uploader.upload(file).promise, file)
    const sent = platform.wx.platform.calls.filter(({ options }) => options.method === 'PUT').length
    assert.ok(puts ? sent >= puts : sent === 0, `${sent} parts`)
  })
}

test('Alipay covers no page while it uploads, and is told the kind of each file', async (t) => {
  const { my, seen, close } = createMy()
  t.after(close)
  const uploader = createUploader({ endpoint: cloud.function, api: createAlipayApi(my), getToken: () => cloud.businessToken })
  await uploader.upload(makeFile('a.jpg', 10)).promise
  await uploader.upload({ ...makeFile('b.mp4', 10), fileType: 'video' }).promise
  assert.deepEqual(seen, { covered: 0, fileTypes: ['image', 'video'] })
})

test("Douyin is not asked for a code, which would be none of WeChat's", async (t) => {
  const { tt, seen, close } = createTt()
  t.after(close)
  const uploader = createUploader({ endpoint: cloud.function, api: createDouyinApi(tt), retries: 0 })
  const error = await uploader.upload(makeFile('anonymous.jpg', 10)).promise.catch((reason) => reason)
  assert.deepEqual([error.code, seen.logins], ['unauthorized', 0])
})

test('what Douyin answers as text is read as well', async (t) => {
  const { tt, close } = createTt({ asBytes: false })
  t.after(close)
  const uploader = createUploader({ endpoint: cloud.function, api: createDouyinApi(tt), getToken: () => cloud.businessToken, profile: 'avatar' })
  assert.equal((await uploader.upload(makeFile('text.jpg', 20)).promise).data.status, 'ok')
})

for (const [types, line] of [
  ['@mini-types/alipay', 'const api: object = createAlipayApi(my)\n// @ts-expect-error it wants to know the kind of a file\ncreateDouyinApi(my)'],
  ['@douyin-microapp/typings', 'const api: object = createDouyinApi(tt)\n// @ts-expect-error its storage takes no objects\ncreateAlipayApi(tt)'],
]) {
  test(`the platform object that ${types} describes is what its adapter takes`, (t) => {
    const place = fs.mkdtempSync(path.join(os.tmpdir(), 'typings-'))
    t.after(() => fs.rmSync(place, { recursive: true }))
    fs.symlinkSync(path.join(__dirname, '../../node_modules'), path.join(place, 'node_modules'), 'junction')
    const text = `import { createAlipayApi, createDouyinApi } from '${path.join(PACKAGE, 'platforms').replaceAll('\\', '/')}'\n${line}\nexport default [api, createAlipayApi, createDouyinApi]\n`
    fs.writeFileSync(path.join(place, 'page.ts'), text)
    const compilerOptions = { strict: true, noEmit: true, skipLibCheck: true, target: 'es2020', lib: ['es2020'], module: 'commonjs', types: [types] }
    fs.writeFileSync(path.join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['page.ts'] }))
    assert.equal(spawnSync(process.execPath, [TSC, '-p', place], { encoding: 'utf8' }).stdout, '')
  })
}
