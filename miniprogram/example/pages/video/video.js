const { createLargeUploader } = require('../../utils/oss-direct-upload/parts')
const { localApi, isLocal } = require('../../utils/local_login')
const { sizeText, speedText, STATES } = require('../../utils/texts')
const { ENDPOINT, PROFILES } = require('../../config')

const UNFINISHED = 'unfinished-video' // 没传完的视频：重新打开小程序后从这里找回它的路径

const uploader = createLargeUploader({ endpoint: ENDPOINT, api: isLocal(ENDPOINT) ? localApi() : wx, profile: PROFILES.video })

// 上传不属于页面：离开页面还在传，回来时照样看得到。
const shown = /** @type {any} */ ({ film: null, ...fresh() })
let task = /** @type {any} */ (null)
let page = /** @type {any} */ (null)

Component({
  data: shown,

  lifetimes: {
    attached() {
      page = this
      const film = wx.getStorageSync(UNFINISHED)
      if (film && !task) show({ film, ...fresh(), stateText: '上次没有传完', totalText: sizeText(film.size) })
      else show({})
    },

    detached() {
      page = null
    },
  },

  methods: {
    choose() {
      wx.chooseMedia({
        count: 1,
        mediaType: ['video'],
        success: (res) => this.take(uploader.fromChosen(/** @type {any} */ (res))[0]),
        fail: (res) => this.explainChoice(res),
      })
    },

    explainChoice(res) {
      const { code, message } = uploader.explain(res)
      if (code !== 'aborted') wx.showModal({ title: '没有选成', content: message, showCancel: false })
    },

    take(file) {
      const film = { ...file, name: file.name || '视频.mp4' }
      wx.setStorageSync(UNFINISHED, film)
      show({ film, ...fresh(), totalText: sizeText(film.size) })
      this.start()
    },

    start() {
      become('uploading', { message: '', canRetry: false })
      const mine = uploader.upload({ ...shown.film, onProgress: (event) => follow(mine, event) })
      task = mine
      mine.promise.then((value) => succeed(mine, value), (error) => fail(mine, error))
    },

    pause() {
      task.pause()
      become('paused')
    },

    resume() {
      task.resume()
      become('uploading')
    },

    cancel() {
      const mine = task
      this.clear()
      if (mine) mine.abort() // 函数会放弃已经传好的分片
    },

    clear() {
      task = null
      wx.removeStorageSync(UNFINISHED)
      show({ film: null, ...fresh() })
    },
  },
})

function show(values) {
  Object.assign(shown, values)
  if (page) page.setData(shown)
}

function become(state, values) {
  show({ state, stateText: STATES[state], ...values })
}

function follow(mine, { progress, loaded, total, speed, timeLeft }) {
  if (task !== mine) return
  show({ progress, loadedText: sizeText(loaded), totalText: sizeText(total), speedText: speedText(speed, timeLeft) })
}

function succeed(mine, { key, receipt }) {
  if (task !== mine) return
  wx.removeStorageSync(UNFINISHED)
  become('done', { progress: 100, key, receipt: receipt || '' })
}

function fail(mine, { code, message, retryable, advice, detail }) {
  if (task !== mine) return
  task = null
  become('failed', { message, canRetry: retryable })
  console.warn(code, advice, detail) // 给开发者看的，不给用户
}

function fresh() {
  const texts = { stateText: STATES.waiting, loadedText: sizeText(0), totalText: '', speedText: '', message: '', key: '', receipt: '' }
  return { state: 'waiting', progress: 0, canRetry: false, ...texts }
}
