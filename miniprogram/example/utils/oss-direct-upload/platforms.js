/** Alipay's `my`: its storage takes objects, and it would cover the page while it uploads. */
function createAlipayApi(my) {
  return Object.assign(Object.create(my), {
    compressImage: undefined, // it knows neither sides nor qualities
    uploadFile: (options) => my.uploadFile({ hideLoading: true, ...options }),
    getStorageSync: (key) => my.getStorageSync({ key }).data,
    setStorageSync: (key, data) => my.setStorageSync({ key, data }),
    removeStorageSync: (key) => my.removeStorageSync({ key }),
  })
}

/** Douyin's `tt`: the codes of its login are not WeChat's, and what it uploads may be answered in bytes. */
function createDouyinApi(tt) {
  const uploadFile = ({ success, ...options }) => (
    tt.uploadFile({ ...options, success: (res) => success({ ...res, data: textOf(res.data) }) })
  )
  return Object.assign(Object.create(tt), { uploadFile, login: undefined })
}

/** What OSS and the function say is ASCII. */
function textOf(data) {
  return data && data.byteLength >= 0 ? String.fromCharCode(...Array.from(new Uint8Array(data))) : data
}

module.exports = { createAlipayApi, createDouyinApi }
