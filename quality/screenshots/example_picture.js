'use strict'

/** A picture of the example's pages in their states: rendered by the simulator, drawn by Chromium. */

const fs = require('node:fs')
const path = require('node:path')
const { loadPages, pageOf, EXAMPLE } = require('../../miniprogram/test/stage')
const { createWx } = require('../../miniprogram/test/wx')

const SCREEN = { width: 390, height: 740 }
const KEY = 'uploads/q3fZ0aYh/2026/11/25/9JxT2mVbKcQ8w.jpg'
const RECEIPT = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOi'
const WORDS = { add: '添加', retry: '重试' }

/** The items of a tag. */
function itemsOf(...values) {
  const none = { kind: 'image', src: 'picture', name: '图片', state: 'held', progress: 100, word: '', message: '', canRetry: false, fixed: false }
  return { words: WORDS, items: values.map((value, index) => ({ ...none, id: index + 1, ...value })) }
}

const BUSY = itemsOf(
  {}, { state: 'uploading', progress: 63, kind: 'video' }, { state: 'failed', message: '网络不通，请检查后再试。', canRetry: true },
  { kind: 'file', src: '', name: '合同.pdf' }, { state: 'failed', message: '文件太大，最大 10 MB。' },
)
const MARKS = { checking: '审核中', rejected: '未通过' }
const after = (...states) => itemsOf(...states.map((state) => ({ state, fixed: true, word: MARKS[state] || '', src: state === 'rejected' ? '' : 'picture' })))

function post(id, text, kind, word, note) {
  return { id, text, own: !!word, value: [], standing: { kind, word, note } }
}

const POSTS = [
  post('2', '上周的徒步', 'published', '已发布', '1 张图片没有通过审核，其他人看不到。'),
  post('1', '路过的云', '', '', ''),
]

/** A post on its way: the draft, and what became of those before. */
async function drawPosts(browser, picture, target) {
  const wx = createWx()
  const page = show(wx, 'post')
  page.setTag('#draft', { ...itemsOf({}, { state: 'uploading', progress: 63 }), room: 7 })
  const writing = page.screen('发帖', '周末的海边，风很大。')
  page.setData({ sent: '3', posts: POSTS })
  page.setTag('#draft', { ...after('checking', 'checking'), room: 0 })
  page.setTag('.post .pictures', after('published', 'rejected', 'published'), after('published'))
  const list = page.screen('发帖', '刚拍的，大家看看')
  wx.close()
  await draw(browser, [writing, list], picture, target)
}

/** The states side by side: nothing chosen, uploading, what was submitted, one's own pictures. */
async function drawExample(browser, picture, target) {
  const wx = createWx()
  const page = show(wx, 'upload')
  page.setTag('#files', { ...itemsOf(), room: 9 })
  const empty = page.screen('直传 OSS')
  page.setData({ items: BUSY.items, progress: 54 })
  page.setTag('#files', { ...BUSY, room: 4 })
  const busy = page.screen('直传 OSS')
  page.setData({ progress: 100, stored: [{ key: KEY, receipt: RECEIPT }] })
  page.setTag('#files', { ...after('stored'), room: 0 })
  const done = page.screen('直传 OSS')
  const pictures = show(wx, 'pictures')
  const files = ['1.jpg', '2.jpg', '3.jpg', '9JxT2mVbKcQ8w.pdf', '5.jpg', '6.jpg'].map((name) => ({ key: name, name, src: /jpg$/.test(name) ? 'picture' : '' }))
  pictures.setData({ files, done: false })
  const mine = pictures.screen('我的图片')
  wx.close()
  await draw(browser, [empty, busy, done, mine], picture, target)
}

/** One page in a document of its own, for the styles of a page are no other's. */
function show(wx, name) {
  const [render] = loadPages(wx, 'http://127.0.0.1:9', [name])
  const page = render()
  const compiled = [...document.querySelectorAll('style')].map(({ innerHTML }) => innerHTML).join('\n')
  const common = fs.readFileSync(path.join(EXAMPLE, 'app.wxss'), 'utf8').replace(/^\./gm, '.page--') // as the simulator names classes
  // The simulator takes an rpx for a pixel; a screen is 750 of them wide.
  const styles = `${common}\n${compiled}`.replace(/([\d.]+)r?px/g, (_, size) => `${size * SCREEN.width / 750}px`)
  return {
    setData: (data) => page.setData(data),
    setTag: (selector, ...data) => page.querySelectorAll(selector).forEach((tag, index) => tag.instance.setData(data[index])),
    // What stands in a field the simulator leaves to the platform.
    screen(title, written = '') {
      page.dom.querySelectorAll('wx-textarea').forEach((field) => { field.innerHTML = written || '<span class="hint">说点什么</span>' })
      return { title, content: page.dom.innerHTML, styles }
    },
  }
}

async function draw(browser, screens, picture, target) {
  const tab = await browser.newPage({ viewport: { width: (SCREEN.width + 24) * screens.length + 24, height: SCREEN.height + 48 } })
  const image = `data:image/png;base64,${fs.readFileSync(picture).toString('base64')}`
  await tab.setContent(`<!doctype html><html><head><style>
    body { display: flex; gap: 24px; margin: 24px; background: #cfd6df; font-family: "Noto Sans CJK SC", sans-serif }
    .screen { width: ${SCREEN.width}px; height: ${SCREEN.height}px; overflow: hidden; border-radius: 24px;
      background: #f4f6f9; color: #1b2430; font-size: 14px; line-height: 1.5 }
    wx-view { display: block }
    wx-textarea { display: block }
    .hint { color: #7a8594 }
    wx-image { display: inline-block; background: url(${image}) center / cover !important }
    .bar-title { padding: 12px; text-align: center; font-weight: 600 }
    ${screens.map(({ styles }, index) => `#screen-${index} { ${styles} }`).join('\n')}
  </style></head><body>${screens.map(({ title, content }, index) => (
    `<div class="screen" id="screen-${index}"><div class="bar-title">${title}</div>${content}</div>`
  )).join('')}</body></html>`)
  await tab.screenshot({ path: target })
  await tab.close()
}

module.exports = { drawExample, drawPosts }
