'use strict'

const { check } = require('./check')

check('uni-app', 'dist/build/mp-weixin')
