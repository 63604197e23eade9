const { uploader } = require('../../uploader')
const { publish } = require('../../utils/business')

Component({
  data: { message: '' },
  lifetimes: {
    ready() { this.selectComponent('#pictures').use(uploader) },
  },
  methods: {
    async publish() {
      try {
        await publish('', await this.selectComponent('#pictures').submit())
        this.setData({ message: '已发布，审核通过后，其他人就能看到。' })
      } catch ({ message }) { this.setData({ message }) }
    },
  },
})
