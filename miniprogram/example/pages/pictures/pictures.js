const { uploader } = require('../../uploader')
const { hintOf } = require('../../utils/oss-direct-upload/gallery')
const { ENDPOINT, PROFILES } = require('../../config')

const PAGE_SIZE = 30
const PICTURE = /\.(jpe?g|png|gif|webp|heic)$/i

let mine = /** @type {any} */ (null) // 还没列完的列表

// 列出、删除都由函数按登录的用户来：谁也看不到、删不了别人的。
Component({
  data: { files: /** @type {any[]} */ ([]), done: false, message: '' },
  lifetimes: {
    ready() { this.begin() },
  },
  methods: {
    async onPullDownRefresh() {
      await this.begin()
      wx.stopPullDownRefresh()
    },

    begin() {
      mine = uploader.list({ profile: PROFILES.image, variant: 'thumb', limit: PAGE_SIZE })
      this.setData({ files: [], done: false })
      return this.onReachBottom()
    },

    // 翻到底再要下一页；出错以后再要，从出错的那一页接着来。
    async onReachBottom() {
      const list = mine
      if (this.data.done) return
      try {
        const { items, done } = await list.page()
        if (list === mine) this.setData({ files: this.data.files.concat(items.map(viewOf)), done, message: '' })
      } catch (error) { this.fail(error) }
    },

    async open({ currentTarget: { dataset: { key } } }) {
      if (!PICTURE.test(key)) return
      try {
        wx.previewMedia({ sources: [{ url: await uploader.read(key, { variant: 'large' }) }], current: 0 })
      } catch (error) { this.fail(error) }
    },

    remove({ currentTarget: { dataset: { key } } }) {
      const success = ({ confirm }) => confirm && this.erase(key)
      wx.showModal({ title: '删除这个文件？', content: '删除以后不能恢复。', confirmText: '删除', success })
    },

    async erase(key) {
      try {
        await uploader.delete(key)
        this.setData({ files: this.data.files.filter((each) => each.key !== key), message: '' })
      } catch (error) { this.fail(error) }
    },

    // 函数缺了什么，直接写出来给开发者看；用户遇不到。
    fail(error) {
      this.setData({ message: hintOf(error, { endpoint: ENDPOINT, profile: PROFILES.image }) || error.message })
      console.warn(error.code, error.detail)
    },
  },
})

function viewOf({ key, url = '' }) {
  return { key, src: PICTURE.test(key) ? url : '', name: key.split('/').pop() }
}
