'use strict'

/** What a framework built, in a simulated mini-program, real HTTP below and jsdom above; and what every example has to do there. */

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { inspect } = require('node:util')
const { after, before, describe, test } = require('node:test')
const { startLocalCloud } = require('../../test/local_cloud')
const { openSimulator, until: untilShown } = require('../../test/stage')
const { createWx } = require('../../test/wx')

const SLOW_SECONDS = 5

function check(name, output) {
  describe(`the example for ${name}`, () => {
    let cloud
    let folder
    let page
    let phone
    let wx

    before(async () => {
      const built = build(name, output)
      cloud = await startLocalCloud()
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'example-'))
      const copy = path.join(folder, 'built')
      pointTo(cloud.function, built, copy)
      phone = createWx()
      page = open(copy, phone)
      wx = global.wx // the simulator's or the framework's own, with ours in it
    })

    after(async () => {
      phone?.close()
      await cloud?.stop()
      fs.rmSync(folder, { recursive: true })
    })

    const textsOf = (selector) => page.querySelectorAll(selector).map(({ dom }) => dom.textContent)
    const posts = () => phone.platform.calls.filter(({ api }) => api === 'uploadFile')

    function picture(fileName, size = 1000) {
      const filePath = path.join(folder, fileName)
      fs.writeFileSync(filePath, crypto.randomBytes(size))
      return filePath
    }

    async function choose(...paths) {
      wx.chooseImage = ({ success }) => {
        const tempFiles = paths.map((each) => ({ path: each, size: fs.statSync(each).size }))
        success({ tempFilePaths: paths, tempFiles, errMsg: 'chooseImage:ok' })
      }
      await tap('.choose')
    }

    async function tap(selector) {
      await until(() => page.querySelectorAll(selector).length)
      page.querySelectorAll(selector)[0].dispatchEvent('tap')
    }

    const until = (isSo) => untilShown(isSo, page)

    /** Nothing is under way any more, not for the page either. */
    async function settled() {
      await until(() => phone.platform.calls.every((call) => call.settled))
      await new Promise((resolve) => { setTimeout(resolve, 50) })
    }

    const isStored = (filePath) => cloud.stored().some((bytes) => bytes.equals(fs.readFileSync(filePath)))

    test('uploads the pictures that are chosen, byte for byte', async () => {
      const paths = [picture('a.jpg', 3000), picture('b.jpg', 2000)]
      await choose(...paths)
      await until(() => textsOf('.state').join() === '已完成,已完成')
      assert.deepEqual(paths.map(isStored), [true, true])
      assert.match(textsOf('.overall')[0], /100%，完成 2 个/)
    })

    test('shows what is stored, small, instead of what is on the phone', async () => {
      const filePath = picture('mine.jpg')
      await settled()
      await choose(filePath)
      const shown = () => inspect(page.instance.data, { depth: Infinity })
      await until(() => shown().includes('x-oss-process='))
      const [url] = shown().match(/http[^'"]+x-oss-process=[^'"]+/)
      assert.ok(url.startsWith(`${cloud.oss}/avatars/`), url)
      assert.ok(!shown().includes(filePath))
    })

    test('says in Chinese why a picture is refused, and offers no second try of it', async () => {
      await choose(picture('large.jpg', 3 * 1024 * 1024))
      await until(() => /太大/.test(textsOf('.state').join()))
      assert.match(textsOf('.state')[0], /^文件太大，.+。$/)
      assert.equal(page.querySelectorAll('.retry').length, 0)
      assert.doesNotMatch(page.dom.textContent, /错误码|max_size|allowed/)
    })

    test('goes on after the background interrupted it', async (t) => {
      const filePath = picture('slow.jpg')
      await cloud.plan(cloud.oss, { kind: 'slow', times: 1, seconds: SLOW_SECONDS })
      t.after(() => cloud.clear(cloud.oss))
      const earlier = posts().length
      await settled() // what is still shown of earlier tests
      const heard = phone.platform.listeners.AppHide.size
      await choose(filePath)
      await until(() => posts().length > earlier)
      assert.equal(phone.platform.listeners.AppHide.size, heard + 1, 'the framework hands the event on')
      phone.platform.hide(0)
      await until(() => posts().every(({ settled }) => settled))
      phone.platform.show()
      await until(() => textsOf('.state').join() === '已完成')
      assert.ok(isStored(filePath))
      assert.ok(posts().length <= earlier + 2, 'sent once more, unless OSS had it in the meantime')
    })

    test('is cancelled as a whole', async (t) => {
      await cloud.plan(cloud.oss, { kind: 'slow', times: 2, seconds: SLOW_SECONDS })
      t.after(() => cloud.clear(cloud.oss))
      const earlier = posts().length
      await choose(picture('c.jpg'), picture('d.jpg'))
      await until(() => posts().length === earlier + 2)
      await tap('.cancel')
      await until(() => textsOf('.state').join() === '已取消。,已取消。')
      assert.ok(posts().every(({ settled }) => settled))
    })

    test('offers a second try where it helps', async (t) => {
      const { uploadFile } = wx
      t.after(() => { wx.uploadFile = uploadFile })
      wx.uploadFile = ({ fail, complete }) => {
        const res = { errMsg: 'uploadFile:fail -101:net::ERR_CONNECTION_RESET' }
        setImmediate(() => { fail(res); if (complete) complete(res) })
        return { onProgressUpdate() {}, abort() {} }
      }
      const filePath = picture('lost.jpg')
      await choose(filePath)
      await until(() => /网络不通/.test(textsOf('.state').join()))
      wx.uploadFile = uploadFile
      await tap('.retry')
      await until(() => textsOf('.state').join() === '已完成')
      assert.ok(isStored(filePath))
    })

    test('a picker that was just closed is no failure, another is told', async () => {
      const told = []
      wx.showModal = ({ content }) => { told.push(content) }
      const fail = async (res) => {
        wx.chooseImage = (options) => { options.fail(res) }
        await tap('.choose')
        await new Promise((resolve) => { setTimeout(resolve, 50) })
      }
      await fail({ errMsg: 'chooseImage:fail cancel' })
      await fail({ errMsg: 'chooseImage:fail api scope is not declared in the privacy agreement', errno: 112 })
      assert.deepEqual(told, ['服务出了问题，请联系客服。'])
    })
  })
}

