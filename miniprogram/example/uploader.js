const { createUploader } = require('./utils/oss-direct-upload/index')
const { localApi, isLocal } = require('./utils/local_login')
const { ENDPOINT } = require('./config')

const api = isLocal(ENDPOINT) ? localApi() : wx

// 各页共用一个：登录、查到的地址都只有一份。
const uploader = createUploader({ endpoint: ENDPOINT, api })

module.exports = { api, uploader }
