'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { createAlipayApi, createDouyinApi } = require('../example/utils/oss-direct-upload/platforms')
const { createMy, createTt, taroOf } = require('./other_platforms')
const { jsonError, xmlError, DROP, HANG } = require('./servers')
const { openStage, failureOf, pause, until, onStage, testsOn } = require('./stage')
const { createWx } = require('./wx')

const uploader = createUploader({ endpoint: 'https://upload.example.com', api: {} })

test('understands wx.chooseMedia', () => {
  const chosen = { type: 'mix', tempFiles: [
    { tempFilePath: 'wxfile://tmp_1.png', size: 10, fileType: 'image', width: 1, height: 1 },
    { tempFilePath: 'wxfile://tmp_2', size: 20, fileType: 'image' },
    { tempFilePath: 'http://tmp/3.mov', size: 30, fileType: 'video', duration: 2, thumbTempFilePath: 'http://tmp/3.jpg' },
    { tempFilePath: 'wxfile://tmp_4', size: 40, fileType: 'video' },
  ] }
  assert.deepEqual(uploader.fromChosen(chosen), [
    { filePath: 'wxfile://tmp_1.png', name: undefined, size: 10, contentType: undefined, fileType: 'image' },
    { filePath: 'wxfile://tmp_2', name: undefined, size: 20, contentType: 'image/jpeg', fileType: 'image' },
    { filePath: 'http://tmp/3.mov', name: undefined, size: 30, contentType: undefined, fileType: 'video' },
    { filePath: 'wxfile://tmp_4', name: undefined, size: 40, contentType: 'video/mp4', fileType: 'video' },
  ])
})

test('understands wx.chooseMessageFile, whose files have a name', () => {
  const chosen = { tempFiles: [{ path: 'wxfile://tmp_9', name: '合同.pdf', size: 10, time: 1, type: 'file' }] }
  assert.deepEqual(uploader.fromChosen(chosen), [
    { filePath: 'wxfile://tmp_9', name: '合同.pdf', size: 10, contentType: undefined, fileType: 'file' },
  ])
})

test('understands tt.chooseMedia, which has another name for the kind', () => {
  const chosen = { tempFiles: [{ tempFilePath: 'ttfile://temp/1', size: 10, mediaType: 'video', duration: 2 }] }
  assert.deepEqual(uploader.fromChosen(chosen), [
    { filePath: 'ttfile://temp/1', name: undefined, size: 10, contentType: 'video/mp4', fileType: 'video' },
  ])
})

test('understands wx.chooseImage and the lists of bare paths of older platforms', () => {
  const path = 'wxfile://tmp_1.jpg'
  assert.equal(uploader.fromChosen({ tempFilePaths: [path], tempFiles: [{ path, size: 7 }] })[0].size, 7)
  assert.equal(uploader.fromChosen({ tempFilePaths: [path] })[0].filePath, path)
  assert.equal(uploader.fromChosen({ apFilePaths: [path] })[0].filePath, path)
})

// --- the same on every platform

const PHONES = {
  WeChat: (t, options) => {
    const wx = createWx(options)
    return { api: wx, raw: wx, wx, app: 'wx0000000000local0' }
  },
  Alipay: (t, options) => {
    const { my, ...phone } = createMy(options)
    return { api: createAlipayApi(my), raw: my, app: '2021000000000001', ...phone }
  },
  Douyin: (t, options) => {
    const { tt, ...phone } = createTt(options)
    return { api: createDouyinApi(tt), raw: tt, app: 'tt0000000000local0', ...phone }
  },
  'uni-app on WeChat': (t, options) => throughUni(t, 'mp-weixin', PHONES.WeChat(t, options)),
  'uni-app on Alipay': (t, options) => throughUni(t, 'mp-alipay', PHONES.Alipay(t, options)),
  'uni-app on Douyin': (t, options) => throughUni(t, 'mp-toutiao', PHONES.Douyin(t, options)),
}

