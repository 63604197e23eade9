import uni from '@dcloudio/vite-plugin-uni'
import { defineConfig } from 'vite'

// The client is a link to its folder; its real path lies outside of this project, where uni-app compiles nothing.
export default defineConfig({ plugins: [uni()], resolve: { preserveSymlinks: true } })
