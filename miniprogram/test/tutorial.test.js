'use strict'

/** The tutorial line by line: its files in an empty folder, nine pictures on the local cloud, its backend; both languages print the same. */

const assert = require('node:assert/strict')
const { execFileSync, spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { startLocalCloud } = require('./local_cloud')
const { choices, openSimulator, tagOf, until } = require('./stage')
const { createWx } = require('./wx')

const ROOT = path.join(__dirname, '../..')
const PICTURE = path.join(ROOT, 'tests/playground/picture.png')
const OF_A_PROJECT = ['manage.py', 'handler.py', 'bytecode.py', 'sts_credentials.py', 'profiles.example.toml', 'function', 'local', 'ops', 'docs/backends', 'miniprogram/example/utils/oss-direct-upload']
const NINE = Array.from({ length: 9 }, (_, index) => `${index + 1}.png`)
const VENV_PYTHON = path.join(ROOT, '.venv/bin/python')
const PYTHON = process.env.PYTHON || (fs.existsSync(VENV_PYTHON) ? VENV_PYTHON : 'python3')
const SHARE = 'pages/share/share.js'

/** Each block: its code, the file that the line above it names; `isDeploying` from the chapter on that. */
function blocksOf(page) {
  const text = fs.readFileSync(path.join(ROOT, page), 'utf8')
  const deploying = text.search(/^## (Deploy|部署)$/m)
  const found = [...text.matchAll(/(?:^`([^`\n]+)`[^\n]*\n\n)?^```(\w+)\n([^]*?)^```/gm)]
  return found.map(({ index, 1: file, 3: code }) => ({ file, code, isDeploying: index > deploying }))
}

/** A clone as far as it is needed here, in a folder of its own. */
function openClone(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tutorial-'))
  const clone = path.join(folder, 'clone')
  // With their times the files compiled before count, too.
  for (const name of OF_A_PROJECT) fs.cpSync(path.join(ROOT, name), path.join(clone, name), { recursive: true, preserveTimestamps: true })
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  return { folder, clone, app: path.join(folder, 'my-app') }
}

/** A new file is what is printed; to one that is there lines are added, or, where it is code, some replaced. */
function write(file, code) {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  const before = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''
  if (!before || !file.endsWith('.js')) return fs.writeFileSync(file, before + code)
  const nameOf = (line) => line.slice(0, line.indexOf('='))
  const printed = code.trimEnd().split('\n')
  const replaced = before.split('\n').map((line) => printed.find((each) => nameOf(each) === nameOf(line)) || line)
  assert.equal(printed.every((line) => replaced.includes(line)), true)
  return fs.writeFileSync(file, replaced.join('\n'))
}

async function freePort() {
  const server = net.createServer()
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = /** @type {net.AddressInfo} */ (server.address())
  await new Promise((resolve) => { server.close(resolve) })
  return String(port)
}

/** `make init` with the answers of the table below it. */
function init(page, clone) {
  const text = fs.readFileSync(path.join(ROOT, page), 'utf8')
  const answers = [...text.matchAll(/^\| [^|]+ \| `([^`]+)` \|$/gm)].map(([, answer]) => answer)
  assert.equal(answers.length, 4)
  const options = ['--bucket', '--region', '--appid', '--features'].flatMap((name, index) => [name, answers[index]])
  execFileSync(PYTHON, ['manage.py', 'init', '--yes', ...options], { cwd: clone, stdio: 'ignore' })
}

/** The printed command, with ports of this test. */
async function startBackend(t, clone, command, cloud, port) {
  const env = { ...process.env, FUNCTION: cloud.function, PORT: port }
  const backend = spawn('bash', ['-c', `exec env ${command}`], { cwd: clone, env, stdio: 'inherit' })
  t.after(() => backend.kill())
  const origin = `http://127.0.0.1:${port}/posts`
  for (const end = Date.now() + 120000; !await fetch(origin).then(() => true, () => false);) {
    assert.ok(Date.now() < end && backend.exitCode === null, 'the backend did not start')
    await new Promise((resolve) => { setTimeout(resolve, 20) })
  }
  return origin.replace('/posts', '')
}

/** The page of the app in a phone to which the printed addresses are those of this test. */
function openPage(app, addresses) {
  const copy = fs.mkdtempSync(`${app}-`) // the simulator can not load one path twice
  fs.cpSync(app, copy, { recursive: true })
  const phone = createWx()
  const { request } = phone
  const toasts = []
  const here = (url) => addresses.reduce((said, [printed, origin]) => said.replace(printed, origin), url)
  const own = { request: (options) => request({ ...options, url: here(options.url) }), showToast: ({ title }) => toasts.push(title) }
  const simulate = openSimulator(Object.assign(phone, own))
  const [name] = JSON.parse(fs.readFileSync(path.join(copy, 'app.json'), 'utf8')).pages
  const id = simulate.load(path.join(copy, name), 'page', { rootPath: copy })
  const wx = Object.assign(global.wx, phone)
  const page = simulate.render(id)
  page.attach(document.body)
  const view = fs.readFileSync(path.join(copy, `${name}.wxml`), 'utf8')
  const close = () => { page.detach(); phone.close() }
  return { page, toasts, wx, close, buttons: [...view.matchAll(/<button bindtap="(\w+)"/g)].map(([, method]) => method) }
}

/** Choose, publish, wait for the check, reload the list; then what the user reads on each picture. */
async function share({ page, toasts, wx, buttons: [publish, reload] }, folder, names) {
  const tag = tagOf(page, '#pictures')
  const tempFiles = names.map((name) => {
    const tempFilePath = path.join(folder, name)
    fs.copyFileSync(PICTURE, tempFilePath)
    return { tempFilePath, size: fs.statSync(tempFilePath).size, fileType: 'image' }
  })
  await page.instance.onShow()
  await page.instance[publish]()
  assert.deepEqual(toasts.splice(0), ['先选一张图片'])
  await choices(wx, tag, tempFiles)
  await page.instance[publish]()
  await until(() => toasts.length, page)
  await until(() => tag.data.items.every(({ state }) => /published|rejected/.test(state)), page)
  await page.instance[reload]()
  return tag.data.items.map(({ word }) => word)
}

/** The nine pictures of a post in the list, as somebody else gets them; the list shows all, and no complaint. */
async function seen(t, { page, buttons: [, reload] }, endpoint) {
  for (const end = Date.now() + 120000; !page.instance.data.posts.some(({ length }) => length === 9);) {
    assert.ok(Date.now() < end, JSON.stringify(page.instance.data))
    await page.instance[reload]()
    await new Promise((resolve) => { setTimeout(resolve, 50) })
  }
  await until(() => [...page.dom.querySelectorAll('oss-uploader')].some((tag) => tag.querySelectorAll('wx-image').length === 9), page)
  const other = createWx()
  t.after(other.close)
  const keys = page.instance.data.posts.find(({ length }) => length === 9)
  const urls = await createUploader({ endpoint, api: other }).read(keys, { variant: 'thumb' })
  return Promise.all(urls.map(async (url) => (await fetch(url)).headers.get('content-type')))
}

/** The printed `curl`, for the WeChat of this test, which is quick. */
async function refuse(cloud, clone, code) {
  await fetch(`${cloud.wechat}/-/check`, { method: 'DELETE' })
  const command = code.replace('http://127.0.0.1:9003', cloud.wechat).replace('"times"', '"delay": 0.1, "times"')
  execFileSync('bash', ['-euc', command], { cwd: clone, stdio: 'ignore' })
}

test("the tutorial as printed: nine checked pictures, with the business here and with a backend of one's own", async (t) => {
  const { folder, clone, app } = openClone(t)
  let cloud
  let backend
  let shared = 0
  let page
  const port = await freePort()
  const stop = async () => {
    if (page) page.close()
    if (cloud) await cloud.stop()
    page = null
  }
  t.after(stop)
  const serve = async (...options) => {
    await stop()
    cloud = await startLocalCloud({ project: clone, options })
    await cloud.judge({ delay: 0.1 })
  }
  const open = () => {
    if (page) page.close()
    page = openPage(app, [
      ['http://127.0.0.1:9000', cloud.function], ['https://upload.example.com', cloud.function],
      ['http://127.0.0.1:9005', cloud.business], ['http://127.0.0.1:3000', backend], ['https://api.example.com', backend],
    ])
    return page
  }

  for (const { file, code, isDeploying } of blocksOf('docs/tutorial.zh-CN.md')) {
    if (file && (!isDeploying || file.endsWith(SHARE))) write(path.join(clone, file), code)
    else if (isDeploying) continue // tests/docs/test_tutorial.py
    else if (code === 'make init\n') init('docs/tutorial.zh-CN.md', clone)
    else if (code === 'make run\n') await serve()
    else if (code.startsWith('python3 manage.py serve ')) await serve(...code.trim().replace('3000', port).split(' ').slice(3))
    else if (/^SECRET=.* node /.test(code)) backend = await startBackend(t, clone, code.trim(), cloud, port)
    else if (code.includes('/-/check')) await refuse(cloud, clone, code)
    else execFileSync('bash', ['-euc', code], { cwd: clone })

    if (code.includes('/-/check')) assert.deepEqual(await share(open(), folder, ['one.png']), ['未通过'])
    if (!file || !file.endsWith(SHARE)) continue
    assert.deepEqual(await share(open(), folder, NINE), Array(9).fill(''))
    assert.deepEqual(await seen(t, page, cloud.function), Array(9).fill('image/jpeg'))
    shared += 1
  }
  assert.equal(shared, 3)
})

/** What an assistant does with the skill and a clone: its commands in order, the tutorial's files, then its proof, of a refusal as well, in a page by `Page`. */
test('the skill as printed: a page with nine checked pictures, proved on the local cloud', async (t) => {
  const { folder, clone, app } = openClone(t)
  let cloud
  t.after(() => cloud && cloud.stop())
  const ended = []
  for (const { code } of blocksOf('docs/skill/SKILL.md')) {
    if (code.startsWith('python3 manage.py init ')) {
      execFileSync(PYTHON, code.trim().split(' ').slice(1), { cwd: clone, stdio: 'ignore' })
      cloud = await startLocalCloud({ project: clone })
      await cloud.judge({ delay: 0.1 })
    } else if (code.includes('/-/check')) {
      await refuse(cloud, clone, code)
      const ofOld = 'const Component = ({ data, methods }) => Page({ ...getApp(), data, ...methods })\n'
      fs.writeFileSync(path.join(app, SHARE), ofOld + fs.readFileSync(path.join(app, SHARE), 'utf8'))
      ended.push(proved(`node docs/skill/prove.js ${app}`))
    } else if (code.startsWith('node docs/skill/prove.js ')) {
      const share = path.join(app, SHARE)
      const here = fs.readFileSync(share, 'utf8').replace('http://127.0.0.1:9000', cloud.function).replace('http://127.0.0.1:9005', cloud.business)
      fs.writeFileSync(share, here)
      ended.push(proved(code.trim().replace('../my-app', app)))
    } else {
      execFileSync('bash', ['-euc', code], { cwd: clone })
      for (const printed of blocksOf('docs/tutorial.md').filter(({ file }) => file).slice(0, 5)) write(path.join(clone, printed.file), printed.code)
    }
  }
  const posts = await (await fetch(`${cloud.business}/posts`)).json()
  assert.deepEqual(ended, [[0, { published: 9 }, 9], [1, { published: 8, rejected: 1 }, 8]])
  assert.deepEqual(posts.posts.map(({ pictures }) => pictures.length), [9, 9])
  assert.deepEqual(fs.readdirSync(folder).sort(), ['clone', 'my-app'])
})

/** How the proof ended, how many pictures have which state, and how many the list shows. */
function proved(command) {
  const { status, stdout } = spawnSync('bash', ['-c', command], { cwd: ROOT, encoding: 'utf8' })
  const states = {}
  for (const [, state] of stdout.matchAll(/^(published|rejected|failed|review) \{/gm)) states[state] = (states[state] || 0) + 1
  const [, listed] = /^listed (.*)$/m.exec(stdout) || [null, '0']
  return [status, states, Number(listed)]
}

test('both languages of the tutorial print the same, but for comments', () => {
  const plain = ({ file, code }) => [file, code.replace(/ *(?:\/\/|#) .*/g, '')]
  assert.deepEqual(blocksOf('docs/tutorial.md').map(plain), blocksOf('docs/tutorial.zh-CN.md').map(plain))
})

test('the page of the tutorial is at most twenty-two lines', () => {
  const lines = (ending) => blocksOf('docs/tutorial.md')
    .find(({ file }) => file && file.endsWith(ending)).code.split('\n').filter((line) => line.trim()).length
  assert.ok(lines('share.js') + lines('share.wxml') <= 22)
})
