/// <reference lib="es2018.asynciterable" />

/** 把文件从小程序直接上传到阿里云 OSS：向函数要一张签好名的表单，再用 uploadFile 发给 OSS。 */
export function createUploader<P extends ProfileTable = ProfileTable>(options: UploaderOptions<P>): Uploader<P>

/** 各用途与其图片变体的名字。python3 manage.py types 生成的 Profiles 就是这样，写错名字时 tsc 会指出；不给就都是 string。 */
export type ProfileTable = Record<string, { variants: string }>
export type ProfileOf<P extends ProfileTable> = Extract<keyof P, string>
export type VariantOf<P extends ProfileTable> = P[keyof P]['variants']

export interface UploaderOptions<P extends ProfileTable = ProfileTable> {
  /** 函数的地址，如 https://upload.example.com；不含 /upload-params。 */
  endpoint: string
  /** 平台对象：wx、uni、Taro、createAlipayApi(my)、createDouyinApi(tt)，或 H5 页面的 createBrowserApi()。 */
  api: object
  /** 默认的上传用途，即 profiles.toml 中的表名；默认为 default。 */
  profile?: ProfileOf<P>
  /** 同时上传几个文件，1 到 10；默认 3。 */
  concurrency?: number
  /** 一次上传最多等多少毫秒，也是最多等多久回到前台、恢复网络；默认 120000。 */
  timeout?: number
  /** 网络错误与 5xx 重试几次；默认 2。被切到后台或断网打断的不算，函数没有空闲实例（busy）的另有四次。 */
  retries?: number
  /** 第一次重试前大约等多少毫秒，之后每次加倍；默认 500。 */
  backoff?: number
  /**
   * 自己的登录令牌（CALLER_AUTH=jwt）。refresh 为 true 表示上一个令牌被拒绝了。
   * 不提供时：api 有 login（wx.login 等）就用它登录，并告诉函数小程序的 AppID；函数不要求登录时也能用。
   */
  getToken?: (wanted: { refresh: boolean }) => string | Promise<string>
  /** 谁在用：保存的会话只给这个用户。同一个客户端会换用户时（H5、App）必须给。 */
  user?: string
  /** 上传之前把图片压小：true 就是不超过 1 MiB、长边不超过 2048 像素。压不了的（电脑端没有这个接口、格式不支持等）原样上传。默认不压。 */
  compress?: boolean | CompressOptions
  /** 交给平台的 uploadFile（分片时是 request）；不给就用平台的默认值。 */
  enableHttp2?: boolean
  enableQuic?: boolean
  /** 自己的话：返回用户看到的句子；返回 undefined 就用原来的。英文见 oss-direct-upload/english。 */
  texts?: (error: OssUploadError) => string | undefined
  /**
   * 秒传：key 里有 {sha256} 的用途，各对应一个普通用途，如 { album: 'default' }。
   * 客户端为前者的文件算出摘要；平台算不出时，文件改用后者上传。
   */
  digest?: Partial<Record<ProfileOf<P>, ProfileOf<P>>>
  /** 当前时间（毫秒），供测试使用。 */
  now?: () => number
}

export interface CompressOptions {
  /** 字节数；默认 1 MiB。四次之内压不到就上传最小的那个。 */
  maxBytes?: number
  /** 长边的像素数；默认 2048。很长的截图按短边算，不超过 1080。 */
  maxSide?: number
  /** 小程序里没有压缩接口或者它失败时，是否改用 canvas；默认不用，有的手机会画成空白。H5 总是用 canvas。 */
  canvas?: boolean
}

/** 压缩前后的字节数与最后的类型；before 与 after 相同就是没有压。 */
export interface Compressed {
  before: number
  after: number
  /** 如 image/jpeg；没有压、又没有给 contentType 的为 undefined。 */
  type?: string
  /** 压不了的原因，供开发者查看。 */
  reason?: string
}

