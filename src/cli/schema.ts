/** `schema --out DIR` (hidden): writes the JSON schemas of the run file, for the build. */
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { writeJsonAtomic } from '../checkpoint/atomic';
import { runSchema } from '../text/runSchema';
import type { CommandContext } from './context';
import { EXIT_OK } from './exit';
import { loadTranslations, type Language } from './language';

export interface SchemaOptions {
  out: string;
}

const FILES: Record<Language, string> = { en: 'run.schema.json', 'zh-cn': 'run.schema.zh-cn.json' };

export function schema({ output, language, root }: CommandContext, { out }: SchemaOptions): Promise<number> {
  mkdirSync(out, { recursive: true });
  for (const [name, file] of Object.entries(FILES) as [Language, string][]) {
    const target = path.join(out, file);
    writeJsonAtomic(target, runSchema(loadTranslations(name, root)));
    output.result(`${target}: ${Math.ceil(readFileSync(target).length / 1024)} KB`);
  }
  loadTranslations(language, root);
  return Promise.resolve(EXIT_OK);
}
