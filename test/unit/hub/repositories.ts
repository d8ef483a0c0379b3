/** The tiny models of the fixtures as repositories. */
import fs from 'node:fs';
import path from 'node:path';
import { fixture } from '../fixtures';

/** A model with its tokenizer, and what else lies about in repositories. */
export function modelRepository(model = 'chatglm3', tokenizer = 'chatglm3'): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const add = (directory: string): void => {
    for (const name of fs.readdirSync(directory))
      if (!name.includes('golden')) files.set(name, fs.readFileSync(path.join(directory, name)));
  };
  add(fixture(`tokenizers/${tokenizer}`));
  add(fixture(`models/${model}`));
  files.set('README.md', Buffer.from('# A model\n'));
  files.set('pytorch_model.bin', Buffer.alloc(5000, 7));
  files.set('sub/other.txt', Buffer.from('other'));
  return files;
}

/** What a checkpoint needs of it. */
export function wantedFiles(files: Map<string, Buffer>): Map<string, Buffer> {
  const left = new Set(['README.md', 'pytorch_model.bin', 'sub/other.txt']);
  return new Map([...files].filter(([name]) => !left.has(name)));
}

/** Every file below a directory, but for what the download itself keeps. */
export function filesBelow(directory: string): Map<string, Buffer> {
  const names = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = names
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => [path.relative(directory, file), fs.readFileSync(file)] as const)
    .filter(([name]) => !name.startsWith('.glmtune-download'));
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}