/** N 是用途的名字。 */
export interface UploadFile<N extends string = string> {
  /** 选择文件后得到的临时路径（H5 页面为 File 或 Blob）。 */
  filePath: string | object
  /** 原文件名；只用来决定扩展名与类型，不会成为对象名。 */
  name?: string
  /** 字节数。给出后由函数先检查，并且表单只接受这么多字节。 */
  size?: number
  /** 如 image/jpeg；不给就由文件名决定。 */
  contentType?: string
  /** 只用于这个文件，代替 createUploader 的 compress。 */
  compress?: boolean | CompressOptions
  /** 要表单之前：压成了多大。 */
  onCompressed?: (event: Compressed) => void
  profile?: N
  /** image、video 或 audio；只有支付宝看它。 */
  fileType?: string
  /** 业务自己的数据，原样写进回执；JSON 最多 256 字节。 */
  context?: object
  /** 文件的 SHA-256（64 位十六进制），已经知道时给出，客户端就不再计算。 */
  sha256?: string
  /** 要换掉的旧文件的 key：新的确认存好（或发布）之后，函数才删除它。用途要有 delete = "owner"。 */
  replaces?: string
  /** 用户声明含有 AI 生成的内容：签进票据，以后不能改。用途要有 ai_label。 */
  aiDeclared?: boolean
  onProgress?: (event: Progress) => void
}

export interface Progress {
  /** 0 到 100；存好了（有票据时还要确认过）才是 100。 */
  progress: number
  /** 已发送与全部字节数；不知道大小时为 0。 */
  loaded: number
  total: number
}

export interface OverallProgress extends Progress {
  /** 已结束的文件数，其中失败的文件数，与文件总数。有失败的，progress 就到不了 100。 */
  finished: number
  failed: number
  count: number
}

/**
 * 文件里的 AI 生成标识，或用户、审核人的声明。label：1 属于，2 可能为，3 疑似；为 null 时，problem 说明标识为何不可信，
 * 没有 problem 的只有别的来源标记（IPTC、C2PA）。其余各项出自文件，可以伪造，不要当作 HTML。
 */
export interface AiLabel {
  label: 1 | 2 | 3 | null
  source?: 'metadata' | 'declared' | 'reviewed'
  problem?: 'conflict' | 'unreadable'
  producer?: string | null
  produceId?: string | null
  propagator?: string | null
  propagateId?: string | null
  digitalSourceType?: string | null
  c2pa?: boolean
}

/** 函数对 OSS 回调的响应，由 OSS 交给小程序；函数对 /confirm 的响应也是这样。 */
export interface CallbackAnswer {
  status: 'ok'
  key: string
  /** 还不能公开的（用途有 hold）为 null。 */
  url: string | null
  size: number
  etag: string
  mimeType: string
  width: number | null
  height: number | null
  uploadId: string
  receipt: string
  /** 只有 /confirm 与 /multipart-complete 的响应有。 */
  state?: State
  aiLabel?: AiLabel | null
}

/**
 * 存好之后到了哪一步：stored 已存好；held 存好了，等提交；checking 审核中；review 等人工审核；
 * published 已发布；rejected 没有通过审核，已删除；gone 不在了（丢弃、过期，或从来没有）。
 */
export type State = 'stored' | 'held' | 'checking' | 'review' | 'published' | 'rejected' | 'gone'

export interface Standing {
  /** 对象名，发布之后的。 */
  key: string
  state: State
  /** 对象的地址；发布之后才有，私有对象不能直接打开。 */
  url: string | null
  /** 最晚到什么时候，还没有发布的就会被删除；只有 held、checking 与 review 才有。 */
  heldUntil?: string
  /** 没有这一项：没有查过，也没有声明；null：查过，没有标识。 */
  aiLabel?: AiLabel | null
  error?: undefined
}

/** 一次问多个时，其中一个回执被拒绝了。 */
export interface StandingError {
  error: OssUploadError
  key?: undefined
  state?: undefined
  url?: undefined
}

/** 一个用途一天的上传额度；不限的为 null。 */
export interface Quota {
  filesLeft: number | null
  /** 字节数。 */
  bytesLeft: number | null
  /** 什么时候恢复，如 2026-11-24T16:00:00Z。 */
  resetsAt: string
}

export interface Uploaded<T = CallbackAnswer | string> {
  /** 对象名。 */
  key: string
  /** 对象的地址；私有对象不能直接打开。 */
  url: string
  uploadId: string
  /** 函数签发的回执，交给业务后端验证：来自 /confirm，没有就来自回调；两者都没有时为 null。 */
  receipt: string | null
  /** 函数向 OSS 核对过：对象在那里，大小和类型都对。 */
  confirmed: boolean
  /** 同样的内容以前就存好了（秒传），这次什么也没有发送。 */
  exists: boolean
  /** 到了哪一步；用途没有 hold 时是 stored。 */
  state: State
  /** 存好了，但别人还看不到：等提交或审核。 */
  held: boolean
  /** 没有这一项：没有查过，也没有声明；null：查过，没有标识，但不等于不是 AI 生成。 */
  aiLabel?: AiLabel | null
  /** 打开了 compress 的图片才有。 */
  compressed?: Compressed
  /** 平台说了才有，如 iOS 和 Android 上的微信；分片上传时没有。 */
  timing?: Timing
  /** 今天还剩多少上传额度；用途有额度时才有。 */
  quota?: Quota
  /** 票据，只有该确认而没能确认时才有：以后交给 uploader.confirm 再确认。 */
  ticket?: string
  /** 200、201 或 204；409 表示 OSS 的响应丢失了，203 表示回调失败了，但文件已存好。 */
  statusCode: number
  /** 回调的 JSON，没有就是 /confirm 的，否则是 OSS 的文本；秒传时为空。 */
  data: T
}

