/** 把文件从小程序直接上传到阿里云 OSS：向函数要一张签好名的表单，再用 uploadFile 发给 OSS。 */
export function createUploader(options: UploaderOptions): Uploader

export interface UploaderOptions {
  /** 函数的地址，如 https://upload.example.com；不含 /upload-params。 */
  endpoint: string
  /** 平台对象：wx、my（支付宝）、tt（抖音）、uni、Taro，或 H5 页面的 createBrowserApi()。 */
  api: object
  /** 默认的上传用途，即 profiles.toml 中的表名；不写就是 default。 */
  profile?: string
  /** 同时上传几个文件，1 到 10；默认 3。 */
  concurrency?: number
  /** 一次上传最多等多少毫秒；默认 120000。 */
  timeout?: number
  /** 网络错误与 5xx 重试几次；默认 2。 */
  retries?: number
  /** 第一次重试前大约等多少毫秒，之后每次加倍；默认 500。 */
  backoff?: number
  /**
   * 自己的登录令牌（CALLER_AUTH=jwt）。refresh 为 true 表示上一个令牌被拒绝了。
   * 不提供时：api 有 login 就用 wx.login 登录；函数不要求登录时也能用。
   */
  getToken?: (wanted: { refresh: boolean }) => string | Promise<string>
  /** 当前时间（毫秒），供测试使用。 */
  now?: () => number
}

export interface UploadFile {
  /** 选择文件后得到的临时路径（H5 页面为 File 或 Blob）。 */
  filePath: string | object
  /** 原文件名；只用来决定扩展名与类型，不会成为对象名。 */
  name?: string
  /** 字节数。给出后由函数先检查，并且表单只接受这么多字节。 */
  size?: number
  /** 如 image/jpeg；默认由文件名决定。 */
  contentType?: string
  profile?: string
  /** image、video 或 audio；只有支付宝需要。 */
  fileType?: string
  onProgress?: (event: Progress) => void
}

export interface Progress {
  /** 0 到 100。 */
  progress: number
  /** 已发送与全部字节数；不知道大小时为 0。 */
  loaded: number
  total: number
}

export interface OverallProgress extends Progress {
  /** 已结束（成功或失败）的文件数，与文件总数。 */
  finished: number
  count: number
}

export interface Uploaded {
  /** 对象名。 */
  key: string
  /** 对象的地址；私有对象不能直接打开。 */
  url: string
  uploadId: string
  /** 回调签发的回执，交给业务后端验证；没有回调，或应答丢失后由 409 得知已存好时为 null。 */
  receipt: string | null
  /** 200、201 或 204；409 表示上一次的应答丢失了，但文件已存好。 */
  statusCode: number
  /** OSS 的应答：回调的 JSON，否则是文本。 */
  data: any
}

export interface UploadTask {
  promise: Promise<Uploaded>
  abort(): void
}

export type Outcome =
  | { status: 'fulfilled'; value: Uploaded }
  | { status: 'rejected'; reason: OssUploadError }

export interface Uploader {
  upload(file: UploadFile): UploadTask
  /** 不会 reject；结果与 files 顺序相同。 */
  uploadAll(files: UploadFile[], listen?: { onProgress?: (event: OverallProgress) => void }): Promise<Outcome[]>
  /** chooseMedia、chooseMessageFile、chooseImage 的结果。 */
  fromChosen(chosen: { tempFiles?: object[]; tempFilePaths?: string[]; apFilePaths?: string[] }): UploadFile[]
}

/** 一切失败。请用 error.name === 'OssUploadError' 判断，不要用 instanceof（转成 ES5 后不可靠）。 */
export class OssUploadError extends Error {
  name: 'OssUploadError'
  /** 错误码，见 README 的表；函数返回的错误码原样保留。 */
  code: string
  stage: 'login' | 'sign' | 'upload'
  /** 再试一次可能成功。 */
  retryable: boolean
  /** 该怎么办（中文）。 */
  advice: string
  statusCode?: number
  /** OSS 的错误码，如 AccessDenied。 */
  ossCode?: string
  requestId?: string
  /** 上传阶段才有：文件可能或已经存在的位置。 */
  key?: string
  url?: string
  uploadId?: string
}
