/** Merges `l10n/parts/<room>.<locale>.json` into `l10n/bundle.l10n.<locale>.json`, which VS Code and the CLI read. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @param {string} root
 * @param {string} locale
 * @returns {number} how many sentences the bundle has
 * @throws {Error} two parts translate the same sentence differently, or a part is not a flat object of strings
 */
export function mergeTranslations(root, locale) {
  const folder = path.join(root, 'l10n/parts');
  const suffix = `.${locale}.json`;
  /** @type {Map<string, { translation: string, part: string }>} */
  const merged = new Map();
  for (const part of readdirSync(folder).sort()) {
    if (!part.endsWith(suffix)) continue;
    const sentences = JSON.parse(readFileSync(path.join(folder, part), 'utf8'));
    for (const [english, translation] of Object.entries(sentences)) {
      if (typeof translation !== 'string' || !translation.trim())
        throw new Error(`l10n/parts/${part}: the translation of "${english}" is not a sentence`);
      const other = merged.get(english);
      if (other && other.translation !== translation)
        throw new Error(`l10n: "${english}" is translated differently in ${other.part} and ${part}`);
      merged.set(english, { translation, part });
    }
  }
  const sorted = [...merged]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [key, value.translation]);
  const text = JSON.stringify(Object.fromEntries(sorted), null, 2) + '\n';
  const file = path.join(root, `l10n/bundle.l10n.${locale}.json`);
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
  return merged.size;
}
