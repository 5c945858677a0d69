// Lint: the import directions of the house (design.md §2), type-checked rules, sizes. Formatting is biome's, not here.
import { builtinRules } from 'eslint/use-at-your-own-risk';
import importX, { createNodeResolver } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

// What inlets see of the session: what they may ask, and what they are shown. Not the machine, not the manager.
const sessionFace = ['access-node', 'inlet', 'lifecycle', 'view'].map((file) => `session/${file}.ts`);

// What a room may import besides itself; a path with a file names that file only. `bin` and the files directly under
// src (the composition root) see everything; nobody sees them. test/tooling proves that every room of src is listed.
const mayImport = {
  model: [],
  wire: ['model'],
  config: ['model'],
  pool: ['model'],
  store: ['model'],
  aaa: ['model', 'wire', 'store/port.ts'],
  dataplane: ['model', 'wire'],
  session: ['model', 'aaa/port.ts', 'dataplane/port.ts', 'pool/port.ts', 'store/port.ts'],
  // The simulated access node moves real frames: it drives the addon through its face, which the lab hands it.
  olt: ['model', 'wire', ...sessionFace, 'dataplane/native-binding.ts'],
  // Frames reach the DHCP inlet from the dataplane and its replies go back there; it neither installs nor removes.
  dhcpv4: ['model', 'wire', ...sessionFace, 'dataplane/port.ts'],
  // The figures that operators read: addresses in use, drops by reason.
  http: [
    'model',
    'config',
    ...sessionFace,
    ...['port', 'map-inspection', 'abi-decode', 'nft-listing'].map((file) => `dataplane/${file}.ts`),
    'dhcpv4/trace.ts',
    'pool/port.ts',
  ],
  portal: ['model', ...sessionFace],
  'garden-dns': ['model', 'portal/connection-limit.ts'],
  // Runs in browsers: what it shares with the API are types and the names of states.
  'operator-page': ['http/overview.ts', 'model/session-state.ts'],
  lab: ['model', 'wire', 'olt', 'dataplane/load-native.ts', 'dataplane/native-binding.ts'],
};

const zones = [
  ...Object.entries(mayImport).map(([room, others]) => ({
    target: `./src/${room}`,
    from: './src',
    except: [room, ...others].map((path) => `./${path}`),
    message: `src/${room} may import from: ${[room, ...others].join(', ')}.`,
  })),
  { target: './src', from: ['./test', './scripts'], message: 'src knows neither its tests nor its scripts.' },
];

/** The rooms of src that have an entry above; `bin` may import everything and so needs none. */
export const listedRooms = ['bin', ...Object.keys(mayImport)];

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'node_modules/', '.node/', 'src/dataplane/abi.ts'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: {
      'import-x': importX,
      house: { rules: { 'max-lines-hard': builtinRules.get('max-lines') } },
    },
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './src/operator-page/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    settings: {
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // An async method without await is how a synchronous implementation satisfies an asynchronous port.
      '@typescript-eslint/require-await': 'off',
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones }],
      'max-lines': ['warn', 300],
      'house/max-lines-hard': ['error', 500],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/dhcpv4/**/*.ts', 'src/http/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/dataplane/port.js', '**/pool/port.js'],
              allowTypeImports: true,
              message: 'Inlets see types of ports only.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      // assert.throws(thing.method) and tables of methods are how tests are written.
      '@typescript-eslint/unbound-method': 'off',
      // describe() and it() return promises that the runner awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['describe', 'it', 'test', 'suite'] },
          ],
        },
      ],
      'max-lines': 'off',
    },
  },
  {
    // node:test reads the default export of a reporter.
    files: ['scripts/test-reporter.ts'],
    rules: { 'import-x/no-default-export': 'off' },
  },
  {
    files: ['**/index.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'Program', message: 'No barrels: name the file after what it holds.' },
      ],
    },
  },
);
