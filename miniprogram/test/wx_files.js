'use strict'

/** The FileSystemManager of a phone over real files: callbacks alone, ranges, and zeros past the end as on Android. */

const fs = require('node:fs')

function createFileSystemManager() {
  const descriptors = new Map()
  const told = (name, { success, fail }, work) => {
    setImmediate(() => {
      let result
      try {
        result = work()
      } catch (error) {
        fail({ errMsg: `${name}:fail no such file or directory ${error.code}` })
        return
      }
      success({ errMsg: `${name}:ok`, ...result })
    })
  }

  function range(fd, position, length) {
    const bytes = new Uint8Array(length)
    const bytesRead = fs.readSync(fd, bytes, 0, length, position)
    return { bytes, bytesRead }
  }

  function readRange({ filePath, position = 0, length }) {
    const fd = fs.openSync(filePath, 'r')
    try {
      return { data: range(fd, position, length === undefined ? fs.fstatSync(fd).size - position : length).bytes.buffer }
    } finally {
      fs.closeSync(fd)
    }
  }

  function readOpened({ fd, arrayBuffer, offset = 0, length = 0, position }) {
    const { bytes, bytesRead } = range(descriptors.get(fd), position, length)
    new Uint8Array(arrayBuffer).set(bytes, offset)
    return { bytesRead, arrayBuffer }
  }

  function open({ filePath, flag = 'r' }) {
    const descriptor = fs.openSync(filePath, flag)
    descriptors.set(String(descriptor), descriptor)
    return { fd: String(descriptor) }
  }

  function close({ fd }) {
    fs.closeSync(descriptors.get(fd))
    descriptors.delete(fd)
  }

  function stat({ path }) {
    const { size, mtimeMs } = fs.statSync(path)
    return { stats: { size, lastModifiedTime: Math.floor(mtimeMs / 1000) } }
  }

  return {
    descriptors,
    stat: (options) => told('stat', options, () => stat(options)),
    readFile: (options) => told('readFile', options, () => readRange(options)),
    open: (options) => told('open', options, () => open(options)),
    read: (options) => told('read', options, () => readOpened(options)),
    close: (options) => told('close', options, () => close(options)),
  }
}

module.exports = { createFileSystemManager }