export interface UploadTask<T = CallbackAnswer | string> {
  promise: Promise<Uploaded<T>>
  abort(): void
}

export type Outcome<T = CallbackAnswer | string> =
  | { status: 'fulfilled'; value: Uploaded<T>; reason?: undefined }
  | { status: 'rejected'; reason: OssUploadError; value?: undefined }

export interface Listeners<T = CallbackAnswer | string> {
  onProgress?: (event: OverallProgress) => void
  /** 每个文件一结束就说它怎样了；index 是它在 files 中的位置。 */
  onFile?: (outcome: Outcome<T> & { index: number; file: UploadFile }) => void
}

/** V 是变体的名字。 */
export interface ReadOptions<V extends string = string> {
  /** 用途的 [NAME.variants] 中的名字，如 thumb；不给就是原图。 */
  variant?: V
}

export interface ListOptions<N extends string = string, V extends string = string> extends ReadOptions<V> {
  profile?: N
  /** 一页多少个，1 到 100；默认 100。 */
  limit?: number
}

/** 自己传过的一个文件。 */
export interface OwnFile {
  key: string
  /** 字节数。 */
  size: number
  etag: string
  /** 什么时候存的，如 2026-11-28T08:00:00Z。 */
  lastModified: string
  /** 临时地址，用途有 read 时才有。 */
  url?: string
  expiresAt?: string | null
}

/** 按 key 的顺序；要到哪里，才问到哪里。失败之后再调用一次，就从失败的地方接着来。 */
export interface OwnFiles extends AsyncIterable<OwnFile> {
  /** 下一个文件。没有 for await 的平台用它。 */
  next(): Promise<IteratorResult<OwnFile>>
  /** 下一页里的全部文件；done 为 true 就是最后一页。 */
  page(): Promise<{ items: OwnFile[]; done: boolean }>
}

/** 一次删除多个时，其中一个的结果：删掉了（或本来就没有），或没能删掉的原因。 */
export type Deleted = { key: string; state: 'gone'; error?: undefined } | { key: string; error: OssUploadError; state?: undefined }

export interface Uploader<P extends ProfileTable = ProfileTable> {
  upload<T = CallbackAnswer | string>(file: UploadFile<ProfileOf<P>>): UploadTask<T>
  /** 不会 reject；结果与 files 顺序相同。abort() 取消还没结束的。 */
  uploadAll<T = CallbackAnswer | string>(
    files: UploadFile<ProfileOf<P>>[],
    listeners?: Listeners<T>,
  ): Promise<Outcome<T>[]> & { abort(): void }
  /** 私有对象的临时地址，可以直接给 image 或 previewImage；variant 是用途里给图片处理起的名字。 */
  read(key: string, options?: ReadOptions<VariantOf<P>>): Promise<string>
  /** 一次问多个，与 keys 顺序相同；有一个不能看，就整个 reject。 */
  read(keys: string[], options?: ReadOptions<VariantOf<P>>): Promise<string[]>
  /** 上传时没能确认的，凭它的票据再确认。 */
  confirm(ticket: string): Promise<CallbackAnswer>
  /** 存好的到了哪一步，凭回执就能问。 */
  status(receipt: string): Promise<Standing>
  /** 一次问多个，与 receipts 顺序相同；回执被拒绝的只影响它自己。 */
  status(receipts: string[]): Promise<(Standing | StandingError)[]>
  /** 丢弃还没有发布的：给上传的结果、它的错误或回执；丢弃过的再丢弃一次也没关系。已经发布的是 already_published。 */
  discard(result: string | { receipt?: string | null; ticket?: string }): Promise<{ key: string; state: State }>
  /** 自己在这个用途里传过的文件：for await (const file of uploader.list({ profile })) …。用途要有 list。 */
  list(options?: ListOptions<ProfileOf<P>, VariantOf<P>>): OwnFiles
  /** 删除自己的文件，不能恢复；再删一次也没关系。用途要有 delete = "owner"；还没发布的用 discard。 */
  delete(key: string): Promise<{ key: string; state: 'gone' }>
  /** 一次删除多个，与 keys 顺序相同；删不掉的只影响它自己。 */
  delete(keys: string[]): Promise<Deleted[]>
  /** chooseMedia、chooseMessageFile、chooseImage 的结果。 */
  fromChosen(chosen: {
    tempFiles?: object[]; tempFilePaths?: string[]; apFilePaths?: string[]
  }): UploadFile<ProfileOf<P>>[]
  /** 选择文件失败时给 fail 的那个对象，说成一句话；用户自己关掉的，错误码是 aborted。 */
  explain(failure: object): OssUploadError
  /** 换用户时调用：忘掉会话，取消还没结束的上传。 */
  logOut(): void
}

