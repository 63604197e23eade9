import type { OssUploadError } from './index'

/** 英文的句子：createUploader({ texts: english, ... })。 */
export function english(error: OssUploadError): string
