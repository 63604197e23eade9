const { uploader } = require('../../uploader')
const business = require('../../utils/business')
const { mine, remember } = require('../../utils/my_posts')
const { WORDS, isWaiting, standingOf } = require('../../utils/standings')
const { PROFILES } = require('../../config')

const MOST_PICTURES = 9
const MOST_POSTS = 20 // 更多的由业务后端分页
const FIRST_WAIT = 1000 // 毫秒；审核一般几秒钟就有结果
const LONGEST_WAIT = 45000
const TOLD = 'told-about-uploads'
const NOTICE = '选好的图片会立即上传到我们的服务器并接受审核；审核通过后，其他人才能看到。'

const tasks = new Map() // id → 上传任务；只有还没结束的
const results = new Map() // id → 上传的结果；只有还没发布的
const chosen = new Map() // id → 选中的文件，重试时还要用
let lastId = 0

let posts = [] // 业务后端说的
const asked = new Map() // key → 凭回执问到的，比业务后端知道的早
const refused = new Set() // 过期了的回执，不再问

let looking = false // 有没有人在看这一页
let timer = 0
let wait = FIRST_WAIT
let turn = 0

Component({
  data: {
    items: /** @type {any[]} */ ([]),
    text: '',
    canChoose: true,
    canPublish: false,
    sending: false,
    message: '',
    posts: /** @type {any[]} */ ([]),
    listMessage: '',
  },

  lifetimes: {
    detached() {
      stopWatching()
      tasks.forEach((task) => task.abort())
      results.forEach(takeBack) // 没有发布的图片，不必留在桶里等过期
      ;[tasks, results, chosen].forEach((map) => map.clear())
    },
  },

  methods: {
    onShow() {
      looking = true
      return this.refresh()
    },

    onHide() {
      stopWatching()
    },

    async onPullDownRefresh() {
      await this.refresh()
      wx.stopPullDownRefresh()
    },

    // 平台的规则（运营规范 12.7.1）：上传之前要明确告诉用户。
    choose() {
      if (this.data.sending) return
      if (wx.getStorageSync(TOLD)) {
        this.pick()
        return
      }
      wx.showModal({
        title: '上传图片',
        content: NOTICE,
        confirmText: '选图片',
        success: ({ confirm }) => {
          if (!confirm) return
          wx.setStorageSync(TOLD, true)
          this.pick()
        },
      })
    },

    pick() {
      wx.chooseMedia({
        count: MOST_PICTURES - this.data.items.length,
        mediaType: ['image'],
        success: (res) => this.add(uploader.fromChosen(/** @type {any} */ (res))),
        fail: (res) => this.explainChoice(res),
      })
    },

    explainChoice(res) {
      const { code, message } = uploader.explain(res)
      if (code !== 'aborted') wx.showModal({ title: '没有选成', content: message, showCancel: false })
    },

    // 自己的图片用手机上的路径，马上就看得到。
    add(files) {
      const items = files.map((file) => {
        lastId += 1
        chosen.set(lastId, { ...file, profile: PROFILES.post })
        return { id: lastId, path: file.filePath }
      })
      this.showItems(this.data.items.concat(items))
      items.forEach(({ id }) => this.start(id))
    },

    start(id) {
      this.change(id, { state: 'uploading', progress: 0, message: '', canRetry: false })
      const task = uploader.upload({ ...chosen.get(id), onProgress: ({ progress }) => this.change(id, { progress }) })
      tasks.set(id, task)
      task.promise
        .then((value) => this.succeed(id, value), (error) => this.fail(id, error))
        .then(() => tasks.delete(id))
    },

    succeed(id, value) {
      if (!chosen.has(id)) return takeBack(value) // 刚传好就被删去了
      results.set(id, value)
      this.change(id, { state: 'done', progress: 100 })
      return undefined
    },

    fail(id, { code, message, retryable, advice, detail }) {
      this.change(id, { state: 'failed', message, canRetry: retryable })
      if (code !== 'aborted') console.warn(code, advice, detail) // 给开发者看的，不给用户
    },

    retry({ currentTarget }) {
      const { id } = currentTarget.dataset
      if (this.data.items.find((item) => item.id === id).canRetry) this.start(id)
    },

    // 缩略图上的 ×：正在传的取消，传好的撤回。
    remove({ currentTarget }) {
      if (this.data.sending) return // 正在发布的那几张
      const { id } = currentTarget.dataset
      chosen.delete(id)
      if (tasks.has(id)) tasks.get(id).abort()
      if (results.has(id)) takeBack(results.get(id))
      results.delete(id)
      this.showItems(this.data.items.filter((item) => item.id !== id))
    },

    change(id, values) {
      if (chosen.has(id)) this.showItems(this.data.items.map((item) => (item.id === id ? { ...item, ...values } : item)))
    },

    showItems(items) {
      const canPublish = items.length > 0 && items.every(({ state }) => state === 'done')
      this.setData({ items, canPublish, canChoose: items.length < MOST_PICTURES })
    },

    write({ detail }) {
      this.setData({ text: detail.value })
    },

    // 回执交给业务后端，由它验证、提交；文字也由它检查（msgSecCheck）。
    async publish() {
      if (!this.data.canPublish || this.data.sending) return
      this.setData({ sending: true, message: '' })
      try {
        const pictures = await Promise.all(this.data.items.map(pictureOf))
        const { id } = await business.publish(this.data.text, pictures.map(({ receipt }) => receipt))
        remember(id, pictures)
        ;[results, chosen].forEach((map) => map.clear())
        this.setData({ text: '' })
        this.showItems([])
        await this.refresh()
      } catch ({ message, detail }) {
        this.setData({ message })
        console.warn(message, detail)
      } finally {
        this.setData({ sending: false })
      }
    },

    async refresh() {
      wait = FIRST_WAIT
      try {
        posts = (await business.posts()).slice(0, MOST_POSTS)
        await this.show()
        this.setData({ listMessage: '' })
      } catch ({ message, detail }) {
        this.setData({ listMessage: message })
        console.warn(message, detail)
      }
      this.watch()
    },

    // 已发布的图片才有地址；地址会失效，每次都问 uploader，它自己会缓存。
    async show() {
      turn += 1
      const mineNow = turn
      const own = mine()
      const views = posts.map((post) => viewOf(post, own.get(post.id))).filter((view) => view.own || view.pictures.length)
      const keys = picturesOf(views).filter(({ state }) => state === 'published').map(({ key }) => key)
      const thumbs = await uploader.read(keys, { variant: 'thumb' })
      picturesOf(views).forEach((picture) => { picture.src = thumbs[keys.indexOf(picture.key)] || picture.src })
      if (turn === mineNow) this.setData({ posts: views })
    },

    // 还有图片在审核时，过一会儿问一次，越问越慢；没有人看就不问。
    watch() {
      clearTimeout(timer)
      if (!looking || !this.waiting().length) return
      timer = setTimeout(() => this.look(), wait)
      wait = Math.min(1.6 * wait, LONGEST_WAIT)
    },

    waiting() {
      return picturesOf(this.data.posts).filter((each) => each.receipt && isWaiting(each) && !refused.has(each.receipt))
    },

    async look() {
      try {
        const waiting = this.waiting()
        const found = await uploader.status(waiting.map(({ receipt }) => receipt))
        found.forEach(({ error, state }, index) => {
          if (error) refused.add(waiting[index].receipt)
          else asked.set(waiting[index].key, state)
        })
        if (found.some(({ state }, index) => state && state !== waiting[index].state)) await this.show()
      } catch ({ code, advice, detail }) {
        console.warn(code, advice, detail) // 过一会儿再问
      }
      this.watch()
    },

    async preview({ currentTarget }) {
      const { post, key } = currentTarget.dataset
      const { pictures } = this.data.posts.find(({ id }) => id === post)
      const shown = pictures.filter(({ src }) => src)
      const published = shown.filter(({ state }) => state === 'published').map((each) => each.key)
      try {
        const large = await uploader.read(published, { variant: 'large' })
        const urls = shown.map((each) => large[published.indexOf(each.key)] || each.src)
        wx.previewImage({ urls, current: urls[shown.findIndex((each) => each.key === key)] })
      } catch ({ message, detail }) {
        this.setData({ listMessage: message })
        console.warn(message, detail)
      }
    },

    // 手机上的图片已被清理，或对象不在了。
    lose({ currentTarget }) {
      const { post, key } = currentTarget.dataset
      const without = (picture) => (picture.key === key ? { ...picture, src: '' } : picture)
      this.setData({
        posts: this.data.posts.map((each) => (each.id === post ? { ...each, pictures: each.pictures.map(without) } : each)),
      })
    },
  },
})

