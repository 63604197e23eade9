const { uploader } = require('../../uploader')
const { remembered, forget } = require('../../utils/my_pictures')

const PAGE_SIZE = 30

// 页面只保存对象名，不保存地址：地址过一会儿就失效，要看时标签会问函数。
Component({
  data: { keys: /** @type {string[]} */ ([]), failed: false },
  lifetimes: {
    ready() { this.load() },
  },
  methods: {
    onShow() { this.show(Math.max(PAGE_SIZE, this.data.keys.length)) },
    onReachBottom() { this.show(this.data.keys.length + PAGE_SIZE) },
    show(count) { this.setData({ keys: remembered().slice(0, count) }) },
    fail() { this.setData({ failed: true }) },

    load() {
      this.setData({ failed: false })
      return /** @type {any} */ (this.selectComponent('#pictures')).use(uploader)
    },

    // 点了 × 的：只是不再显示，文件还在桶里。
    changed({ detail: { items } }) {
      const left = items.map(({ key }) => key)
      const removed = this.data.keys.filter((key) => !left.includes(key))
      removed.forEach(forget)
      if (removed.length) this.setData({ keys: left })
    },
  },
})