/** `uni` as a mini-program has it: what its platform has, by the same names, beside the platform's own object. */
async function throughUni(t, uniPlatform, phone) {
  const { uniApi } = await import('../example/utils/oss-direct-upload/uploader/uni_api.mjs')
  Object.assign(globalThis, { my: phone.raw, tt: phone.raw, uni: { ...phone.raw, getSystemInfoSync: () => ({ uniPlatform }) } })
  t.after(() => ['my', 'tt', 'uni'].forEach((name) => delete globalThis[name]))
  return { ...phone, api: uniApi() }
}

async function openOn(t, name, { phone: phoneOptions, ...options } = {}) {
  const stage = await openStage(t)
  const { fc, oss } = stage
  const domains = phoneOptions === 'unlisted' ? { request: [fc.origin], uploadFile: [] } : null
  const phone = await PHONES[name](t, { domains, guest: phoneOptions === 'guest' })
  t.after(() => phone.wx.close())
  const uploader = createUploader({ endpoint: fc.origin, api: phone.api, retries: 0, backoff: 1, ...options })
  return { ...stage, ...phone, oss, uploader, sent: () => phone.wx.platform.calls.filter(({ api }) => api === 'uploadFile') }
}

const onPhone = testsOn(openOn)

const FAILURES = [
  ['a lost connection', 'network', ({ oss }) => { oss.plan.push(DROP) }],
  ['an answer that never comes', 'timeout', ({ oss }) => { oss.plan.push(HANG) }, { timeout: 60 }],
  ['a file that is gone', 'file_unreadable', (stage, file) => { fs.rmSync(file.filePath) }],
  ['a refusal of the function', 'too_large', ({ fc }) => { fc.plan.sign.push(jsonError(413, 'too_large')) }],
  ['a refusal of OSS', 'access_denied', ({ oss }) => { oss.plan.push(xmlError(403, 'AccessDenied', 'No.')) }],
  ['a domain that is in no list', 'domain_not_listed', () => {}, { phone: 'unlisted' }],
]

for (const name of Object.keys(PHONES)) {
  onPhone(`${name} logs in by the platform's code, and names the mini-program`, name, async ({ fc, app, uploader, file }) => {
    await uploader.upload(file()).promise
    const [{ body }] = fc.requestsTo('login')
    assert.deepEqual([Object.keys(body), body.app], [['code', 'app'], app])
    assert.match(body.code, /^local-/)
    assert.deepEqual(fc.signRequests().map(({ headers }) => headers.authorization), ['Bearer token-1'])
  })

  onPhone(`${name} uploads the very bytes behind the fields of the form, and tells how far it is`, name, async ({ oss, uploader, file }) => {
    const [events, chosen] = [[], file('b.jpg', 'x'.repeat(200000))]
    const { size, ...unknown } = chosen
    const { key } = await uploader.upload({ ...unknown, onProgress: (event) => events.push(event) }).promise
    assert.ok(oss.objects.get(key).equals(fs.readFileSync(chosen.filePath)))
    assert.equal(oss.posts[0].order.at(-1), 'file')
    const steps = events.map(({ progress }) => progress)
    assert.deepEqual(steps, [...steps].sort((a, b) => a - b))
    assert.ok(events.length > 2 && events.every(({ total }) => total > size), JSON.stringify(events))
    assert.equal(steps.at(-1), 100)
  })

  onPhone(`${name} ends an upload that is aborted`, name, async ({ oss, sent, uploader, file }) => {
    oss.plan.push(HANG)
    const task = uploader.upload(file())
    await until(() => oss.posts.length)
    task.abort()
    assert.equal((await failureOf(task.promise)).code, 'aborted')
    await until(() => sent()[0].settled)
    assert.equal(oss.objects.size, 0)
  })

  onPhone(`${name} goes on after the background`, name, async ({ oss, wx, uploader, file }) => {
    oss.plan.push(HANG)
    const { promise } = uploader.upload(file())
    await until(() => oss.posts.length)
    wx.platform.hide(0)
    await until(() => wx.platform.calls.every(({ settled }) => settled))
    wx.platform.show()
    assert.equal((await promise).statusCode, 200)
  })

  onPhone(`${name} takes no answer that comes too late`, name, { timeout: 30 }, async ({ api, uploader, file }) => {
    const answers = []
    api.uploadFile = ({ success }) => { answers.push(success) }
    const { promise } = uploader.upload(file())
    const error = await failureOf(promise)
    answers.forEach((answer) => answer({ statusCode: 200, data: '', header: {} }))
    await pause(5)
    assert.deepEqual([error.code, await failureOf(promise), answers.length], ['timeout', error, 1])
  })

  for (const [what, code, prepare, options] of FAILURES) {
    onPhone(`${name} says of ${what}: ${code}`, name, options, async (stage) => {
      const file = stage.file()
      prepare(stage, file)
      assert.equal((await failureOf(stage.uploader.upload(file).promise)).code, code)
    })
  }
}

