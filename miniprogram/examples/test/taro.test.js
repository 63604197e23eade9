'use strict'

const { check } = require('./check')

check('taro', 'dist')
