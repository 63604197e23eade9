// 测试号的 wx.login 每次都给同一个 code，而 code 只能用一次；local- 开头的 code 每次都是新的，本机的“微信”认得。
// 函数部署后不会走到这里：那时用的就是 wx。

const USER_KEY = 'local-user'

/** 连接本机时，代替 wx 交给上传客户端的对象：只有 login 不同。 */
function localApi() {
  const login = ({ success }) => success({ code: `local-${localUser()}-${Date.now()}` })
  return Object.assign(Object.create(wx), { login })
}

function localUser() {
  const known = wx.getStorageSync(USER_KEY)
  if (known) return known
  const user = Math.random().toString(36).slice(2, 10)
  wx.setStorageSync(USER_KEY, user)
  return user
}

function isLocal(endpoint) {
  return /^http:\/\/(127\.0\.0\.1|localhost)(:|\/|$)/.test(endpoint)
}

module.exports = { localApi, isLocal }
