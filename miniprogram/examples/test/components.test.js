'use strict'

/** The uploader components of TDesign and Vant, as npm has them, with the client behind them and the local cloud behind that. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, beforeEach, describe, test } = require('node:test')
const ts = require('typescript')
const { startLocalCloud } = require('../../test/local_cloud')
const { openSimulator, until } = require('../../test/stage')
const { createWx } = require('../../test/wx')
const { pack, PACKAGE } = require('../../test/packed')

const EXAMPLE = path.join(__dirname, '../components')
const PICTURE = path.join(__dirname, '../../../tests/playground/picture.png')
const COMPONENTS = { tdesign: 'tdesign-miniprogram', vant: '@vant/weapp' }

let cloud
let folder
let phone
let wx
const pages = {}

before(async () => {
  cloud = await startLocalCloud()
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'components-')))
  await build(folder)
  phone = createWx()
  wx = openPhone(phone)
  fs.writeFileSync(path.join(folder, 'config.js'), `module.exports = { ENDPOINT: '${cloud.function}' }\n`)
  const simulate = require('miniprogram-simulate')
  wx = Object.assign(global.wx, wx)
  for (const name of Object.keys(COMPONENTS)) {
    const page = simulate.render(simulate.load(path.join(folder, `pages/${name}/${name}`), 'page', { rootPath: folder }))
    page.attach(document.body)
    pages[name] = page
  }
})

after(async () => {
  phone?.close()
  await cloud?.stop()
  fs.rmSync(folder, { recursive: true })
})

beforeEach(() => { wx.dialogs.length = 0 })

/** 构建 npm, with what npm would install of the client today. */
async function build(target) {
  const modules = path.join(EXAMPLE, 'node_modules')
  if (!fs.existsSync(modules)) throw new Error(`the components are not installed: make test-all, or (cd ${EXAMPLE} && npm ci)`)
  fs.cpSync(EXAMPLE, target, { recursive: true, filter: (each) => !each.startsWith(modules) })
  for (const name of Object.values(COMPONENTS)) fs.cpSync(path.join(modules, name), path.join(target, 'node_modules', name), { recursive: true })
  unpack(path.join(target, 'node_modules/oss-direct-upload'))
  const report = await require('miniprogram-ci').packNpmManually({
    packageJsonPath: path.join(target, 'package.json'), miniprogramNpmDistDir: target,
  })
  assert.deepEqual(report, { miniProgramPackNum: 3, otherNpmPackNum: 0, warnList: [] })
  loadAsThePhoneDoes(target)
}

function unpack(target) {
  fs.mkdirSync(target, { recursive: true })
  const tar = require('node:child_process').spawnSync('tar', ['-xzf', pack().file, '-C', target, '--strip-components=1'])
  assert.equal(tar.status, 0, String(tar.stderr))
}

/** A phone finds packages in miniprogram_npm, and DevTools makes CommonJS of ES modules (es6); Node and the simulator do neither. */
function loadAsThePhoneDoes(target) {
  const built = path.join(target, 'miniprogram_npm')
  fs.rmSync(path.join(target, 'node_modules'), { recursive: true })
  fs.symlinkSync(built, path.join(target, 'node_modules'), 'junction')
  fs.renameSync(path.join(built, 'tdesign-miniprogram/miniprogram_npm'), path.join(built, 'tdesign-miniprogram/node_modules'))
  for (const [name, component] of Object.entries(COMPONENTS)) {
    const file = path.join(target, `pages/${name}/${name}.json`)
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(`"${component}/`, `"/miniprogram_npm/${component}/`))
  }
  const plain = require.extensions['.js']
  const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2018, esModuleInterop: true }
  require.extensions['.js'] = (module, file) => {
    if (!file.startsWith(path.join(built, 'tdesign-miniprogram'))) { plain(module, file); return }
    module._compile(ts.transpileModule(fs.readFileSync(file, 'utf8'), { compilerOptions: options }).outputText, file)
  }
}

test('构建 npm makes of the client what a mini-program loads, and of that only code travels to the phone', () => {
  const { MiniProgramWhiteList } = require('miniprogram-ci/dist/utils/white_ext_list')
  const built = path.join(folder, 'miniprogram_npm/oss-direct-upload')
  const modules = fs.readdirSync(PACKAGE).filter((name) => name.endsWith('.js'))
  modules.forEach((name) => assert.ok(fs.readFileSync(path.join(built, name)).equals(fs.readFileSync(path.join(PACKAGE, name))), name))
  const travelling = fs.readdirSync(built).filter((name) => MiniProgramWhiteList.includes(path.extname(name)))
  assert.deepEqual(travelling.sort(), [...modules, 'package.json'].sort())
  const [{ createUploader }, { createLargeUploader }] = ['index', 'parts'].map((name) => require(path.join(built, name)))
  assert.deepEqual([typeof createUploader, typeof createLargeUploader], ['function', 'function'])
})

