const { uploader } = require('../../uploader')
const { isLocal } = require('../../utils/local_login')
const { ENDPOINT, PROFILES } = require('../../config')

// 用 Component 写的页面，与 Page 等价，还能在 miniprogram-simulate 里测试。
Component({
  data: {
    endpoint: ENDPOINT,
    local: isLocal(ENDPOINT),
    profile: PROFILES.file,
    items: /** @type {any[]} */ ([]),
    progress: 0,
    stored: /** @type {any[]} */ ([]), // 提交之后：每个文件的 key 与回执
    message: '',
  },

  lifetimes: {
    ready() {
      this.files().use(uploader)
    },
  },

  methods: {
    files() {
      return /** @type {any} */ (this.selectComponent('#files'))
    },

    changed({ detail: { items } }) {
      this.setData({ items })
    },

    progressed({ detail: { progress } }) {
      this.setData({ progress })
    },

    async submit() {
      this.setData({ message: '' })
      try {
        const answers = await this.files().submit()
        const { items } = this.data
        const stored = answers.map((answer, index) => ({ key: items[index].key, receipt: answer === items[index].key ? '' : answer }))
        this.setData({ stored })
      } catch ({ message }) {
        this.setData({ message })
      }
    },

    again() {
      this.files().clear()
      this.setData({ stored: [], message: '', progress: 0 })
    },

    copy({ currentTarget }) {
      wx.setClipboardData({ data: currentTarget.dataset.text })
    },

    openPage({ currentTarget }) {
      const { name } = currentTarget.dataset
      wx.navigateTo({ url: `/pages/${name}/${name}` })
    },
  },
})