/** 由客户端判断的错误码。 */
export type ClientErrorCode =
  | 'bad_file' | 'empty_file' | 'file_unreadable' | 'device_full' | 'aborted'
  | 'network' | 'busy' | 'timeout' | 'interrupted' | 'tls_failed'
  | 'domain_not_listed' | 'privacy_undeclared' | 'permission_denied'
  | 'login_failed' | 'bad_answer' | 'form_expired' | 'access_denied' | 'file_exists'
  | 'callback_failed' | 'unknown_outcome'

/** 函数返回的错误码，原样保留。 */
export type FunctionErrorCode =
  | 'bad_request' | 'unknown_profile' | 'unauthorized' | 'forbidden' | 'not_found' | 'method_not_allowed'
  | 'too_large' | 'unsupported_type' | 'too_many_requests' | 'quota_exceeded' | 'misconfigured' | 'internal_error'
  | 'sts_rejected' | 'sts_unavailable' | 'login_rejected' | 'login_unavailable'
  | 'oss_rejected' | 'oss_unavailable' | 'quota_unavailable' | 'hooks_unavailable'
  | 'not_uploaded' | 'incomplete' | 'already_exists' | 'already_complete' | 'already_published' | 'upload_gone'

export type ErrorCode = ClientErrorCode | FunctionErrorCode

/** 函数允许什么。 */
export interface Limits {
  /** 字节数。 */
  maxSize?: number
  minSize?: number
  /** 如 image/png、image/*。 */
  contentTypes?: string[]
}

/** 平台给的 res.profile，去掉了地址：各步的时刻（毫秒，如 connectStart、connectEnd），protocol 是 http1.1、h2、quic 等。 */
export interface Timing {
  protocol?: string
  socketReused?: boolean
  [name: string]: number | boolean | string | undefined
}

/** 一切失败。请用 error.name === 'OssUploadError' 判断，不要用 instanceof（转成 ES5 后不可靠）。 */
export class OssUploadError extends Error {
  name: 'OssUploadError'
  /** 错误码，见文档 docs/client.zh-CN.md 的表。 */
  code: ErrorCode
  /** 给用户看的一整句话。 */
  message: string
  /** OSS、函数或平台的原话，供开发者查看。 */
  detail: string
  /** 给开发者的提示，不要给用户看。 */
  advice: string
  /** 打开了 compress 的图片才有：压缩前后的字节数，too_large 就是压过之后还太大。 */
  compressed?: Compressed
  /** 最后一次发送用的时间；平台只写明成功时有，失败时有就给。 */
  timing?: Timing
  /** 在哪一步失败的；explain() 给出的没有。 */
  stage?: 'login' | 'sign' | 'upload' | 'confirm' | 'read' | 'status' | 'discard' | 'list' | 'delete'
  /** 再试一次可能成功；要等一分钟以上的不算。 */
  retryable: boolean
  /** too_large 与 unsupported_type，以及文件太小的 bad_request 才有。 */
  limits?: Limits
  /** quota_exceeded 才有：还剩多少，什么时候恢复。 */
  quota?: Quota
  /** 服务要求多少秒后再来。60 秒以内的客户端自己等，更久的立即失败。 */
  retryAfter?: number
  statusCode?: number
  /** OSS 的错误码，如 AccessDenied。 */
  ossCode?: string
  requestId?: string
  /** 上传阶段才有：文件可能或已经存在的位置。 */
  key?: string
  url?: string
  uploadId?: string
  /** 票据，该确认而没能确认时才有：callback_failed 与 unknown_outcome 之后交给 uploader.confirm 再确认。 */
  ticket?: string
}
