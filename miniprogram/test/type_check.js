'use strict'

/** tsc --strict in this process: the library files and the package are read and parsed once for all programs. */

const path = require('node:path')
const ts = require('typescript')

const parsed = new Map()

/** The messages of tsc about these files of a folder. */
function mistakesIn(folder, names, compilerOptions) {
  const { options, errors } = ts.convertCompilerOptionsFromJson(
    { strict: true, noEmit: true, target: 'es2022', lib: ['es2022'], types: [], skipDefaultLibCheck: true, ...compilerOptions }, folder,
  )
  const host = ts.createCompilerHost(options)
  const libraries = host.getDefaultLibLocation?.() ?? path.dirname(host.getDefaultLibFileName(options))
  const { getSourceFile } = host
  host.getSourceFile = (file, ...rest) => {
    if (path.dirname(file) !== path.normalize(libraries)) return getSourceFile(file, ...rest)
    if (!parsed.has(file)) parsed.set(file, getSourceFile(file, ...rest))
    return parsed.get(file)
  }
  const program = ts.createProgram(names.map((name) => path.join(folder, name)), options, host)
  return [...errors, ...ts.getPreEmitDiagnostics(program)].map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

module.exports = { mistakesIn }
