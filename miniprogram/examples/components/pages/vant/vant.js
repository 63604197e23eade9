const { afterRead } = require('oss-direct-upload/components')
const { uploader } = require('../../uploader')

Component({
  data: { fileList: [] },

  methods: {
    afterRead: afterRead(uploader),

    explain({ detail }) {
      const { code, message } = uploader.explain(detail)
      if (code !== 'aborted') wx.showModal({ title: '没有选成', content: message, showCancel: false })
    },

    remove({ detail }) {
      const { index, file } = detail
      this.setData({ fileList: this.data.fileList.filter((_, each) => each !== index) })
      if (file.held) uploader.discard(file).catch(console.warn)
    },
  },
})