// --- what only one has

test('Alipay gives paths that tell no type, and those are taken for pictures and videos', () => {
  const chosen = uploader.fromChosen({ apFilePaths: ['https://resource/a.image', 'https://resource/b.video', 'https://resource/c.png'] })
  assert.deepEqual(chosen.map(({ contentType }) => contentType), ['image/jpeg', 'video/mp4', undefined])
})

onPhone('Alipay is told a kind that its developer tools take, of a document as well, and covers no page', 'Alipay', async ({ seen, uploader: alipay, file }) => {
  for (const contentType of ['image/png', 'video/mp4', 'application/pdf']) await alipay.upload({ ...file(), contentType }).promise
  assert.deepEqual(seen.fileTypes, ['image', 'video', 'image'])
  assert.equal(seen.covered, 0)
})

for (const [method, error, errorMessage, code] of [
  ['request', 1, '请求没有结束', 'interrupted'], ['request', 4, '无权调用该接口', 'domain_not_listed'], ['request', 11, '无权调用该接口', 'domain_not_listed'],
  ['request', 13, '网络请求失败', 'timeout'], ['request', 20, '请求已被停止', 'network'],
  ['uploadFile', 9, 'uploadFile:fail abort', 'aborted'], ['uploadFile', 13, '无权限', 'permission_denied'],
  ['uploadFile', 12, 'java.io.FileNotFoundException:File is not a normal file.', 'file_unreadable'],
  ['uploadFile', 20, '请求 URL 不支持 HTTP', 'domain_not_listed'], ['getAuthCode', 11, '', 'aborted'], ['getAuthCode', 12, '', 'login_failed'],
]) {
  onPhone(`the number ${error} of my.${method} is told as ${code}`, 'Alipay', async ({ raw, uploader: alipay, file }) => {
    raw[method] = ({ fail }) => { setImmediate(fail, { error, errorMessage }) }
    assert.equal((await failureOf(alipay.upload(file()).promise)).code, code)
  })
}

test('a picker of Alipay that was closed is no failure, another is told', () => {
  const told = [[11, '用户取消操作'], [2001, '在申请授权时用户拒绝授权']].map(([error, errorMessage]) => uploader.explain({ error, errorMessage }).code)
  assert.deepEqual(told, ['aborted', 'permission_denied'])
})

onPhone('the developer is told that the list of Alipay needs a new version', 'Alipay', { phone: 'unlisted' }, async ({ fc, uploader: alipay, file }) => {
  assert.match((await failureOf(alipay.upload(file()).promise)).advice, /服务器域名白名单.*新版本/)
  assert.ok(fc.signRequests().length)
})

for (const [method, errMsg, code, calls] of [
  ['uploadFile', 'uploadFile:fail app in background', 'interrupted', 3], ['login', 'login:fail app in background', 'interrupted', 3],
  ['login', 'login:fail network unavailable', 'login_failed', 3], ['login', 'login:fail host login fail', 'aborted', 1],
]) {
  onPhone(`${errMsg} of Douyin is told as ${code}, after ${calls}`, 'Douyin', { retries: 2 }, async ({ raw, uploader: douyin, file }) => {
    let called = 0
    raw[method] = ({ fail }) => {
      called += 1
      setImmediate(fail, { errMsg })
    }
    const error = await failureOf(douyin.upload(file()).promise)
    assert.deepEqual([error.code, called], [code, calls])
  })
}

