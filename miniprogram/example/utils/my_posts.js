const { BUSINESS } = require('../config')

// 自己发过的帖子：图片还没有公开时，用手机上的路径显示，凭回执问到了哪一步。
const KEPT_AS = `my-posts ${BUSINESS}`
const MOST = 50

/** 帖子的 id → 它的图片 [{ key, receipt, path }]。 */
function mine() {
  return new Map(kept())
}

function remember(id, pictures) {
  wx.setStorageSync(KEPT_AS, [[id, pictures], ...kept().filter(([each]) => each !== id)].slice(0, MOST))
}

function kept() {
  return wx.getStorageSync(KEPT_AS) || []
}

module.exports = { mine, remember }