// --- what is built

const FOLDER = path.join(__dirname, '..')
const ENDPOINT = 'http://127.0.0.1:9000' // in the examples' own config.js
const PAGE = 'pages/upload/upload'
const PHONE = { brand: 'phone', model: 'phone', system: 'iOS 18.0', platform: 'ios', language: 'zh_CN', version: '8.0.50', SDKVersion: '3.8.0' }

/** Build an example with its own framework; the answer is the folder that a phone would get. */
function build(name, output, script = 'build', made = `${PAGE}.js`) {
  const folder = path.join(FOLDER, name)
  if (!fs.existsSync(path.join(folder, 'node_modules'))) {
    throw new Error(`the framework is not installed: make test-all, or (cd ${folder} && npm ci)`)
  }
  fs.rmSync(path.join(folder, output), { recursive: true, force: true })
  // uni-app asks its maker for news otherwise; two tests build it at once.
  const env = { ...process.env, CI: 'true', UNI_OUTPUT_DIR: path.join(folder, output) }
  delete env.NODE_TEST_CONTEXT
  const { status, stdout, stderr } = spawnSync('npm', ['run', script], { cwd: folder, env, encoding: 'utf8', shell: process.platform === 'win32' })
  const built = path.join(folder, output)
  if (status !== 0 || !fs.existsSync(path.join(built, made))) throw new Error(`${name} is not built:\n${stdout}\n${stderr}`)
  return built
}

/** A copy of what was built, which asks this function instead of the one in config.js. */
function pointTo(endpoint, built, target) {
  fs.cpSync(built, target, { recursive: true })
  const scripts = filesBelow(target).filter((each) => each.endsWith('.js'))
  const holding = scripts.filter((each) => fs.readFileSync(each, 'utf8').includes(ENDPOINT))
  if (holding.length !== 1) throw new Error(`${ENDPOINT} stands in ${holding.length} files`)
  fs.writeFileSync(holding[0], fs.readFileSync(holding[0], 'utf8').replaceAll(ENDPOINT, endpoint))
}

function filesBelow(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const each = path.join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(each) : [each]
  })
}

/** Start the built app and show its page. Once a process: the simulator can not load one path twice. */
function open(built, wx, route = PAGE) {
  const simulate = openSimulator(Object.assign(wx, quietPlatform()))
  const shown = []
  let app = /** @type {any} */ (null)
  Object.assign(global, {
    App: (made) => { app = made },
    Page: (options) => global.Component(asComponent(options, shown, route)),
    getApp: () => app,
    getCurrentPages: () => shown,
  })
  require(path.join(built, 'app.js'))
  if (app.onLaunch) app.onLaunch({})
  const page = simulate.render(simulate.load(path.join(built, route), 'page', { rootPath: built }))
  page.attach(document.body)
  return page
}

/** What the frameworks ask of a platform when they start, and this test has no use for. */
function quietPlatform() {
  const facts = [
    'getSystemInfoSync', 'getAppBaseInfo', 'getDeviceInfo', 'getWindowInfo', 'getSystemSetting',
    'getAppAuthorizeSetting', 'getLaunchOptionsSync', 'getEnterOptionsSync',
  ]
  const events = ['onError', 'onUnhandledRejection', 'onPageNotFound', 'onThemeChange']
  return {
    ...Object.fromEntries(facts.map((name) => [name, () => PHONE])),
    ...Object.fromEntries(events.map((name) => [name, () => {}])),
    canIUse: () => true,
    nextTick: (run) => setTimeout(run),
  }
}

/** The simulator knows components only; a page is one that begins its life with onLoad. */
function asComponent(options, shown, route) {
  const methods = Object.fromEntries(Object.entries(options).filter(([, value]) => typeof value === 'function'))
  return {
    data: options.data,
    methods,
    lifetimes: {
      attached() {
        this.route = route
        shown.push(this)
        for (const name of ['onLoad', 'onShow', 'onReady']) if (this[name]) this[name]({})
      },
      detached() {
        if (this.onUnload) this.onUnload()
      },
    },
  }
}

module.exports = { check, build, open, pointTo }
