/** 支付宝的 my 里，要换一种用法的那几个接口。 */
export interface AlipayPlatform {
  uploadFile: (options: { url: string; filePath: string; name: string; fileType: string; hideLoading?: boolean }) => unknown
  getStorageSync: (options: { key: string }) => { data: unknown }
  setStorageSync: (options: { key: string; data: any }) => unknown
  removeStorageSync: (options: { key: string }) => unknown
}

/** 抖音的 tt 里，要换一种用法的接口。 */
export interface DouyinPlatform {
  uploadFile: (options: { url: string; filePath: string; name: string; success: (res: any) => void }) => unknown
}

/** createUploader({ api: createAlipayApi(my), getToken, ... })：支付宝没有微信登录，要给 getToken。 */
export function createAlipayApi(my: AlipayPlatform): object

/** createUploader({ api: createDouyinApi(tt), getToken, ... })：抖音的登录码不是微信的，要给 getToken。 */
export function createDouyinApi(tt: DouyinPlatform): object
