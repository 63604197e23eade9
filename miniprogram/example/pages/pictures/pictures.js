const { uploader } = require('../../uploader')
const { remembered, forget } = require('../../utils/my_pictures')

const PAGE_SIZE = 30

// 页面只保存对象名，不保存地址：地址过一会儿就失效，要看时再问 uploader，它自己会缓存。
Component({
  data: {
    pictures: /** @type {any[]} */ ([]),
    more: false,
    message: '',
    hint: '',
  },

  methods: {
    onShow() {
      return this.show(Math.max(PAGE_SIZE, this.data.pictures.length))
    },

    showMore() {
      return this.show(this.data.pictures.length + PAGE_SIZE)
    },

    async show(count) {
      const all = remembered()
      const keys = all.slice(0, count)
      try {
        const thumbs = await uploader.read(keys, { variant: 'thumb' })
        const gone = this.data.pictures.filter((each) => each.gone).map(({ key }) => key)
        const pictures = keys.map((key, index) => ({ key, thumb: thumbs[index], gone: gone.includes(key) }))
        this.setData({ pictures, more: all.length > count, message: '', hint: '' })
      } catch (error) {
        this.explain(error)
      }
    },

    async preview({ currentTarget }) {
      const { key } = currentTarget.dataset
      const keys = this.data.pictures.filter(({ gone }) => !gone).map((each) => each.key)
      try {
        const urls = await uploader.read(keys, { variant: 'large' })
        wx.previewImage({ urls, current: urls[keys.indexOf(key)] }) // current 必须是 urls 中的一个，一字不差
      } catch (error) {
        this.explain(error)
      }
    },

    explain({ code, message, advice, detail }) {
      const hint = code === 'not_found' ? '给开发者：没有用途打开 read，见 profiles.toml。' : ''
      this.setData({ message, hint })
      console.warn(code, advice, detail) // 给开发者看的，不给用户
    },

    // 地址是对的，图却打不开：对象已被删除，或不是图片。
    markGone({ currentTarget }) {
      const { key } = currentTarget.dataset
      this.setData({ pictures: this.data.pictures.map((each) => (each.key === key ? { ...each, gone: true } : each)) })
    },

    remove({ currentTarget }) {
      const { key } = currentTarget.dataset
      forget(key)
      this.setData({ pictures: this.data.pictures.filter((each) => each.key !== key) })
    },
  },
})
