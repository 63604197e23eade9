const { createUploader } = require('oss-direct-upload')
const { ENDPOINT } = require('./config')

// note 这个用途要提交之后别人才看得到，因此缩略图上的 × 可以撤回。
const uploader = createUploader({ endpoint: ENDPOINT, api: wx, profile: 'note', compress: true })

module.exports = { uploader }
