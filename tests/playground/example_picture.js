'use strict'

/** A picture of the example's page in its states: rendered by the simulator, drawn by Chromium. */

const fs = require('node:fs')
const { loadPage } = require('../../miniprogram/test/example_page')
const { createWx } = require('../../miniprogram/test/wx')

const SCREEN = { width: 375, height: 930 }
const KEY = 'avatars/q3fZ0aYh/9JxT2mVbKcQ8w.jpg'
const OVERALL = { progress: 54, sizeText: '9.8 MB / 18.1 MB', count: 5, done: 1, failed: 2, busy: true, canRetry: true }

function item(id, name, sizeText, state, stateText, values = {}) {
  const none = { kind: 'image', thumb: 'picture', progress: 0, message: '', canRetry: false, receipt: '', key: '' }
  return { ...none, id, name, sizeText, state, stateText, ...values }
}

const ITEMS = [
  item(1, 'IMG_2041.jpg', '1.2 MB', 'done', '已完成', { progress: 100, key: KEY, receipt: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOi' }),
  item(2, '视频', '12.4 MB', 'uploading', '上传中', { kind: 'video', progress: 63 }),
  item(3, '合同.pdf', '860.0 KB', 'waiting', '等待上传', { kind: 'file', thumb: '' }),
  item(4, 'IMG_2043.jpg', '3.1 MB', 'failed', '上传失败', { message: '文件太大，最大 2 MB。' }),
  item(5, 'IMG_2044.jpg', '640.0 KB', 'cancelled', '已取消', { canRetry: true }),
]

/** The states side by side: nothing chosen, uploading. */
async function drawExample(browser, picture, target) {
  const wx = createWx()
  const render = loadPage(wx, 'http://127.0.0.1:9000')
  const page = render()
  const empty = page.dom.innerHTML
  page.setData({ items: ITEMS, overall: OVERALL })
  const busy = page.dom.innerHTML
  const compiled = [...document.querySelectorAll('style')].map(({ innerHTML }) => innerHTML).join('\n')
  // The simulator takes an rpx for a pixel; on this screen it is half of one.
  const styles = compiled.replace(/([\d.]+)px/g, (_, size) => `${size / 2}px`)
  wx.close()
  await draw(browser, [empty, busy], styles, picture, target)
}

async function draw(browser, screens, styles, picture, target) {
  const tab = await browser.newPage({ viewport: { width: SCREEN.width * 2 + 72, height: SCREEN.height + 48 } })
  const image = `data:image/png;base64,${fs.readFileSync(picture).toString('base64')}`
  await tab.setContent(`<!doctype html><html><head><style>
    ${styles}
    body { display: flex; gap: 24px; margin: 24px; background: #cfd6df; font-family: "Noto Sans CJK SC", sans-serif }
    .screen { width: ${SCREEN.width}px; height: ${SCREEN.height}px; overflow: hidden; border-radius: 24px;
      background: #f4f6f9; color: #1b2430; font-size: 14px; line-height: 1.5 }
    wx-view { display: block }
    wx-image { display: inline-block; background: url(${image}) center / cover !important }
    .bar-title { padding: 12px; text-align: center; font-weight: 600 }
  </style></head><body>${screens.map((each) => (
    `<div class="screen"><div class="bar-title">直传 OSS</div>${each}</div>`
  )).join('')}</body></html>`)
  await tab.screenshot({ path: target })
  await tab.close()
}

module.exports = { drawExample }
