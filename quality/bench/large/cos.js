'use strict'

/** Tencent's cos-wx-sdk-v5 as it comes, against a stand-in of COS; BENCH_COS says where it is installed. */

const { startCos } = require('./cos_stand_in')
const { main } = require('./run')
const { startUnsteady } = require('./unsteady_network')

const KEY = 'videos/film.mp4'

main(async ({ phone, network, film }) => {
  const server = await startCos()
  const cos = await startUnsteady(server.origin, network)
  const fs = phone.getFileSystemManager()
  const stat = ({ success, ...options }) => fs.stat({
    ...options, success: (res) => success({ ...res, stats: { ...res.stats, isDirectory: () => false } }),
  })
  global.window = global // its bundle is hung there
  global.wx = {
    ...phone,
    getFileSystemManager: () => ({ ...fs, stat }),
    canIUse: (name) => name === 'getAppBaseInfo' || name === 'getDeviceInfo',
    getAppBaseInfo: () => ({ SDKVersion: '3.5.0' }),
    getDeviceInfo: () => ({ platform: 'android' }),
  }
  const Cos = require(process.env.BENCH_COS)
  const client = new Cos({ SecretId: 'id', SecretKey: 'key', Domain: cos.origin })
  const wanted = { Bucket: 'bucket-1250000000', Region: 'ap-guangzhou', Key: KEY, FilePath: film.filePath, FileSize: film.size }
  const upload = () => new Promise((resolve, reject) => {
    client.sliceUploadFile(wanted, (error, data) => (error ? reject(Object.assign(new Error('given up'), { error })) : resolve(data)))
  })
  return { upload, stored: () => server.objects.get(KEY), stop: () => { cos.stop(); server.stop() } }
}).catch((error) => { console.error(error); process.exit(1) })
