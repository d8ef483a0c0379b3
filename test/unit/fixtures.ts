import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Absolute path of a file under `test/fixtures` (tests run with the repository root as working directory). */
export function fixture(relative: string): string {
  return path.resolve('test/fixtures', relative);
}

export function readJsonFixture<T>(relative: string): T {
  return JSON.parse(readFileSync(fixture(relative), 'utf8')) as T;
}
