import type { ProfileOf, ProfileTable, State, UploadFile, Uploader } from './index.mjs'
import type { LargeUploader } from './parts.mjs'

/** 组件的文件上传之后多出的内容；url 还是手机上的路径。 */
export interface ComponentFile {
  status: 'done' | 'failed'
  /** 失败时给用户看的一句话。 */
  message: string
  key?: string
  receipt?: string | null
  state?: State
  held?: boolean
  ticket?: string
  /** 失败的错误码，与再试一次是否有用。 */
  code?: string
  retryable?: boolean
}

type Either<P extends ProfileTable> = Uploader<P> | LargeUploader<P>
type Common<P extends ProfileTable> = Pick<UploadFile<ProfileOf<P>>, 'profile' | 'context' | 'contentType'>

/**
 * TDesign 的 t-upload：放进页面的 data，<t-upload request-method="{{requestMethod}}" bind:success="…" />。
 * 全部结束后才有 success 事件；没传成的文件也在里面，status 是 failed。
 */
export function requestMethod<P extends ProfileTable>(uploader: Either<P>, common?: Common<P>): (files: object[]) => Promise<void>

/**
 * Vant 的 van-uploader：放进页面的 methods，<van-uploader file-list="{{fileList}}" bind:after-read="afterRead" />。
 * list 是页面里文件列表的名字，默认 fileList；进度与结果都写在列表里。
 */
export function afterRead<P extends ProfileTable>(
  uploader: Either<P>, options?: Common<P> & { list?: string },
): (event: { detail: any }) => Promise<unknown>
