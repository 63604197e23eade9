const { uploader } = require('../../uploader')
const { ENDPOINT, PROFILES } = require('../../config')

const KEPT_AS = `my-avatar ${ENDPOINT}` // 换成你的业务后端：头像的 key 存在用户名下

Component({
  data: { src: '', sending: false, message: '' },
  lifetimes: {
    ready() { this.show() },
  },
  methods: {
    async show() {
      const key = wx.getStorageSync(KEPT_AS)
      try {
        this.setData({ src: key ? await uploader.read(key, { variant: 'thumb' }) : '' })
      } catch (error) { this.fail(error) }
    },

    // 新头像确认存好以后，函数才删除旧的；没传成，旧的还在。
    async chosen({ detail: { avatarUrl } }) {
      const replaces = wx.getStorageSync(KEPT_AS) || undefined
      this.setData({ src: avatarUrl, sending: true, message: '' })
      try {
        const { key } = await uploader.upload({ filePath: avatarUrl, profile: PROFILES.avatar, replaces }).promise
        wx.setStorageSync(KEPT_AS, key)
      } catch (error) {
        if (error.code === 'forbidden') wx.removeStorageSync(KEPT_AS) // 不是这个用户的，如本机的云重新启动以后
        await this.show()
        const lacksDelete = replaces && error.code === 'bad_request' && !error.limits // 给开发者看；用户遇不到
        this.fail(lacksDelete ? { ...error, message: `用途 ${PROFILES.avatar} 缺 delete` } : error)
      }
      this.setData({ sending: false })
    },

    lost() { this.setData({ src: '' }) },

    fail({ message, code, detail }) {
      this.setData({ message })
      console.warn(code, detail) // 给开发者看的，不给用户
    },
  },
})
