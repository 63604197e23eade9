import type { OssUploadError } from './index.mjs'

/** 英文的句子：createUploader({ texts: english, ... })。 */
export function english(error: OssUploadError): string
