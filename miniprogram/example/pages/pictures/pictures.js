const { uploader } = require('../../uploader')
const { remembered, forget } = require('../../utils/my_pictures')

const PAGE_SIZE = 30

// 页面只保存对象名，不保存地址：地址过一会儿就失效，要看时标签会问函数。
Component({
  data: { keys: /** @type {string[]} */ ([]), more: false, failed: false },

  lifetimes: {
    ready() {
      this.load()
    },
  },

  methods: {
    load() {
      this.setData({ failed: false })
      return /** @type {any} */ (this.selectComponent('#pictures')).use(uploader)
    },

    onShow() {
      this.show(Math.max(PAGE_SIZE, this.data.keys.length))
    },

    showMore() {
      this.show(this.data.keys.length + PAGE_SIZE)
    },

    show(count) {
      const all = remembered()
      this.setData({ keys: all.slice(0, count), more: all.length > count })
    },

    // 点了 × 的：只是不再显示，文件还在桶里。
    changed({ detail: { items } }) {
      const left = items.map(({ key }) => key)
      const removed = this.data.keys.filter((key) => !left.includes(key))
      removed.forEach(forget)
      if (removed.length) this.setData({ keys: left })
    },

    fail() {
      this.setData({ failed: true })
    },
  },
})
