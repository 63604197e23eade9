import type { UploadFile } from './index'

/**
 * wx 中用到的那几个接口，用 fetch 与 XMLHttpRequest 实现；filePath 是 File 或 Blob。
 * 会话只留在这一页；给出 storage: sessionStorage 就留得更久，这时 createUploader 必须给 user。
 */
export function createBrowserApi(options?: { login?: () => string | Promise<string>; storage?: Storage }): object

/** <input type="file"> 或拖放得到的文件。 */
export function filesFrom<N extends string = string>(list: FileList | File[]): UploadFile<N>[]
