const MINUTE = 60000 // ms: Douyin waits no longer

/** Alipay's `my`: it has other names for a login, its storage takes objects, and it would cover the page while it uploads. */
function createAlipayApi(my) {
  const uploadFile = ({ fileType, ...options }) => (
    my.uploadFile({ hideLoading: true, ...options, fileType: /video|audio/.test(fileType) ? fileType : 'image' }) // all that its IDE takes
  )
  const login = ({ success, ...options }) => (
    my.getAuthCode({ ...options, scopes: 'auth_base', success: ({ authCode: code }) => success({ code }) })
  )
  return Object.assign(Object.create(my), {
    login,
    uploadFile,
    compressImage: undefined, // it knows neither sides nor qualities
    getFileSystemManager: undefined, // it reads no pieces of a file: no parts
    getAccountInfoSync: () => ({ miniProgram: my.getAppIdSync() }), // its own is not in its IDE
    getStorageSync: (key) => my.getStorageSync({ key }).data,
    setStorageSync: (key, data) => my.setStorageSync({ key, data }),
    removeStorageSync: (key) => my.removeStorageSync({ key }),
  })
}

/** Douyin's `tt`: guests have no code, and what it uploads may be answered in bytes. */
function createDouyinApi(tt) {
  const soon = (options) => ({ ...options, timeout: Math.min(options.timeout, MINUTE) })
  return Object.assign(Object.create(tt), {
    login: ({ success, fail }) => (
      tt.login({ force: true, success: (res) => (res.code ? success(res) : fail({ errMsg: 'login:fail cancel' })), fail })
    ),
    request: (options) => tt.request(soon(options)),
    uploadFile: ({ success, ...options }) => (
      tt.uploadFile({ ...soon(options), success: (res) => success({ ...res, data: textOf(res.data) }) })
    ),
    getAccountInfoSync: () => ({ miniProgram: tt.getEnvInfoSync().microapp }),
  })
}

/** What OSS and the function say is ASCII. */
function textOf(data) {
  return data && data.byteLength >= 0 ? String.fromCharCode(...Array.from(new Uint8Array(data))) : data
}

module.exports = { createAlipayApi, createDouyinApi }
