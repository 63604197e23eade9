// 图片到了哪一步，用用户的话说：等审核不是错误。
const isWaiting = ({ state }) => ['held', 'checking', 'review'].includes(state)

/** 一帖到了哪一步：一个词，和它下面的一句话。 */
function standingOf(pictures) {
  const count = (state) => pictures.filter((each) => each.state === state).length
  if (pictures.some(isWaiting)) {
    const note = count('review') ? '图片还要人工审核，可能要久一点；通过后，其他人才能看到。' : '图片审核通过后，其他人才能看到。'
    return { word: '审核中', kind: 'waiting', note }
  }
  const [rejected, gone] = [count('rejected'), count('gone')]
  const notes = [rejected && `${rejected} 张图片没有通过审核，其他人看不到。`, gone && `${gone} 张图片已经失效，请重新发布。`]
  const word = count('published') || !pictures.length ? '已发布' : '未通过'
  return { word, kind: word === '已发布' ? 'published' : 'rejected', note: notes.filter(Boolean).join('') }
}

module.exports = { standingOf }
