// 只改这一行：本机 `make run` 打印的函数地址，或部署后的函数地址（https://…）。
const ENDPOINT = 'http://127.0.0.1:9000'

module.exports = { ENDPOINT }
