const { BUSINESS } = require('../config')

// 你自己的业务后端。这里只有发帖要用的两个接口；它凭回执认得是谁传的，换成你的后端时请带上登录状态。

/** 发出一帖；receipts 是上传得到的回执，由后端验证后提交。同样的回执再发一次，还是那一帖。 */
function publish(text, receipts) {
  return ask('POST', { text, receipts })
}

/** 所有的帖子，新的在前：{ id, text, pictures: [{ key, state, url }] }。 */
async function posts() {
  return (await ask('GET', '')).posts
}

function ask(method, data) {
  return new Promise((resolve, reject) => {
    wx.request({
      url: `${BUSINESS}/posts`,
      method,
      data,
      success: (res) => (res.statusCode < 300 ? resolve(res.data) : reject(refusal(res.statusCode, res.data))),
      fail: ({ errMsg }) => reject(Object.assign(new Error(broken(errMsg)), { detail: errMsg })),
    })
  })
}

// 开发者漏了什么，直接写出来；用户遇不到。
function broken(errMsg) {
  return /domain list/.test(errMsg) ? `在 request 合法域名 中加入 ${BUSINESS}` : '网络不通，请检查后再试。'
}

function refusal(statusCode, data) {
  if (statusCode === 404) return new Error(`config.js 中的 BUSINESS 不对：${BUSINESS}`)
  const message = statusCode < 500 ? '有图片已经失效，请删去后重新选择。' : '服务正忙，请稍后再试。'
  return Object.assign(new Error(message), { detail: `HTTP ${statusCode} ${JSON.stringify(data)}` })
}

module.exports = { publish, posts }
