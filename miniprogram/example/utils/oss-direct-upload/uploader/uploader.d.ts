import type { AiLabel, Compressed, OssUploadError, State, Timing, Uploader } from '../index'

/** <oss-uploader> 中的一个文件：change 与 done 事件里的样子。 */
export interface OssUploaderItem {
  key?: string
  state: State | 'uploading' | 'failed'
  /** 0 到 100。 */
  progress: number
  /** 不论标签有没有 ai-label；没有这一项与 null 的区别见 Uploaded。 */
  aiLabel?: AiLabel | null
  /** 打开了 compress 的图片才有。 */
  compressed?: Compressed
  timing?: Timing
  error?: Pick<OssUploadError, 'code' | 'message' | 'retryable'>
}

/** 各事件的 detail。 */
export interface OssUploaderEvents {
  change: { items: OssUploaderItem[] }
  progress: { progress: number }
  done: { items: OssUploaderItem[] }
  /** 没有 index 的，与某一个文件无关，如没有得到授权。 */
  fail: Pick<OssUploadError, 'code' | 'message'> & { index?: number }
}

/** this.selectComponent('#pictures') */
export interface OssUploaderComponent {
  /** 用页面自己的客户端，代替 endpoint。 */
  use(uploader: Uploader<any>): Promise<void>
  /** 按显示的顺序：上传的回执（没有回执的是 key），原有的 key；有一个没传成就 reject。 */
  submit(): Promise<string[]>
  /** 全部拿掉，重新开始；还没提交的会丢弃。 */
  clear(): void
}
