'use strict'

/** The example's pages in a simulated mini-program: real HTTP below, jsdom above. */

const path = require('node:path')
const { JSDOM } = require('jsdom')

const EXAMPLE = path.join(__dirname, '../example')
const PAGE = path.join(EXAMPLE, 'pages/upload/upload')
const PICTURES = path.join(EXAMPLE, 'pages/pictures/pictures')
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

module.exports = { loadPages, EXAMPLE, PAGE, PICTURES, VIDEO, POST, SHARE }
