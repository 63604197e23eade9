import { createCodec } from '../codec.mjs'
import { createAlipayApi, createDouyinApi } from '../platforms.mjs'

/**
 * What the client and the tag ask of `uni`, each named: H5 builds keep only what is named. Where a platform (H5, App)
 * has another name for what WeChat has, that is called.
 */
export function uniApi() {
  const { uniPlatform } = uni.getSystemInfoSync()
  const ofPlatform = { 'mp-alipay': () => createAlipayApi(my), 'mp-toutiao': () => createDouyinApi(tt) }[uniPlatform] || Object
  return {
    request: uniPlatform === 'web' ? requestOfH5 : uni.request,
    uploadFile: uni.uploadFile,
    ...(uniPlatform !== 'web' && { login: uni.login }), // H5 has none: use(uploader) with your own getToken
    getImageInfo: uni.getImageInfo,
    compressImage: uni.compressImage,
    ...(uniPlatform === 'web' && createCodec()),
    getAccountInfoSync: uni.getAccountInfoSync,
    getStorageSync: uni.getStorageSync,
    setStorageSync: uni.setStorageSync,
    removeStorageSync: uni.removeStorageSync,
    onAppShow: uni.onAppShow,
    offAppShow: uni.offAppShow,
    onAppHide: uni.onAppHide,
    offAppHide: uni.offAppHide,
    onNetworkStatusChange: uni.onNetworkStatusChange,
    offNetworkStatusChange: uni.offNetworkStatusChange,
    getFileSystemManager: uniPlatform === 'web' ? () => readerOfH5 : uni.getFileSystemManager,
    requirePrivacyAuthorize: uni.requirePrivacyAuthorize,
    showModal: uni.showModal,
    showActionSheet: uni.showActionSheet,
    chooseMessageFile: uni.chooseMessageFile,
    chooseMedia: uni.chooseMedia || choose,
    previewMedia: uni.previewMedia || preview,
    openDocument: uni.openDocument,
    ...ofPlatform(),
  }
}

/** A browser hides what has no CORS headers, such as a refusal of the gateway. */
function requestOfH5({ fail, ...options }) {
  return uni.request({ ...options, fail: (res) => fail({ ...res, opaque: options.method === 'POST' }) })
}

const MOST_BLOBS = 4 // a page may send as many large files at once
const blobs = new Map()

/** A path is the URL of a Blob, which would be read whole for each piece. */
function blobAt(path) {
  if (!blobs.has(path)) blobs.set(path, createCodec().blobOf(path))
  if (blobs.size > MOST_BLOBS) blobs.delete(blobs.keys().next().value)
  return blobs.get(path)
}

/** What a mini-program reads large files with. */
const readerOfH5 = {
  stat: ({ path, success, fail }) => {
    blobAt(path).then(({ size }) => success({ stats: { size } })).catch(fail)
  },
  readFile: ({ filePath, position, length, success, fail }) => {
    blobAt(filePath).then((blob) => blob.slice(position, position + length).arrayBuffer())
      .then((data) => success({ data })).catch(fail)
  },
}

function choose({ mediaType: [mediaType], count, sourceType, success, fail }) {
  const take = (...tempFiles) => success({ tempFiles })
  if (mediaType === 'video') {
    const takeVideo = ({ tempFilePath, size, name }) => take({ path: tempFilePath, size, name, fileType: 'video' })
    uni.chooseVideo({ sourceType, success: takeVideo, fail })
    return
  }
  const takePictures = ({ tempFilePaths, tempFiles }) => (
    take(...tempFilePaths.map((path, index) => ({ path, size: tempFiles[index].size, name: tempFiles[index].name, fileType: 'image' })))
  )
  uni.chooseImage({ count, sourceType, success: takePictures, fail })
}

function preview({ sources, current }) {
  uni.previewImage({ urls: sources.map(({ url }) => url), current })
}
