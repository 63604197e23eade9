// 只改这一行：本机 `make run` 打印的函数地址，或部署后的函数地址（https://…）。
const ENDPOINT = 'http://127.0.0.1:9000'

// 各类文件的上传用途，即 profiles.toml 中的表名。
const PROFILES = { image: 'default', avatar: 'avatar', video: 'video', file: 'default', post: 'post' }

// 业务后端的地址，只有发帖的页面要用：它收下回执，通知函数提交。本机的由 `make run` 一起启动。
const BUSINESS = 'http://127.0.0.1:9005'

module.exports = { ENDPOINT, PROFILES, BUSINESS }
