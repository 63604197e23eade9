'use strict'

/** A page on the local cloud of `make run`: nine pictures in its first tag, its first `bindtap`, the check, its list. `prove.js APP [PAGE]` */

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const CLONE = path.join(__dirname, '../..')
const { choices, openSimulator, pause, tagOf, until } = require(path.join(CLONE, 'miniprogram/test/stage'))
const { createWx } = require(path.join(CLONE, 'miniprogram/test/wx'))

const say = (what, detail) => process.stdout.write(`${what} ${JSON.stringify(detail)}\n`)
const isPublished = ({ state }) => state === 'published'
const isDecided = ({ state }) => /^(published|rejected|review|gone|stored|failed)$/.test(state)

async function prove(app, name) {
  const view = fs.readFileSync(path.join(app, `${name}.wxml`), 'utf8')
  const [, id] = /<oss-uploader[^>]*\bid="([^"]+)"/.exec(view)
  const [, publish] = /\bbind:?tap="(\w+)"/.exec(view)
  const phone = createWx()
  const simulate = openSimulator(Object.assign(phone, { showToast: ({ title }) => say('toast', title) }))
  global.App = (options) => { global.getApp = () => options }
  global.Page = ({ data, ...methods }) => global.Component({ data, methods })
  require(path.join(app, 'app.js'))
  const page = simulate.render(simulate.load(path.join(app, name), 'page', { rootPath: app }))
  Object.assign(global.wx, phone)
  page.attach(document.body)
  for (const each of ['onLoad', 'onShow']) if (page.instance[each]) page.instance[each]({})
  const tag = page.querySelector(`#${id}`)
  let shown = []
  tag.addEventListener('change', ({ detail }) => { shown = detail.items })
  tag.addEventListener('fail', ({ detail }) => say('fail', detail))
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'prove-'))
  await choices(global.wx, tagOf(page, `#${id}`), Array.from({ length: 9 }, (_, index) => {
    const tempFilePath = path.join(folder, `${index + 1}.png`)
    fs.copyFileSync(path.join(CLONE, 'tests/playground/picture.png'), tempFilePath)
    return { tempFilePath, size: fs.statSync(tempFilePath).size, fileType: 'image' }
  }))
  await page.instance[publish]()
  await until(() => shown.every(isDecided), page)
  fs.rmSync(folder, { recursive: true })
  shown.forEach(({ key, state, error }) => say(state, { key, error }))
  const isShown = !page.instance.onShow || !/<oss-uploader[^]+<oss-uploader/.test(view) || await isListed(page, shown)
  return shown.filter(isPublished).length === 9 && isShown
}

/** The page's data has the keys of what passed and of nothing else, and its other tags show each picture, within ten seconds. */
async function isListed(page, items) {
  const listed = () => items.filter(({ key }) => JSON.stringify(page.instance.data).includes(key))
  const count = (selector) => [...page.dom.querySelectorAll('oss-uploader')].slice(1).flatMap((each) => [...each.querySelectorAll(selector)]).length
  const isSo = () => items.every((each) => isPublished(each) === listed().includes(each)) && count('[data-fixed]') === count('wx-image')
  for (const end = Date.now() + 10000; !isSo() && Date.now() < end; await pause(300)) page.instance.onShow()
  say('listed', listed().length)
  return isSo()
}

const app = path.resolve(process.argv[2])
const [first] = JSON.parse(fs.readFileSync(path.join(app, 'app.json'), 'utf8')).pages
prove(app, process.argv[3] || first)
  .then((isProved) => process.exit(isProved ? 0 : 1))
  .catch(({ code, message }) => { say('failed', { code, message }); process.exit(1) })
