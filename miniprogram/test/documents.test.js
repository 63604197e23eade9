'use strict'

/** Blocks of JavaScript in the documents run as they are printed, against the local cloud. */

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { JSDOM } = require('jsdom')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { startLocalCloud } = require('./local_cloud')
const { createMy, createTt } = require('./other_platforms')
const { createWx } = require('./wx')
const { addCodec, picture: photoOf } = require('./wx_pictures')

const ROOT = path.join(__dirname, '../..')
const PICTURE = path.join(ROOT, 'tests/playground/picture.png')
const PAGES = ['README.md', 'docs/client.md', 'docs/large-files.md', 'docs/faq.md', 'docs/from-wx-cloud.md', 'docs/from-php.md', 'docs/uni-app.md'].flatMap((name) => [name, name.replace('.md', '.zh-CN.md')])
  .concat('miniprogram/example/utils/oss-direct-upload/README.md')
const PNG = { filePath: PICTURE, name: 'picture.png', size: fs.statSync(PICTURE).size }
const PRINTED_ADDRESSES = /^https:\/\/(your-function|upload)\.example\.com/
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor

let cloud
let folder
before(async () => {
  cloud = await startLocalCloud()
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'documents-'))
})
after(async () => {
  await cloud.stop()
  fs.rmSync(folder, { recursive: true })
})

function makeFile(name = 'photo.jpg', size = 900) {
  const filePath = path.join(folder, `${crypto.randomUUID()}-${name}`)
  fs.writeFileSync(filePath, crypto.randomBytes(size))
  return { filePath, name, size }
}

/** Call back where a callback is given, else return a promise, as `wx` does. */
function answering(result) {
  return ({ success } = {}) => {
    if (!success) return result()
    result().then(success)
    return undefined
  }
}

/** A code as WeChat DevTools give it: nobody can tell from it who it is. */
const realCode = () => crypto.randomBytes(16).toString('hex')

/** Some network stacks write the names of headers so, whatever the server wrote. */
const inCapitals = (name) => name.replace(/\b\w/g, (letter) => letter.toUpperCase())

/** A phone to which the printed address is the local cloud's, and which has one picture in its album. */
function openPhone(t) {
  const login32 = ({ success }) => setTimeout(() => success({ code: realCode(), errMsg: 'login:ok' }))
  const phone = createWx({ login: login32, headerName: inCapitals })
  t.after(phone.close)
  const picture = makeFile()
  const tempFiles = [{ tempFilePath: picture.filePath, size: picture.size, fileType: 'image' }]
  const previewed = []
  const login = () => new Promise((success) => { phone.login({ success }) })
  const wx = {
    ...phone,
    login: answering(login),
    request: (options) => phone.request({ ...options, url: options.url.replace(PRINTED_ADDRESSES, cloud.function) }),
    previewImage: (options) => { previewed.push(options) },
    chooseMedia: answering(async () => ({ tempFiles, type: 'image' })),
  }
  return { wx, picture, previewed }
}

function digestOf({ filePath, digestAlgorithm, success }) {
  const bytes = fs.readFileSync(filePath)
  success({ size: bytes.length, digest: crypto.createHash(digestAlgorithm).update(bytes).digest('hex') })
}

/** What `require` finds beside a page of a mini-program, or in its node_modules. */
function requireOf(id) {
  const file = id.replace(/^(\.\.\/)*(utils\/)?oss-direct-upload/, path.join(ROOT, 'miniprogram/example/utils/oss-direct-upload'))
  return require(file)
}

