'use strict'

/** The example's pages in a simulated mini-program: real HTTP below, jsdom above. */

const path = require('node:path')
const { JSDOM } = require('jsdom')

const EXAMPLE = path.join(__dirname, '../example')
const PAGE = path.join(EXAMPLE, 'pages/upload/upload')
const PICTURES = path.join(EXAMPLE, 'pages/pictures/pictures')
const AVATAR = path.join(EXAMPLE, 'pages/avatar/avatar')
const VIDEO = path.join(EXAMPLE, 'pages/video/video')
const POST = path.join(EXAMPLE, 'pages/post/post')
const SHARE = path.join(EXAMPLE, 'pages/share/share')

/** Load the pages once a process: the simulator can not load one path twice. */
function loadPages(wx, endpoint, pages = [PAGE], business = '') {
  const { window } = new JSDOM('<!doctype html><body></body>', { pretendToBeVisual: true })
  const names = ['document', 'Element', 'Event', 'CustomEvent', 'TouchEvent', 'MouseEvent', 'Node']
  names.forEach((name) => { global[name] = window[name] })
  Object.assign(global, { window, wx })
  Object.assign(require(path.join(EXAMPLE, 'config.js')), { ENDPOINT: endpoint, BUSINESS: business })
  const simulate = require('miniprogram-simulate')
  return pages.map((each) => {
    const id = simulate.load(each, 'page', { rootPath: EXAMPLE })
    return () => {
      const page = simulate.render(id)
      page.attach(document.body)
      return page
    }
  })
}

/** The <oss-uploader> of a page, as selectComponent gives it. */
const tagOf = (page, selector) => page.querySelector(selector).instance

/** Choose these files in it, from the album. */
function choices(wx, tag, tempFiles) {
  wx.showActionSheet = ({ success }) => success({ tapIndex: 1 })
  wx.chooseMedia = ({ success }) => success({ tempFiles })
  return tag.choose()
}

async function until(isSo, page) {
  for (const end = Date.now() + 120000; !isSo();) {
    if (Date.now() > end) throw new Error(`not in time; the page shows: ${page.dom.textContent}`)
    await new Promise((resolve) => { setTimeout(resolve, 2) })
  }
}

module.exports = { choices, loadPages, tagOf, until, EXAMPLE, PAGE, PICTURES, AVATAR, VIDEO, POST, SHARE }
