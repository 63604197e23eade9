const { createUploader } = require('../../utils/oss-direct-upload/index')
const { createDouyinApi } = require('../../utils/oss-direct-upload/platforms')

// 函数的地址：部署后的（https://…），或本机 `make run` 打印的。
const ENDPOINT = 'http://127.0.0.1:9000'

const uploader = createUploader({ endpoint: ENDPOINT, api: createDouyinApi(tt), profile: 'avatar' })

Page({
  data: { items: [], progress: 0 },

  choose() {
    tt.chooseImage({ count: 9, success: (res) => this.upload(uploader.fromChosen(res)), fail: (res) => this.explain(res) })
  },

  upload(files) {
    this.setData({ items: files.map(({ filePath }) => ({ src: filePath, text: '上传中' })), progress: 0 })
    return uploader.uploadAll(files, {
      onProgress: ({ progress }) => this.setData({ progress }),
      onFile: ({ index, value, reason }) => (value ? this.show(index, value) : this.change(index, { text: reason.message })),
    })
  },

  // 换成存好的那张，私有的也看得到；用途没有打开 read 时，仍是手机上的那张。
  async show(index, { key }) {
    this.change(index, { text: '已完成' })
    const src = await uploader.read(key, { variant: 'thumb' }).catch(() => '')
    if (src) this.change(index, { src })
  },

  change(index, fields) {
    this.setData({ items: this.data.items.map((item, at) => (at === index ? { ...item, ...fields } : item)) })
  },

  explain(res) {
    const { code, message } = uploader.explain(res)
    if (code !== 'aborted') tt.showModal({ title: '没有选成', content: message, showCancel: false })
  },
})
