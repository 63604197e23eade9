import type { UploadFile } from './index'

/** wx 中用到的那几个接口，用 fetch 与 XMLHttpRequest 实现；filePath 是 File 或 Blob。 */
export function createBrowserApi(options?: { login?: () => string | Promise<string> }): object

/** <input type="file"> 或拖放得到的文件。 */
export function filesFrom(list: FileList | File[]): UploadFile[]
