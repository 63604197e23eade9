const { createLargeUploader } = require('../../utils/oss-direct-upload/parts')
const { optionsFor } = require('../../uploader')
const { progressText, STEPS } = require('../../utils/texts')
const { PROFILES } = require('../../config')

const UNFINISHED = 'unfinished-video' // 没传完的视频：重新打开小程序后，从这里找回它的路径
const uploader = createLargeUploader(optionsFor(PROFILES.video))

// 标签不能暂停，离开页面就取消；这里的上传属于整个小程序，页面只显示它。
const fresh = { progress: 0, details: '', message: '', receipt: '' }
const shown = { film: wx.getStorageSync(UNFINISHED), state: '上次没有传完', next: 'start', steps: STEPS, ...fresh }
let [task, page] = /** @type {any[]} */ ([])

function show(values) {
  Object.assign(shown, values)
  if (page) page.setData(shown)
}

function explain({ code, message, retryable, advice, detail }) {
  if (code !== 'aborted') show({ state: '上传失败', next: retryable ? 'start' : '', message })
  console.warn(code, advice, detail) // 给开发者看的，不给用户
}

function keep(film) {
  wx.setStorageSync(UNFINISHED, film)
  show({ film, ...fresh })
}

Component({
  data: shown,
  lifetimes: { attached() { page = this; show({}) }, detached() { page = null } },
  methods: {
    choose() {
      const success = (chosen) => { keep(uploader.fromChosen(chosen)[0]); this.start() }
      wx.chooseMedia({ count: 1, mediaType: ['video'], success, fail: (failure) => explain(uploader.explain(failure)) })
    },
    start() {
      show({ state: '上传中', next: 'pause', message: '' })
      const onProgress = (event) => show({ progress: event.progress, details: progressText(event) })
      task = uploader.upload({ ...shown.film, onProgress })
      task.promise.then(({ receipt }) => { wx.removeStorageSync(UNFINISHED); show({ state: '已完成', next: '', receipt }) }, explain)
    },
    pause() { task.pause(); show({ state: '已暂停', next: 'resume' }) },
    resume() { task.resume(); show({ state: '上传中', next: 'pause' }) },
    drop() { keep(''); if (task) task.abort() }, // 函数会放弃已经传好的分片
  },
})
