'use strict'

/** What a framework built, in a simulated mini-program: real HTTP below, jsdom above. */

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { JSDOM } = require('jsdom')

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
  const { window } = new JSDOM('<!doctype html><body></body>', { pretendToBeVisual: true })
  const names = ['document', 'Element', 'Event', 'CustomEvent', 'TouchEvent', 'MouseEvent', 'Node']
  names.forEach((name) => { global[name] = window[name] })
  Object.assign(global, { window, wx: Object.assign(wx, quietPlatform()) })
  const simulate = require('miniprogram-simulate')
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

module.exports = { build, pointTo, open }
