const { createUploader } = require('./utils/oss-direct-upload/index')
const { hintOf } = require('./utils/oss-direct-upload/gallery')
const { localApi, isLocal } = require('./utils/local_login')
const { ENDPOINT } = require('./config')

const api = isLocal(ENDPOINT) ? localApi() : wx

// 各页共用一个：登录、查到的地址都只有一份。
const uploader = createUploader({ endpoint: ENDPOINT, api, compress: true })

/** 不用标签的页面用：函数缺了什么，也像标签那样直接写出来。 */
function optionsFor(profile) {
  return { endpoint: ENDPOINT, api, profile, texts: (error) => hintOf(error, { endpoint: ENDPOINT, profile }) }
}

module.exports = { uploader, optionsFor }
