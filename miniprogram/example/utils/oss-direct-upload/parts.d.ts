import type {
  CallbackAnswer, ProfileOf, ProfileTable, Progress, Uploader, UploaderOptions, UploadFile, UploadTask,
} from './index'

/**
 * createUploader 的大文件版：partsFrom 字节以上、且用途开启了 parts 的文件分片上传，断网、切到后台、重新打开小程序后接着传；
 * 其余的仍用表单。桶的域名还要登记到 request 合法域名。
 */
export function createLargeUploader<P extends ProfileTable = ProfileTable>(options: LargeUploaderOptions<P>): LargeUploader<P>

export interface LargeUploaderOptions<P extends ProfileTable = ProfileTable> extends UploaderOptions<P> {
  /** 多少字节起分片上传；默认 5 MiB，0 表示全部分片。 */
  partsFrom?: number
  /** 全部大文件合起来同时上传几片，也是同时上传几个文件，1 到 10；默认 3。 */
  concurrency?: number
  /** 一片或一次询问连续失败时重试几次；分片上传默认 8，表单默认 2。 */
  retries?: number
}

export interface LargeUploadFile<N extends string = string> extends Omit<UploadFile<N>, 'onProgress'> {
  onProgress?: (event: LargeProgress) => void
}

/** loaded 是已经存好的字节数，按片增加，从不后退。 */
export interface LargeProgress extends Progress {
  /** 每秒字节数，按最近几片计算；还不知道时为 0。用表单上传时没有。 */
  speed?: number
  /** 大约还要多少秒；还不知道时为 null。用表单上传时没有。 */
  timeLeft?: number | null
}

export interface LargeUploadTask<T = CallbackAnswer | string> extends UploadTask<T> {
  /** 不再开始新的一片；正在传的会传完。用表单上传时不起作用。 */
  pause(): void
  /** 从停下的地方接着传。 */
  resume(): void
  /** 取消，并告诉函数放弃已存的分片；之后再传就从头开始。 */
  abort(): void
}

export interface LargeUploader<P extends ProfileTable = ProfileTable> extends Omit<Uploader<P>, 'upload'> {
  upload<T = CallbackAnswer | string>(file: LargeUploadFile<ProfileOf<P>>): LargeUploadTask<T>
  /** 换用户时调用：忘掉会话与没传完的，取消还没结束的上传。 */
  logOut(): void
}
