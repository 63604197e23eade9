'use strict'

/** A picture of the example's pages in their states: rendered by the simulator, drawn by Chromium. */

const fs = require('node:fs')
const { loadPages, PAGE, PICTURES, POST } = require('../../miniprogram/test/example_page')
const { createWx } = require('../../miniprogram/test/wx')

const SCREEN = { width: 390, height: 1000 }
const KEY = 'uploads/q3fZ0aYh/2026/11/25/9JxT2mVbKcQ8w.jpg'
const OVERALL = { progress: 54, sizeText: '15.2 MB / 28.1 MB', count: 5, done: 1, failed: 2, busy: true, canRetry: true }

function item(id, name, sizeText, state, stateText, values = {}) {
  const none = { kind: 'image', thumb: 'picture', progress: 0, message: '', canRetry: false, receipt: '', ticket: '', key: '' }
  return { ...none, id, name, sizeText, state, stateText, ...values }
}

const ITEMS = [
  item(1, 'IMG_2041.jpg', '1.2 MB', 'done', '已完成', { progress: 100, key: KEY, confirmed: true, receipt: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOi' }),
  item(2, '视频', '12.4 MB', 'uploading', '上传中', { kind: 'video', progress: 63 }),
  item(3, '合同.pdf', '860.0 KB', 'waiting', '等待上传', { kind: 'file', thumb: '' }),
  item(4, 'IMG_2043.jpg', '13.1 MB', 'failed', '上传失败', { message: '文件太大，最大 10 MB。' }),
  item(5, 'IMG_2044.jpg', '640.0 KB', 'cancelled', '已取消', { canRetry: true }),
]

const PICTURES_OF_MINE = Array.from({ length: 8 }, (_, index) => ({ key: `${index}`, thumb: 'picture', gone: index === 6 }))

const DRAFT = {
  items: [{ id: 1, path: 'picture', state: 'done' }, { id: 2, path: 'picture', state: 'uploading', progress: 63 }],
  text: '周末的海边，风很大。',
}

function post(id, text, kind, word, note, ...states) {
  const marks = { checking: '审核中', rejected: '未通过' }
  const pictures = states.map((state, index) => ({ key: `${id}-${index}`, state, src: state === 'rejected' ? '' : 'picture', word: marks[state] || '' }))
  return { id, text, own: !!word, kind, word, note, pictures }
}

const POSTS = [
  post('3', '刚拍的，大家看看', 'waiting', '审核中', '图片审核通过后，其他人才能看到。', 'checking', 'checking'),
  post('2', '上周的徒步', 'published', '已发布', '1 张图片没有通过审核，其他人看不到。', 'published', 'rejected', 'published'),
  post('1', '路过的云', '', '', '', 'published'),
]

/** A post on its way: the draft, and what became of those before. */
async function drawPosts(browser, picture, target) {
  const wx = createWx()
  const draft = show(wx, POST)
  draft.setData({ ...DRAFT, canPublish: false })
  const writing = draft.screen('发帖', DRAFT.text)
  draft.setData({ items: [], text: '', posts: POSTS })
  const list = draft.screen('发帖')
  wx.close()
  await draw(browser, [writing, list], picture, target)
}

/** The states side by side: nothing chosen, uploading, what was uploaded. */
async function drawExample(browser, picture, target) {
  const wx = createWx()
  const page = show(wx, PAGE)
  const empty = page.screen('直传 OSS')
  page.setData({ items: ITEMS, overall: OVERALL })
  const busy = page.screen('直传 OSS')
  const pictures = show(wx, PICTURES)
  pictures.setData({ pictures: PICTURES_OF_MINE })
  const mine = pictures.screen('我的图片')
  wx.close()
  await draw(browser, [empty, busy, mine], picture, target)
}

/** One page in a document of its own, for the styles of a page are no other's. */
function show(wx, path) {
  const [render] = loadPages(wx, 'http://127.0.0.1:9000', [path])
  const page = render()
  const compiled = [...document.querySelectorAll('style')].map(({ innerHTML }) => innerHTML).join('\n')
  // The simulator takes an rpx for a pixel; a screen is 750 of them wide.
  const styles = compiled.replace(/([\d.]+)px/g, (_, size) => `${size * SCREEN.width / 750}px`)
  return {
    setData: (data) => page.setData(data),
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
