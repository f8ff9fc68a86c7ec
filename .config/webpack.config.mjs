// @ts-check
// How the front end becomes dist/, as Grafana wants plugins to be: an AMD module beside each plugin.json, with React,
// Grafana's own packages and the other big libraries taken from the Grafana that loads it. The hero panel is a plugin of
// its own inside of the data source's, so that one archive brings both and one manifest signs both. Derived from the webpack
// configuration of @grafana/create-plugin, without what this plugin has no use for; plain JavaScript, so that every
// supported Node runs it as it is.
import CopyWebpackPlugin from 'copy-webpack-plugin';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import TerserPlugin from 'terser-webpack-plugin';

const root = path.resolve(import.meta.dirname, '..');
const source = path.join(root, 'src');

/**
 * @param {string} name a JSON file at the top of the repository
 * @returns {any} its content
 */
const readJSON = (name) => JSON.parse(readFileSync(path.join(root, name), 'utf8'));

const plugin = readJSON('plugin.json');
const { version } = readJSON('package.json');

/**
 * The day of the build. SOURCE_DATE_EPOCH sets it for builds that must come out the same on any day.
 *
 * @returns {string} the day as YYYY-MM-DD
 */
function today() {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  return (epoch ? new Date(Number(epoch) * 1000) : new Date()).toISOString().slice(0, 10);
}

/**
 * Fills in what plugin.json and the README leave open.
 *
 * @param {Buffer} content the file as it stands in the repository
 * @returns {string} the file as it goes into the plugin
 */
const fillIn = (content) => content.toString().replaceAll('%VERSION%', version).replaceAll('%TODAY%', today());

/**
 * @param {{ production?: boolean }} env what the npm script passes with --env
 * @returns {import('webpack').Configuration} the configuration
 */
export default function config(env) {
  const production = Boolean(env.production);
  return {
    mode: production ? 'production' : 'development',
    context: source,
    entry: { module: './module.ts', 'hero/module': './hero/module.ts' },
    devtool: production ? 'source-map' : 'eval-source-map',

    output: {
      path: path.join(root, 'dist'),
      filename: '[name].js',
      library: { type: 'amd' },
      publicPath: `public/plugins/${plugin.id}/`,
      uniqueName: plugin.id,
      // The backend's binaries and their manifest come from the Go build, which writes to the same directory.
      clean: { keep: /(^|\/)(gpx_|go_plugin_build_manifest)/ },
    },

    // What the Grafana that loads the plugin provides.
    externals: [
      'react',
      'react-dom',
      'lodash',
      'moment',
      'rxjs',
      '@emotion/css',
      '@emotion/react',
      /^@grafana\/(data|runtime|ui)/,
    ],

    resolve: { extensions: ['.ts', '.tsx', '.js'] },

    module: {
      rules: [
        {
          test: /\.tsx?$/,
          exclude: /node_modules/,
          use: {
            loader: 'swc-loader',
            options: { jsc: { target: 'es2020', parser: { syntax: 'typescript', tsx: true } } },
          },
        },
      ],
    },

    optimization: {
      minimize: production,
      minimizer: [new TerserPlugin({ extractComments: false, terserOptions: { format: { comments: false } } })],
    },

    plugins: [
      new CopyWebpackPlugin({
        patterns: [
          { from: 'plugin.json', transform: fillIn },
          { from: 'README.md', transform: fillIn },
          { from: 'img', to: 'img' },
          { from: 'hero/plugin.json', to: 'hero', transform: fillIn },
          { from: 'hero/img', to: 'hero/img' },
          ...['img', 'hero/img'].map((to) => ({
            from: '../docs/img/{stressed,critical-light}.jpeg',
            to: `${to}/[name][ext]`,
          })),
          { from: '../CHANGELOG.md' },
          { from: '../LICENSE', toType: 'file', to: 'LICENSE' },
        ],
      }),
    ],

    performance: { maxAssetSize: 150_000, maxEntrypointSize: 150_000, hints: production ? 'error' : false },
  };
}