function stopWatching() {
  looking = false
  clearTimeout(timer)
}

/** 没能撤回也没关系：没有提交的，过期就会被清理。 */
function takeBack(value) {
  if (value.held) uploader.discard(value).catch(({ code, detail }) => console.warn(code, detail))
}

/** 没能确认的先确认，才有回执。 */
async function pictureOf({ id, path }) {
  const { key, receipt, ticket } = results.get(id)
  return { key, path, receipt: receipt || (await uploader.confirm(ticket)).receipt }
}

/** 别人的帖子只有已发布的图片；自己的还有在审核的，和没有通过的。 */
function viewOf({ id, text, pictures }, own) {
  const ours = new Map((own || []).map((picture) => [picture.key, picture]))
  const shown = pictures
    .map((picture) => (isWaiting(picture) ? { ...picture, state: asked.get(picture.key) || picture.state } : picture))
    .filter(({ key, state }) => ours.has(key) || state === 'published')
    .map(({ key, state }) => pictureView(key, state, Object(ours.get(key))))
  return { id, text, own: !!own, ...standingOf(shown), pictures: shown }
}

function pictureView(key, state, { path = '', receipt = '' }) {
  return { key, state, receipt, src: isWaiting({ state }) ? path : '', word: WORDS[state] }
}

const picturesOf = (views) => Array().concat(...views.map(({ pictures }) => pictures))
