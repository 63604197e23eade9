export default {
  pages: ['pages/upload/upload'],
  window: {
    navigationBarTitleText: '直传 OSS',
    navigationBarBackgroundColor: '#f4f6f9',
    navigationBarTextStyle: 'black',
  },
}