test('guests of Douyin are asked to log in once, and without a code nothing is sent', async (t) => {
  const { fc, seen, uploader: douyin, file } = await openOn(t, 'Douyin', { phone: 'guest', retries: 2 })
  const error = await failureOf(douyin.upload(file()).promise)
  assert.deepEqual([error.code, error.stage, seen.logins, fc.requests], ['aborted', 'login', 1, []])
})

test('uploads, fails and aborts on Taro without an unhandled rejection', async (t) => {
  const unhandled = []
  const listener = (reason) => unhandled.push(reason)
  process.on('unhandledRejection', listener)
  t.after(() => process.off('unhandledRejection', listener))
  const stage = await openStage(t)
  const taro = createUploader({ endpoint: stage.fc.origin, api: taroOf(stage.wx), retries: 0 })
  assert.equal((await taro.upload(stage.file()).promise).statusCode, 200)
  stage.oss.plan.push({ drop: true }, { hang: true })
  assert.equal((await failureOf(taro.upload(stage.file()).promise)).code, 'network')
  const task = taro.upload(stage.file())
  const failure = failureOf(task.promise)
  await until(() => stage.oss.posts.length === 3)
  task.abort()
  assert.equal((await failure).code, 'aborted')
  await new Promise((resolve) => { setImmediate(resolve) })
  assert.deepEqual(unhandled, [])
})

onStage('uploads where the platform gives no task and no progress', async (stage) => {
  const { uploadFile } = stage.wx
  stage.wx.uploadFile = (options) => { uploadFile(options) }
  assert.equal((await stage.uploader.upload(stage.file()).promise).statusCode, 200)
})

onStage('sets no content-type on the upload, which would lose the boundary', async (stage) => {
  await stage.uploader.upload(stage.file()).promise
  const [upload] = stage.wx.platform.calls.filter(({ api }) => api === 'uploadFile')
  assert.equal(upload.options.header, undefined)
})

// --- the example pages, from their folders

const EXAMPLES = { Alipay: ['alipay', 'my', 'axml', 'onTap'], Douyin: ['douyin', 'tt', 'ttml', 'bindtap'] }

for (const [name, [folder, platform, markup, tap]] of Object.entries(EXAMPLES)) {
  onPhone(`the page of ${name} uploads what is chosen, shows it as it is stored, and tells what went wrong`, name, async (stage) => {
    const read = (file) => fs.readFileSync(path.join(__dirname, '../examples', folder, file), 'utf8')
    const [page] = JSON.parse(read('app.json')).pages
    const found = (id) => require(id.replace(/^.*utils/, '../example/utils'))
    let made
    const Page = (options) => { made = { ...options, setData(fields) { Object.assign(this.data, fields) } } }
    const told = []
    Object.assign(stage.raw, { alert: ({ content }) => told.push(content), showModal: ({ content }) => told.push(content) })
    new Function('require', 'Page', platform, read(`${page}.js`).replace('http://127.0.0.1:9000', stage.fc.origin))(found, Page, stage.raw)
    const [, handler] = new RegExp(`${tap}="(\\w+)"`).exec(read(`${page}.${markup}`))
    const files = ['a.jpg', 'b.jpg'].map((each) => stage.file(each))
    const tempFiles = files.map(({ filePath, size }) => ({ path: filePath, size }))
    stage.raw.chooseImage = ({ success }) => success({ tempFiles })
    stage.oss.plan.push({}, xmlError(403, 'AccessDenied', 'No.'))
    made[handler]()
    await until(() => made.data.items.every(({ text }) => text !== '上传中') && made.data.items.some(({ src }) => /^http/.test(src)))
    assert.equal(made.data.items.filter(({ text }) => text === '已完成').length, 1)
    stage.raw.chooseImage = ({ fail }) => fail({ errMsg: 'chooseImage:fail cancel', error: 11 })
    made[handler]()
    stage.raw.chooseImage = ({ fail }) => fail({ errMsg: 'chooseImage:fail auth deny', error: 2001 })
    made[handler]()
    assert.equal(told.length, 1)
  })
}