function openPhone(api) {
  const facts = { platform: 'ios', SDKVersion: '3.8.0', windowWidth: 375 }
  const asked = ['getSystemInfoSync', 'getAppBaseInfo', 'getDeviceInfo', 'getWindowInfo']
  const made = Object.assign(api, Object.fromEntries(asked.map((name) => [name, () => facts])), {
    dialogs: [], nextTick: (run) => setTimeout(run), canIUse: () => true,
  })
  made.showModal = ({ content }) => made.dialogs.push(content)
  Object.assign(global, { getApp: () => ({ globalData: {} }) })
  openSimulator(made)
  return made
}

let taken = 0

/** A picture as the phone's album gives it. */
function picture(name = 'a.png', size = 0) {
  taken += 1
  const tempFilePath = path.join(folder, `${taken}-${name}`)
  if (size) fs.writeFileSync(tempFilePath, Buffer.alloc(size))
  else fs.copyFileSync(PICTURE, tempFilePath)
  return { tempFilePath, size: fs.statSync(tempFilePath).size, fileType: 'image' }
}

const album = (...tempFiles) => { wx.chooseMedia = ({ success }) => success({ tempFiles }) }
const isStored = ({ key }) => assert.ok(cloud.object(`held/${key}`).equals(fs.readFileSync(PICTURE)), key)

const KINDS = {
  tdesign: {
    list: (page) => page.instance.data.files,
    choose: (page) => page.querySelector('.upload').instance.onAddTap(),
    remove: (page, index) => page.querySelector('.upload').instance.onDelete({ currentTarget: { dataset: { index } } }),
    // The simulator drops functions on their way into a component; a phone, for which t-upload is made so, does not.
    ready(page) {
      const { data } = page.querySelector('.upload').instance
      Object.defineProperty(data, 'requestMethod', { configurable: true, get: () => page.instance.data.requestMethod, set() {} })
    },
  },
  vant: {
    list: (page) => page.instance.data.fileList,
    choose: (page) => page.querySelector('.upload').instance.startUpload(),
    remove: (page, index) => page.querySelector('.upload').instance.deleteItem({ currentTarget: { dataset: { index } } }),
    ready: () => {},
  },
}

for (const [name, { list, choose, remove, ready }] of Object.entries(KINDS)) {
  describe(`the uploader of ${COMPONENTS[name]}`, () => {
    let page
    const ended = (count) => until(() => list(page).length === count && list(page).every(({ status }) => ['done', 'failed'].includes(status)), page)

    beforeEach(async () => {
      page = pages[name]
      ready(page)
      for (let index = list(page).length - 1; index >= 0; index -= 1) remove(page, index)
      await until(() => list(page).length === 0, page)
    })

    test('uploads what is chosen, byte for byte, and shows it from the phone', async () => {
      const chosen = [picture(), picture('b.png')]
      album(...chosen)
      choose(page)
      await ended(2)
      list(page).forEach(isStored)
      assert.deepEqual(list(page).map(({ url }) => url), chosen.map(({ tempFilePath }) => tempFilePath))
      assert.deepEqual(list(page).map(({ status, state, held }) => [status, state, held]), Array(2).fill(['done', 'held', true]))
      assert.match(list(page)[0].receipt, /^eyJ/)
    })

    test('says in Chinese what is wrong with one, and keeps the others', async () => {
      album(picture(), picture('large.png', 10 * 1024 * 1024 + 1))
      choose(page)
      await ended(2)
      const [good, bad] = list(page)
      isStored(good)
      assert.deepEqual([bad.status, bad.code, bad.retryable, bad.message], ['failed', 'too_large', false, '文件太大，最大 10 MB。'])
      assert.match(page.dom.textContent, /文件太大，最大 10 MB。/)
    })

    test('a picture that is removed is discarded', async () => {
      album(picture())
      choose(page)
      await ended(1)
      const { key } = list(page)[0]
      remove(page, 0)
      await until(() => list(page).length === 0, page)
      await until(() => !cloud.holds(`held/${key}`), page)
    })

    test('a picker that was just closed is no failure, another is told', async () => {
      wx.chooseMedia = ({ fail }) => fail({ errMsg: 'chooseMedia:fail cancel' })
      choose(page)
      await new Promise((resolve) => { setTimeout(resolve, 20) })
      wx.chooseMedia = ({ fail }) => fail({ errMsg: 'chooseMedia:fail auth deny' })
      choose(page)
      await until(() => wx.dialogs.length, page)
      assert.deepEqual(wx.dialogs, ['没有得到授权，请在设置中允许。'])
    })
  })
}

test('Vant shows how far a picture is, and one that is removed on its way is discarded when it arrives', async (t) => {
  const { list, choose, remove } = KINDS.vant
  const page = pages.vant
  await cloud.plan(cloud.oss, { kind: 'slow', times: 1, seconds: 1 })
  t.after(() => cloud.clear(cloud.oss))
  album(picture())
  const discards = () => phone.platform.calls.filter(({ options, settled }) => options.url.endsWith('/discard') && settled)
  const earlier = discards().length
  choose(page)
  await until(() => list(page).length && /^\d+%$/.test(list(page).at(-1).message), page)
  remove(page, list(page).length - 1)
  await until(() => discards().length > earlier, page)
  const { key } = JSON.parse(Buffer.from(JSON.parse(discards().at(-1).options.data).receipt.split('.')[1], 'base64url').toString('utf8'))
  assert.equal(cloud.holds(`held/${key}`), false)
})