async function tokenOfBackend() {
  const body = JSON.stringify({ code: realCode() })
  const response = await fetch(`${cloud.function}/login`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  return (await response.json()).token
}

function openBrowser(t) {
  const { window } = new JSDOM('', { url: `${cloud.playground}/` })
  const names = ['window', 'XMLHttpRequest', 'FormData']
  const earlier = names.map((name) => [name, globalThis[name]])
  Object.assign(globalThis, { window, XMLHttpRequest: window.XMLHttpRequest, FormData: window.FormData })
  t.after(() => {
    earlier.forEach(([name, value]) => (value === undefined ? delete globalThis[name] : (globalThis[name] = value)))
    window.close()
  })
  return window
}

/** Whether exactly these bytes lie under the key. */
const isStored = (key, { filePath }) => assert.ok(cloud.object(key).equals(fs.readFileSync(filePath)), key)

/**
 * One case for each piece: what tells it from the others, what stands around it, and what it must have
 * done. `shown` is what it printed.
 */
const CASES = {
  'createLargeUploader({': {
    around: () => {
      const film = makeFile('film.mp4', 6 * 1024 * 1024)
      return { film, ...film }
    },
    last: 'return { key, receipt }',
    check({ result, film, shown, wx }) {
      isStored(result.key, film)
      assert.match(result.receipt, /^eyJ/)
      assert.equal(wx.platform.calls.filter(({ options }) => options.method === 'PUT').length, 6)
      assert.match(shown.at(-1), /^100% \d+ 0$/)
    },
  },
  'async function upload()': {
    last: 'return upload()',
    async check({ shown, wx }) {
      await eventually(() => shown.length > 0)
      assert.deepEqual(shown, ['uploaded'])
      const [{ options }] = wx.platform.calls.filter(({ api }) => api === 'uploadFile')
      isStored(options.formData.key, options)
    },
  },
  'success: async (res) =>': {
    async check({ shown, picture }) {
      await eventually(() => String(shown.at(-1)).startsWith('http'))
      isStored(shown.at(-1).slice(`${cloud.oss}/`.length), picture)
    },
  },
  'const task = uploader.upload({': {
    around() {
      const film = makeFile('film.mp4')
      return { film, ...film, contentType: 'video/mp4', onProgress: () => {} }
    },
    last: 'return { key, url, uploadId, receipt, statusCode, data }',
    check({ result, film }) {
      isStored(result.key, film)
      assert.deepEqual([result.url, result.statusCode], [`${cloud.oss}/${result.key}`, 200])
    },
  },
  'uploader.confirm(ticket)': {
    last: 'return { key, confirmed, sure }',
    check({ result, picture }) {
      isStored(result.key, picture)
      const { seen, context } = JSON.parse(Buffer.from(result.sure.split('.')[1], 'base64url').toString('utf8'))
      assert.deepEqual([result.confirmed, seen, context], [true, true, { order: 7 }])
    },
  },
  'uploader.discard(result)': {
    last: 'return { result, state, heldUntil }',
    check({ result: { result, state, heldUntil } }) {
      assert.deepEqual([result.held, state, cloud.holds(`held/${result.key}`)], [true, 'held', false])
      assert.ok(Date.parse(heldUntil) > Date.now())
    },
  },
  'uploader.list({': {
    async around({ uploader }) {
      const file = { ...PNG, profile: 'avatar' }
      for await (const { key } of uploader.list({ profile: 'avatar' })) await uploader.delete(key) // of the other pieces
      return { stored: (await uploader.uploadAll([file, file])).map(({ value }) => value.key).sort() }
    },
    last: 'return { items, done, results, mine }',
    async check({ stored, result: { items, done, results, mine } }) {
      assert.deepEqual([items.map(({ key }) => key), done], [stored, true])
      assert.deepEqual(results, stored.map((key) => ({ key, state: 'gone' })))
      assert.deepEqual([stored.filter(cloud.holds), await mine.page()], [[], { items: [], done: true }])
    },
  },
  'replaces: oldKey': {
    async around({ uploader, picture }) {
      const { key: oldKey } = await uploader.upload({ ...picture, profile: 'avatar' }).promise
      const second = () => Math.floor(Date.now() / 1000)
      const stored = second()
      await eventually(() => second() > stored) // an object is older only in another second
      return { oldKey, ...makeFile('new.png') }
    },
    last: 'return key',
    check: ({ result, oldKey }) => assert.deepEqual([cloud.holds(result), cloud.holds(oldKey)], [true, false]),
  },
  'digest: { album': {
    around: ({ wx, picture }) => ({ wx: { ...wx, getFileSystemManager: () => ({ getFileInfo: digestOf }) }, file: picture }),
    last: 'return { uploader, exists, key, receipt }',
    async check({ result, picture }) {
      isStored(result.key, picture)
      assert.match(result.key, /^album\//)
      const again = await result.uploader.upload(picture).promise
      assert.deepEqual([result.exists, again.exists, again.key], [false, true, result.key])
    },
  },
  'uploader.read(keys': {
    around: async ({ uploader }) => ({ keys: (await uploader.uploadAll([PNG, PNG])).map(({ value }) => value.key) }),
    last: 'return { thumbs, large }',
    async check({ result: { thumbs, large }, previewed }) {
      const answers = await Promise.all([...thumbs, large].map((url) => fetch(url)))
      assert.deepEqual(answers.map(({ status, headers }) => [status, headers.get('content-type')]), Array(3).fill([200, 'image/jpeg']))
      assert.deepEqual(previewed, [{ urls: [large], current: large }])
    },
  },
  'const batch = uploader.uploadAll': {
    around: ({ wx }) => ({
      files: [makeFile('1.png'), makeFile('2.png')],
      uploader: createUploader({ endpoint: cloud.function, api: wx, profile: 'avatar' }),
    }),
    last: 'return results',
    check({ result, files, shown }) {
      result.forEach(({ value }, index) => isStored(value.key, files[index]))
      assert.ok(shown.includes('100%, 2 of 2, 0 failed'))
    },
  },
  'aiDeclared: true': {
    around: ({ picture }) => picture,
    last: 'return aiLabel',
    check: ({ result: { label, source } }) => assert.deepEqual([label, source], [2, 'declared']),
  },
  'oss-direct-upload/english': {
    last: 'return [uploader, ours]',
    async check({ result }) {
      const file = { ...makeFile(), size: 3 * 1024 * 1024, profile: 'avatar' }
      const messages = await Promise.all(result.map((uploader) => uploader.upload(file).promise.catch(({ message }) => message)))
      assert.match(messages[0], /^[A-Z][a-z ]+/)
      assert.equal(messages[1], '头像请不要超过 2 MB。')
    },
  },
  ".selectComponent('#pictures').submit()": {
    around: componentOf,
    async check({ made, wx }) {
      const sent = []
      Object.assign(wx, { request: (options) => sent.push(options.data) })
      made.selectComponent = () => ({ submit: async () => ['receipt'] })
      await made.methods.publish.call(made)
      assert.deepEqual(sent, [{ receipts: ['receipt'] }])
    },
  },
  'compress: true': {
    around: ({ wx, picture }) => {
      addCodec(wx, folder)
      fs.writeFileSync(picture.filePath, photoOf({ width: 4000, height: 3000, size: 3000000 }))
      return { onCompressed: () => {} }
    },
    last: 'return compressed',
    check: ({ result }) => assert.ok(result.before === 3000000 && result.after <= 1024 ** 2),
  },
  'chosen({ detail: { avatarUrl } })': {
    around: ({ picture }) => ({ avatarUrl: picture.filePath }),
    last: 'return chosen({ detail: { avatarUrl } })',
    check({ result, picture }) {
      isStored(result.key, picture)
      assert.match(result.receipt, /^eyJ/)
    },
  },
  thumbTempFilePath: {
    around({ wx, picture }) {
      const film = makeFile('film.mp4')
      const chosen = { tempFilePath: film.filePath, size: film.size, thumbTempFilePath: picture.filePath }
      Object.assign(wx, { chooseMedia: async () => ({ tempFiles: [chosen] }) })
      return { made: film }
    },
    last: 'return [video.key, cover.key]',
    check({ result: [video, cover], made, picture }) {
      isStored(video, made)
      isStored(cover, picture)
    },
  },
  'envVersion } = wx': {
    around({ wx }) { Object.assign(wx, { getAccountInfoSync: () => ({ miniProgram: { envVersion: 'develop' } }) }) },
    last: 'return endpoint',
    check: ({ result }) => assert.equal(result, 'http://127.0.0.1:9000'),
  },
  'wx.cloud.uploadFile': {
    around({ wx, picture }) { Object.assign(wx, { cloud: { uploadFile: async ({ filePath }) => ({ fileID: filePath }) } }); },
    last: 'return fileID',
    check: ({ result, picture }) => assert.equal(result, picture.filePath),
  },
  'async function checkOnce(file)': {
    around({ wx, picture }) {
      const [states, deleted] = [['checking', 'published'], Array()]
      Object.assign(wx, { downloadFile: ({ url, success }) => success({ tempFilePath: `wxfile://${url}` }) })
      const uploader = {
        upload: ({ profile }) => ({ promise: Promise.resolve({ key: `${profile}/a.png`, receipt: 'r' }) }),
        status: async () => ({ state: states.shift() || 'rejected' }),
        read: async (key, { variant }) => `${key}?${variant}`,
        delete: async (key) => deleted.push(key),
      }
      return { picture, uploader, deleted, setTimeout: (go) => go() }
    },
    last: 'return [await checkOnce(picture), await checkOnce(picture)]',
    check: ({ result, deleted }) => assert.deepEqual([result, deleted], [['wxfile://once/a.png?result', ''], ['once/a.png', 'once/a.png']]),
  },
  'uploader.upload({ filePath }).promise': {
    last: 'return { key, receipt }',
    check: ({ result, picture }) => isStored(result.key, picture),
  },
  "startsWith('cloud://')": {
    around: () => ({ uploader: { read: async (key) => `https://${key}` } }),
    last: "return Promise.all(['cloud://a', 'b'].map(sourceOf))",
    check: ({ result }) => assert.deepEqual(result, ['cloud://a', 'https://b']),
  },
  "require('wx-server-sdk')": {
    around() {
      const data = [{ fileID: 'cloud://a', _openid: 'o1' }, { fileID: 'cloud://b', _openid: 'o2' }]
      const query = { orderBy: () => query, skip: (from) => { query.from = from; return query }, limit: () => query, get: async () => ({ data }) }
      const cloudSdk = {
        init: () => {},
        database: () => ({ collection: () => query }),
        getTempFileURL: async ({ fileList }) => ({ fileList: fileList.map((id) => ({ tempFileURL: id.replace('cloud', 'https') })) }),
      }
      return { require: () => cloudSdk, exports: {} }
    },
    last: 'return exports.main({ skip: 50 })',
    check: ({ result }) => assert.equal(result, 'https://a o1\nhttps://b o2'),
  },
  'upload-params?profile=legacy': {
    around: async () => ({ token: await tokenOfBackend() }),
    async check({ shown, wx, picture }) {
      await eventually(() => shown.length > 0)
      const [{ options }] = wx.platform.calls.filter(({ api }) => api === 'uploadFile')
      assert.match(options.formData.key, /^test\/[a-z2-7]{26}\//)
      assert.deepEqual(shown, [200])
      isStored(options.formData.key, picture)
    },
  },
  'requestMethod(uploader': {
    around: componentOf,
    async check({ made, picture }) {
      const files = [{ url: picture.filePath, name: picture.name, size: picture.size, type: 'image' }]
      await made.data.requestMethod(files)
      made.methods.keep.call(made, { detail: { files } })
      assert.deepEqual([made.data.files[0].status, made.data.files[0].held], ['done', false])
      isStored(made.data.files[0].key, picture)
    },
  },
  'afterRead(uploader': {
    around: componentOf,
    async check({ made, picture }) {
      const file = { url: picture.filePath, name: picture.name, size: picture.size, type: 'image' }
      await made.methods.afterRead.call(made, { detail: { file, index: 0 } })
      assert.equal(made.data.fileList[0].status, 'done')
      isStored(made.data.fileList[0].key, picture)
      made.methods.remove.call(made, { detail: { index: 0, file: made.data.fileList[0] } })
      assert.deepEqual(made.data.fileList, [])
    },
  },
  'createAlipayApi(my)': {
    around(_, t) {
      const [alipay, douyin] = [createMy(), createTt()]
      t.after(() => [alipay, douyin].forEach(({ close }) => close()))
      return { getToken: tokenOfBackend, my: alipay.my, tt: douyin.tt }
    },
    last: 'return [onAlipay, onDouyin]',
    async check({ result, picture }) {
      for (const uploader of result) isStored((await uploader.upload(picture).promise).key, picture)
    },
  },
  'createBrowserApi, filesFrom': {
    around: (_, t) => {
      const { File } = openBrowser(t)
      const files = [new File([fs.readFileSync(makeFile().filePath)], 'photo.png', { type: 'image/png' })]
      return { getToken: tokenOfBackend, input: { files } }
    },
    last: 'return results',
    check({ result }) {
      assert.deepEqual(result.map(({ status, reason }) => [status, reason]), [['fulfilled', undefined]])
      assert.equal(cloud.object(result[0].value.key).length, 900)
    },
  },
  'storage: sessionStorage': {
    around: (_, t) => ({
      createBrowserApi: requireOf('oss-direct-upload/browser').createBrowserApi,
      login: async () => 'local-someone',
      sessionStorage: openBrowser(t).sessionStorage,
      userId: 'someone',
    }),
    last: 'return uploader',
    check: ({ result }) => assert.equal(typeof result.uploadAll, 'function'),
  },
}

/** What a page hands to `Component`, as the platform runs it. */
function componentOf() {
  const made = { setData(values) { Object.assign(this.data, values) } }
  const Component = (options) => Object.assign(made, options)
  return { made, Component }
}

async function eventually(isSo) {
  for (const end = Date.now() + 120000; !isSo();) {
    assert.ok(Date.now() < end, String(isSo))
    await new Promise((resolve) => { setTimeout(resolve, 10) })
  }
}

const piecesOf = (page) => [...fs.readFileSync(path.join(ROOT, page), 'utf8').matchAll(/^```js\n([^]*?)^```/gm)].map(([, code]) => code)
const caseOf = (code) => Object.keys(CASES).filter((mark) => code.includes(mark))

/** What both languages print alike, but for comments, is run once. */
const ran = new Set()
const plainOf = (code) => code.replace(/(?<!:)\/\/ .*/g, '').replace(/ *\n/g, '\n')

for (const page of PAGES) {
  piecesOf(page).forEach((code, index) => {
    if (ran.has(plainOf(code))) return
    ran.add(plainOf(code))
    const title = `piece ${index + 1} of ${page}`
    if (code.startsWith('import ')) test(`${title} names what is there`, (t) => importIsThere(code, t))
    else test(`${title} runs as printed: ${caseOf(code)}`, (t) => runAsPrinted(code, t))
  })
}

async function runAsPrinted(code, t) {
  const [mark, ...others] = caseOf(code)
  assert.ok(mark && others.length === 0, `a case of its own is missing for:\n${code}`)
  const { around = () => ({}), last = '', check } = CASES[mark]
  const shown = []
  const phone = openPhone(t)
  const console = { log: (...texts) => shown.push(texts.length > 1 ? texts.join(' ') : texts[0]), error: (error) => shown.push(error) }
  const uploader = createUploader({ endpoint: cloud.function, api: phone.wx })
  const usual = { require: requireOf, console, endpoint: cloud.function, createUploader, uploader, ...phone.picture, ...phone }
  const names = { ...usual, ...(await around({ ...phone, uploader }, t)) }
  const run = new AsyncFunction(...Object.keys(names), `{\n${code}\n${last}\n}`)
  await check({ ...names, shown, result: await run(...Object.values(names)) })
}

/** What comes after the imports runs as well, on the phone or in the browser of uni-app. */
async function importIsThere(code, t) {
  const phone = openPhone(t)
  const getSystemInfoSync = () => ({ uniPlatform: 'web' })
  const names = { uni: { ...phone.wx, getSystemInfoSync }, userId: 'u-1', getToken: tokenOfBackend }
  for (const [, wanted, file] of code.matchAll(/^import \{ (.+) \} from '(?:\.\.?\/)+utils\/oss-direct-upload\/(.+)'$/gm)) {
    const found = await import(path.join(ROOT, 'miniprogram/example/utils/oss-direct-upload', file))
    for (const name of wanted.split(', ')) {
      assert.ok(found[name], name)
      names[name] = found[name]
    }
  }
  const rest = code.replace(/^import .*\n/gm, '').trim()
  if (!rest) return
  globalThis.uni = names.uni
  t.after(() => delete globalThis.uni)
  const uploader = new Function(...Object.keys(names), `${rest}\nreturn uploader`)(...Object.values(names))
  isStored((await uploader.upload(phone.picture).promise).key, phone.picture)
}

test('every page with JavaScript is run, here or with its files', () => {
  const listed = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
  const elsewhere = /^docs\/(tutorial|receipts|held-objects|skill\/SKILL)(\.zh-CN)?\.md$/
  const withCode = listed.filter((page) => /^ *```(js|javascript|ts|typescript|mjs|cjs|jsx)\b/m.test(fs.readFileSync(path.join(ROOT, page), 'utf8')))
  assert.deepEqual(withCode.filter((page) => !elsewhere.test(page)).sort(), [...PAGES].sort())
})

test('the documents show every case', () => {
  const shown = PAGES.flatMap(piecesOf).flatMap(caseOf)
  assert.deepEqual([...new Set(shown)].sort(), Object.keys(CASES).sort())
})
