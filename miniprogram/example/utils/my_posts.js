const { BUSINESS } = require('../config')

// 自己发过的帖子：记住它们的回执，凭回执问图片审核到了哪一步。
const KEPT_AS = `my-posts ${BUSINESS}`
const MOST = 50

/** 帖子的 id → 它的图片的回执。 */
function mine() {
  return new Map(kept())
}

function remember(id, receipts) {
  wx.setStorageSync(KEPT_AS, [[id, receipts], ...kept().filter(([each]) => each !== id)].slice(0, MOST))
}

function kept() {
  return wx.getStorageSync(KEPT_AS) || []
}

module.exports = { mine, remember }
