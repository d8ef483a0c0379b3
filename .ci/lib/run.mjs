/** Running commands and saying what is being done. Node built-ins only: these scripts run before `npm ci`. */
import { spawn } from 'node:child_process';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../..');

export function say(line = '') {
  process.stdout.write(`${line}\n`);
}

/** Seconds with one decimal, as a person reads them. */
export function seconds(milliseconds) {
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const whole = Math.round(milliseconds / 1000);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/**
 * Names a step, does it and says how long it took.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function step(title, action) {
  const start = Date.now();
  say(`> ${title}`);
  const result = await action();
  say(`  done in ${seconds(Date.now() - start)}`);
  return result;
}

export class CommandFailed extends Error {
  /** @param {string} command @param {number | null} code */
  constructor(command, code) {
    super(`${command} ended with exit code ${code}`);
    this.code = code;
  }
}

/**
 * Runs a command and returns what it wrote on standard output and standard error.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, echo?: boolean }} [options] `echo` also shows the output as it comes
 * @returns {Promise<string>}
 * @throws {CommandFailed} its exit code is not 0; a quiet command's output is shown then
 */
export function run(command, args, { cwd = ROOT, env = process.env, echo = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32' && command === 'npm',
    });
    let output = '';
    for (const [stream, target] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        if (echo) target.write(text);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) {
        resolve(output);
        return;
      }
      if (!echo) process.stderr.write(output);
      reject(new CommandFailed([command, ...args].join(' '), code));
    });
  });
}

/**
 * Runs the command line of the product with our own terminal, so that its progress bars are seen.
 * @param {string[]} args
 * @returns {Promise<void>}
 * @throws {CommandFailed} its exit code is not 0
 */
export function runProduct(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(ROOT, 'dist/cli.js'), ...args], {
      cwd: ROOT,
      stdio: 'inherit',
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new CommandFailed(`chatglm-finetune ${args[0]}`, code));
    });
  });
}

/** Runs a Node script of this project with the Node that runs us. */
export function runNode(args, options) {
  return run(process.execPath, args, options);
}

/** Runs npm; `npm_*` variables of an outer npm would change what the inner one does. */
export function runNpm(args, { env = process.env, ...options } = {}) {
  const clean = Object.entries(env).filter(
    ([name]) => !/^npm_(package|lifecycle|command|execpath)/.test(name),
  );
  return run('npm', args, { ...options, env: Object.fromEntries(clean) });
}

/**
 * Runs the body of a script and turns a failure into one line and an exit code.
 * @param {() => Promise<void>} body
 */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
