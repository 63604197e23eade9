const { OssUploadError } = require('../errors')
const { createGallery } = require('../gallery')

const clients = new Map() // all tags of an address have one login and one list of URLs
const LARGE = 1.3 // larger text does not fit into a picture
const galleries = new WeakMap()
const grids = new WeakMap() // where they are on the screen, while something is dragged
const galleryOf = (component) => galleries.get(component)

Component({
  externalClasses: ['custom-class', 'item-class', 'add-class'],

  properties: {
    endpoint: { type: String, value: '' },
    profile: { type: String, value: 'default' },
    max: { type: Number, value: 9 },
    mediaType: { type: String, value: 'image' },
    columns: { type: Number, value: 3 },
    value: { type: Array, value: [] },
    disabled: { type: Boolean, value: false },
    compress: { type: null, value: false },
    texts: { type: Object, value: {} },
    aiLabel: { type: Boolean, value: false },
  },

  data: { items: [], message: '', room: 0, words: {}, declared: false, lifted: 0, scale: 1, across: 3 },

  observers: {
    value(keys) {
      const gallery = galleryOf(this)
      if (gallery) gallery.setValue(keys)
    },
    columns(columns) {
      this.setData(layoutOf(columns))
    },
    'max, disabled, texts, aiLabel': function reshow() {
      const gallery = galleryOf(this)
      if (gallery) gallery.show()
    },
  },

  lifetimes: {
    attached() {
      const gallery = createGallery({
        api: wx,
        connect: () => connect(this.data),
        options: () => this.data,
        render: (view) => this.setData(view),
        renderItem: (index, item) => this.setData({ [`items[${index}]`]: item }),
        emit: (name, detail) => this.triggerEvent(name, detail),
      })
      galleries.set(this, gallery)
      this.setData(layoutOf(this.data.columns))
      gallery.show()
      gallery.setValue(this.data.value)
    },
    detached() {
      galleryOf(this).leave()
    },
  },

  pageLifetimes: {
    show() { galleryOf(this).setShown(true) },
    hide() { galleryOf(this).setShown(false) },
  },

  methods: {
    /** 页面自己的客户端；不给就用 endpoint 建一个。 */
    use(uploader) {
      return galleryOf(this).use(uploader)
    },

    /** 按显示的顺序：上传的回执（没有回执的是 key），原有的 key。 */
    submit() {
      return galleryOf(this).submit()
    },

    /** 全部拿掉，重新开始；还没提交的会丢弃。 */
    clear() {
      galleryOf(this).clear()
    },

    choose() {
      return galleryOf(this).choose()
    },

    declare() {
      galleryOf(this).declare()
    },

    open({ currentTarget }) {
      return galleryOf(this).open(currentTarget.dataset.id)
    },

    remove({ currentTarget }) {
      galleryOf(this).remove(currentTarget.dataset.id)
    },

    lose({ currentTarget }) {
      galleryOf(this).lose(currentTarget.dataset.id)
    },

    lift({ currentTarget }) {
      const { id, fixed } = currentTarget.dataset
      if (fixed) return
      this.setData({ lifted: id })
      this.createSelectorQuery().select('.grid').boundingClientRect((grid) => grids.set(this, grid)).exec()
      if (wx.vibrateShort) wx.vibrateShort({ type: 'light' })
    },

    // 拖到哪一格，就排到哪一格。
    move({ touches }) {
      const { lifted, across, items } = this.data
      if (!lifted || !grids.has(this)) return
      const { left, top, width } = grids.get(this)
      const [column, row] = [touches[0].clientX - left, touches[0].clientY - top].map((far) => Math.floor(far * across / width))
      if (column < 0 || column >= across || row < 0) return
      galleryOf(this).move(lifted, Math.min(row * across + column, items.length - 1))
    },

    drop() {
      if (this.data.lifted) this.setData({ lifted: 0 })
    },
  },
})

/** 大文件才需要分片；只传图片时不加载。 */
function connect({ endpoint, mediaType }) {
  if (!endpoint) throw new OssUploadError('', '<oss-uploader> 缺 endpoint', { code: 'misconfigured' })
  const name = `${mediaType === 'image'} ${endpoint}`
  const create = mediaType === 'image' ? require('../index').createUploader : require('../parts').createLargeUploader
  if (!clients.has(name)) clients.set(name, create({ endpoint, api: wx }))
  return clients.get(name)
}

/** 跟随微信里的字体大小。 */
function layoutOf(columns) {
  const { fontSizeScaleFactor, fontSizeSetting = 17 } = Object((wx.getAppBaseInfo || wx.getSystemInfoSync || Object)())
  const scale = Math.min(Math.max(fontSizeScaleFactor || fontSizeSetting / 17, 1), 1.75)
  return { scale, across: scale > LARGE ? Math.min(columns, 3) : columns }
}
