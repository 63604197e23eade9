const { uploader } = require('../../uploader')
const { isLocal } = require('../../utils/local_login')
const { remember } = require('../../utils/my_pictures')
const { sizeText, STATES } = require('../../utils/texts')
const { ENDPOINT, PROFILES } = require('../../config')

const MOST_AT_ONCE = 9

const tasks = new Map() // id → 上传任务；只有还没结束的
const chosen = new Map() // id → 选中的文件，重试时还要用
let lastId = 0

// 用 Component 写的页面，与 Page 等价，还能在 miniprogram-simulate 里测试。
Component({
  data: {
    endpoint: ENDPOINT,
    local: isLocal(ENDPOINT),
    items: /** @type {any[]} */ ([]),
    overall: /** @type {any} */ (null),
  },

  lifetimes: {
    detached() {
      tasks.forEach((task) => task.abort())
      chosen.clear()
    },
  },

  methods: {
    chooseMedia() {
      wx.chooseMedia({
        count: MOST_AT_ONCE,
        mediaType: ['image', 'video'],
        success: (res) => this.add(res),
        fail: (res) => this.explainChoice(res),
      })
    },

    chooseFile() {
      wx.chooseMessageFile({
        count: MOST_AT_ONCE,
        type: 'all',
        success: (res) => this.add(res),
        fail: (res) => this.explainChoice(res),
      })
    },

    explainChoice(res) {
      const { code, message } = uploader.explain(res)
      if (code !== 'aborted') wx.showModal({ title: '没有选成', content: message, showCancel: false })
    },

    add(res) {
      const files = uploader.fromChosen(res)
      const items = files.map((file, index) => this.newItem(file, res.tempFiles[index]))
      this.setData({ items: this.data.items.concat(items) })
      items.forEach(({ id }) => this.start(id))
    },

    newItem(file, { thumbTempFilePath }) {
      const id = lastId + 1
      lastId = id
      const kind = PROFILES[file.fileType] ? file.fileType : 'file'
      chosen.set(id, { ...file, profile: PROFILES[kind] })
      return {
        id,
        kind,
        name: file.name || { image: '照片', video: '视频', file: '文件' }[kind],
        thumb: kind === 'image' ? file.filePath : thumbTempFilePath || '',
        size: file.size,
        sizeText: sizeText(file.size),
        ...this.fresh(),
      }
    },

    fresh() {
      return { state: 'waiting', stateText: STATES.waiting, progress: 0, message: '', canRetry: false, receipt: '', ticket: '', key: '' }
    },

    start(id) {
      this.change(id, this.fresh())
      const file = chosen.get(id)
      const onProgress = ({ progress }) => this.show(id, 'uploading', { progress })
      const task = uploader.upload({ ...file, onProgress })
      tasks.set(id, task)
      task.promise
        .then((value) => this.succeed(id, file, value), (error) => this.fail(id, error))
        .then(() => tasks.delete(id))
    },

    succeed(id, file, { key, receipt, confirmed, ticket = '' }) {
      if (file.fileType === 'image') remember(key)
      this.show(id, 'done', { progress: 100, message: '', key, receipt: receipt || '', confirmed, ticket })
    },

    // 当时谁也没问到；凭票据再问一次，文件究竟在不在。
    confirm({ currentTarget }) {
      const { id, ticket } = currentTarget.dataset
      return uploader.confirm(ticket).then(
        ({ key, receipt }) => this.succeed(id, chosen.get(id), { key, receipt, confirmed: true }),
        ({ code, message }) => this.change(id, { message, canRetry: code === 'not_uploaded' }),
      )
    },

    openPictures() {
      wx.navigateTo({ url: '/pages/pictures/pictures' })
    },

    openVideo() {
      wx.navigateTo({ url: '/pages/video/video' })
    },

    openPost() {
      wx.navigateTo({ url: '/pages/post/post' })
    },

    fail(id, error) {
      const { code, message, retryable } = error
      if (code === 'aborted') this.show(id, 'cancelled', { canRetry: true })
      else this.show(id, 'failed', { message, canRetry: retryable, ticket: error.ticket || '' })
      console.warn(code, error.advice, error.detail) // 给开发者看的，不给用户
    },

    show(id, state, values) {
      this.change(id, { state, stateText: STATES[state], ...values })
    },

    change(id, values) {
      const index = this.data.items.findIndex((item) => item.id === id)
      if (index < 0) return
      const item = { ...this.data.items[index], ...values }
      const items = this.data.items.map((each) => (each.id === id ? item : each))
      this.setData({ [`items[${index}]`]: item, overall: overallOf(items) })
    },

    cancel({ currentTarget }) {
      const task = tasks.get(currentTarget.dataset.id)
      if (task) task.abort()
    },

    cancelAll() {
      tasks.forEach((task) => task.abort())
    },

    retry({ currentTarget }) {
      this.start(currentTarget.dataset.id)
    },

    retryAll() {
      this.data.items.filter(({ canRetry }) => canRetry).forEach(({ id }) => this.start(id))
    },

    remove({ currentTarget }) {
      const { id } = currentTarget.dataset
      const items = this.data.items.filter((item) => item.id !== id)
      chosen.delete(id)
      this.setData({ items, overall: overallOf(items) })
    },

    copy({ currentTarget }) {
      wx.setClipboardData({ data: currentTarget.dataset.text })
    },

    preview({ currentTarget }) {
      const { path } = currentTarget.dataset
      if (path) wx.previewImage({ urls: [path] })
    },
  },
})

/** 全部文件的进度，按字节计算；没有文件时为 null。 */
function overallOf(items) {
  if (!items.length) return null
  const count = (...states) => items.filter(({ state }) => states.includes(state)).length
  const total = items.reduce((sum, { size }) => sum + (size || 1), 0)
  const sent = items.reduce((sum, { size, progress }) => sum + (size || 1) * progress / 100, 0)
  return {
    progress: Math.floor(100 * sent / total),
    sizeText: `${sizeText(Math.floor(sent))} / ${sizeText(total)}`,
    count: items.length,
    done: count('done'),
    failed: count('failed', 'cancelled'),
    canRetry: items.some(({ canRetry }) => canRetry),
    busy: count('waiting', 'uploading') > 0,
  }
}
