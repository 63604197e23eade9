const { requestMethod } = require('oss-direct-upload/components')
const { uploader } = require('../../uploader')

Component({
  data: {
    files: [],
    requestMethod: requestMethod(uploader),
  },

  methods: {
    keep({ detail }) {
      this.setData({ files: detail.files })
    },

    // 没有选成，或用户只是关掉了。
    explain({ detail }) {
      const { code, message } = uploader.explain(detail)
      if (code !== 'aborted') wx.showModal({ title: '没有选成', content: message, showCancel: false })
    },

    remove({ detail }) {
      const { index, file } = detail
      this.setData({ files: this.data.files.filter((_, each) => each !== index) })
      if (file.held) uploader.discard(file).catch(console.warn)
    },
  },
})
