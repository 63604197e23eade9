/** 支付宝的 my 里，要换一种用法的那几个接口。 */
export interface AlipayPlatform {
  getAuthCode: (options: { scopes: string; success: (res: { authCode: string }) => void; fail?: (res: any) => void }) => unknown
  getAppIdSync: () => { appId: string }
  uploadFile: (options: { url: string; filePath: string; name: string; fileType: string; hideLoading?: boolean }) => unknown
  getStorageSync: (options: { key: string }) => { data: unknown }
  setStorageSync: (options: { key: string; data: any }) => unknown
  removeStorageSync: (options: { key: string }) => unknown
}

/** 抖音的 tt 里，要换一种用法的接口。 */
export interface DouyinPlatform {
  login: (options: { force: boolean; success: (res: any) => void; fail: (res: any) => void }) => unknown
  getEnvInfoSync: () => { microapp: { appId: string } }
  request: (options: { url: string; data?: any }) => unknown
  uploadFile: (options: { url: string; filePath: string; name: string; success: (res: any) => void }) => unknown
}

/** createUploader({ api: createAlipayApi(my), ... })：用 my.getAuthCode 登录（CALLER_AUTH=alipay），或自己给 getToken。 */
export function createAlipayApi(my: AlipayPlatform): object

/** createUploader({ api: createDouyinApi(tt), ... })：用 tt.login 登录（CALLER_AUTH=douyin），或自己给 getToken。 */
export function createDouyinApi(tt: DouyinPlatform): object
