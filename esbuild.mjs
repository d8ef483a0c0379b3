/** Builds what is shipped into `dist/`: node esbuild.mjs [--production] [--watch] [part of a bundle's name ...] */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { context } from 'esbuild';
import { bundles } from './.ci/build/bundles.mjs';
import { mergeTranslations } from './.ci/build/l10n.mjs';
import { writeNotices } from './.ci/build/notices.mjs';
import { copyVendored } from './.ci/build/vendor.mjs';
import { BUILD_STAMP } from './.ci/lib/stamp.mjs';

const root = import.meta.dirname;
const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');
const say = (line) => process.stdout.write(`${line}\n`);

const filters = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const wanted = bundles.filter(({ name }) => !filters.length || filters.some((part) => name.includes(part)));
if (wanted.length === 0) throw new Error(`No bundle's name contains ${filters.join(' or ')}`);

/** Says when a change has reached all bundles: the problem matcher of .vscode/tasks.json waits for these lines. */
let building = 0;
const announce = {
  name: 'announce',
  setup(build) {
    build.onStart(() => {
      if (building++ === 0) say('[watch] build started');
    });
    build.onEnd(() => {
      if (--building === 0) say('[watch] all bundles are up to date');
    });
  },
};

const contexts = await Promise.all(
  wanted.map(({ name, entry, options }) =>
    context({
      ...options,
      absWorkingDir: root,
      entryPoints: [entry],
      outfile: name,
      bundle: true,
      metafile: true,
      minify: production,
      sourcemap: production ? false : 'linked',
      logLevel: 'warning',
      plugins: [...options.plugins, ...(watch ? [announce] : [])],
    }),
  ),
);

// From here on `dist` is not what bootstrap.mjs remembers to have built.
rmSync(path.join(root, BUILD_STAMP), { force: true });
mkdirSync(path.join(root, 'dist'), { recursive: true });
const sentences = mergeTranslations(root, 'zh-cn');
say(`l10n/bundle.l10n.zh-cn.json: ${sentences} sentences`);
const copied = copyVendored(root);
if (watch) {
  await Promise.all(contexts.map((bundle) => bundle.watch()));
} else {
  // A bundle that fails (esbuild prints why) does not keep the others from being written.
  const results = await Promise.allSettled(contexts.map((bundle) => bundle.rebuild()));
  await Promise.all(contexts.map((bundle) => bundle.dispose()));
  const metafiles = results.flatMap((result) => result.value?.metafile ?? []);
  for (const { outputs } of metafiles)
    for (const [file, { bytes }] of Object.entries(outputs))
      if (!file.endsWith('.map')) say(`${file}: ${Math.round(bytes / 1024)} KB`);
  if (metafiles.length < wanted.length) process.exitCode = 1;
  // The notices are about everything that is shipped.
  if (metafiles.length === bundles.length) {
    say(`dist/THIRD_PARTY_NOTICES.txt: ${writeNotices(root, metafiles, copied).length} packages`);
  }
}
