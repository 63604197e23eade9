const { ENDPOINT } = require('../config')

// 函数不列出文件，谁传了什么由小程序（或业务后端）自己记住；这里记在手机上。
const KEPT_AS = `my-pictures ${ENDPOINT}`
const MOST = 200

/** 记住的对象名，新的在前。 */
function remembered() {
  return wx.getStorageSync(KEPT_AS) || []
}

function remember(key) {
  wx.setStorageSync(KEPT_AS, [key, ...remembered().filter((each) => each !== key)].slice(0, MOST))
}

/** 只是不再记住；文件还在桶里。 */
function forget(key) {
  wx.setStorageSync(KEPT_AS, remembered().filter((each) => each !== key))
}

module.exports = { remembered, remember, forget }
