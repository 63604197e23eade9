import { useRef, useState } from 'react'
import Taro from '@tarojs/taro'
import { Button, Image, Text, View } from '@tarojs/components'
import { createUploader } from 'oss-direct-upload'
import { ENDPOINT } from '../../config'
import './upload.css'

const uploader = createUploader({ endpoint: ENDPOINT, profile: 'avatar', api: Taro, compress: true })

function explain(res) {
  const { code, message } = uploader.explain(res)
  if (code !== 'aborted') Taro.showModal({ title: '没有选成', content: message, showCancel: false })
}

export default function Upload() {
  const [items, setItems] = useState([])
  const [overall, setOverall] = useState(null)
  const batch = useRef(null)

  function choose() {
    const success = (res) => start(uploader.fromChosen(res))
    Taro.chooseImage({ count: 9, success, fail: explain }).catch(() => {}) // fail 已经处理
  }

  function start(files) {
    const chosen = files.map((file, index) => ({ index, file }))
    setItems(chosen)
    upload(chosen)
  }

  function upload(chosen) {
    chosen.forEach(({ index }) => change(index, { text: '上传中', canRetry: false }))
    batch.current = uploader.uploadAll(chosen.map(({ file }) => file), {
      onProgress: setOverall,
      onFile: ({ index, value, reason }) => {
        change(chosen[index].index, stateOf(value, reason))
        if (value) showStored(chosen[index].file, value)
      },
    })
  }

  // 换成存好的那张，私有的也看得到；用途没有打开 read 时，仍是手机上的那张。
  async function showStored(file, { key }) {
    const thumb = await uploader.read(key, { variant: 'thumb' }).catch(() => '')
    setItems((all) => all.map((item) => (item.file === file ? { ...item, thumb } : item)))
  }

  function change(wanted, fields) {
    setItems((all) => all.map((item) => (item.index === wanted ? { ...item, ...fields } : item)))
  }

  return (
    <View className='page'>
      <Button className='choose' type='primary' onClick={choose}>选照片上传</Button>
      {overall && (
        <View className='overall'>
          <Text>{`${overall.progress}%，完成 ${overall.finished - overall.failed} 个`}</Text>
          <Text className='link cancel' onClick={() => batch.current.abort()}>全部取消</Text>
        </View>
      )}
      {items.map((item) => (
        <View key={item.index} className='item'>
          <Image className='thumb' src={item.thumb || item.file.filePath} mode='aspectFill' />
          <Text className='state'>{item.text}</Text>
          {item.canRetry && <Text className='link retry' onClick={() => upload([item])}>重试</Text>}
        </View>
      ))}
    </View>
  )
}

// message 给用户看；reason.advice 与 reason.detail 只给开发者看。
function stateOf(value, reason) {
  return value ? { text: '已完成' } : { text: reason.message, canRetry: reason.retryable }
}
