const { uploader } = require('../../uploader')
const business = require('../../utils/business')
const { mine, remember } = require('../../utils/my_posts')
const { standingOf } = require('../../utils/standings')

const MOST_POSTS = 20 // 更多的由业务后端分页
const NOTICE = '选好的图片会立即上传到我们的服务器并接受审核；审核通过后，其他人才能看到。'

Component({
  data: {
    text: '',
    texts: { notice: NOTICE }, // 平台的规则（运营规范 12.7.1）：上传之前要明确告诉用户
    canPublish: false,
    sending: false,
    sent: '', // 刚发出的一帖，还显示在上面
    message: '',
    posts: /** @type {any[]} */ ([]),
    listMessage: '',
  },

  lifetimes: {
    ready() {
      this.connect()
    },
  },

  methods: {
    connect() {
      this.selectAllComponents('.pictures').forEach((tag) => tag.use(uploader))
    },

    onShow() {
      return this.refresh()
    },

    async onPullDownRefresh() {
      await this.refresh()
      wx.stopPullDownRefresh()
    },

    write({ detail }) {
      this.setData({ text: detail.value })
    },

    edited({ detail: { items } }) {
      this.setData({ canPublish: items.length > 0 && items.every(({ error }) => !error) })
    },

    // 回执交给业务后端，由它验证、提交；文字也由它检查（msgSecCheck）。
    async publish() {
      if (!this.data.canPublish || this.data.sending || this.data.sent) return
      this.setData({ sending: true, message: '' })
      try {
        const receipts = await this.selectComponent('#draft').submit()
        const { id } = await business.publish(this.data.text, receipts)
        remember(id, receipts)
        this.setData({ sent: id })
        await this.refresh()
      } catch ({ message, detail }) {
        this.setData({ message })
        console.warn(message, detail) // 给开发者看的，不给用户
      }
      this.setData({ sending: false })
    },

    again() {
      this.selectComponent('#draft').clear()
      this.setData({ text: '', sent: '', message: '' })
      return this.refresh()
    },

    async refresh() {
      try {
        const own = mine()
        const posts = (await business.posts()).slice(0, MOST_POSTS).map((post) => viewOf(post, own.get(post.id)))
        const shown = posts.filter(({ id, value }) => value.length && id !== this.data.sent)
        this.setData({ posts: shown, listMessage: '' })
        this.connect()
      } catch ({ message, detail }) {
        this.setData({ listMessage: message })
        console.warn(message, detail)
      }
    },

    // 自己的帖子：标签凭回执问到了哪一步。
    follow({ currentTarget, detail: { items } }) {
      const index = this.data.posts.findIndex(({ id }) => id === currentTarget.dataset.id)
      if (index >= 0 && this.data.posts[index].own) this.setData({ [`posts[${index}].standing`]: standingOf(items) })
    },
  },
})

/** 别人的帖子只有已发布的图片；自己的凭回执显示。 */
function viewOf({ id, text, pictures }, receipts) {
  const published = pictures.filter(({ state }) => state === 'published').map(({ key }) => key)
  return { id, text, own: !!receipts, value: receipts || published, standing: standingOf(pictures) }
}
