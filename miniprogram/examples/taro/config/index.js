module.exports = {
  projectName: 'oss-direct-upload-taro',
  designWidth: 750,
  deviceRatio: { 750: 1 },
  sourceRoot: 'src',
  outputRoot: 'dist',
  framework: 'react',
  compiler: 'vite',
  plugins: [],
  defineConstants: {},
  mini: {},
  h5: {},
}
