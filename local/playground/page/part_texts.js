/** What the page says of large files, in both languages; part of TEXTS. */

import { sizeText } from '/client/errors.mjs'
import { CUT_SECONDS } from './line.js'

export const PART_TEXTS = {
  zh: {
    useLarge: '用示例大文件',
    pause: '暂停',
    resume: '继续',
    cutNetwork: `断网 ${CUT_SECONDS} 秒`,
    reloadPage: '刷新页面，接着传',
    slowLine: '像手机那样慢（每秒 3 MB）',
    paused: (progress) => `已暂停，传到 ${progress}%`,
    isCut: (progress) => `断网了，传到 ${progress}%；网络恢复后自己接着传`,
    chooseAgain: (name) => `“${name}”还没传完：再选一次同一个文件，就接着传。`,
    partsDone: (done, all) => `${all} 片存好 ${done} 片`,
    partsSent: (count) => `这个页面发了 ${count} 次`,
    speed: (bytes) => `每秒 ${sizeText(bytes)}`,
    timeLeft: (seconds) => `还要 ${seconds} 秒`,
    looks: { waiting: '等待', sending: '正在传', done: '存好了', again: '重发过' },
    part: (number, look, times) => `第 ${number} 片：${look}，这个页面发了 ${times} 次`,
    inParts: '大文件分片上传，不用表单：每一片有自己的预签名 URL，只能传这一片。',
  },
  en: {
    useLarge: 'Large sample',
    pause: 'Pause',
    resume: 'Resume',
    cutNetwork: `Cut the network for ${CUT_SECONDS} s`,
    reloadPage: 'Reload and go on',
    slowLine: 'As slow as a phone (3 MB/s)',
    paused: (progress) => `Paused at ${progress}%`,
    isCut: (progress) => `The network is gone at ${progress}%; once it is back, the upload goes on by itself`,
    chooseAgain: (name) => `${name} is not finished: choose the same file again, and it goes on.`,
    partsDone: (done, all) => `${done} of ${all} parts stored`,
    partsSent: (count) => `${count} sent by this page`,
    speed: (bytes) => `${sizeText(bytes)}/s`,
    timeLeft: (seconds) => `${seconds} s left`,
    looks: { waiting: 'waiting', sending: 'under way', done: 'stored', again: 'sent again' },
    part: (number, look, times) => `Part ${number}: ${look}; sent ${times} times by this page`,
    inParts: 'A large file goes in parts, without a form: each part has a signed URL of its own, for this part only.',
  },
}
