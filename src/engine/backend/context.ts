/** The one eager context of the process: functions and variables of all sessions, and the tensors of tfjs. */
import { multipliesBfloat16 } from './cpu';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { encodeContextConfig } from './functionDef';
import { checked, libraryDirectory, native, readDevices, type Device, type Pointer } from './native';

let context: Pointer = null;

/** Makes it when it is first asked for, which takes hold of the devices. */
export function eagerContext(): Pointer {
  context ??= createContext();
  return context;
}

function createContext(): Pointer {
  const api = native();
  const options = api.newContextOptions();
  const config = encodeContextConfig(memoryLimit());
  checked((status) => api.setContextConfig(options, config, config.length, status));
  const created = checked((status) => api.newContext(options, status));
  api.deleteContextOptions(options);
  return created;
}

let fuses: boolean | null = null;

/**
 * Whether XLA can compile functions for the device. For a GPU it needs libdevice and ptxas, which are installed beside the library;
 * without them, or with GLMTUNE_XLA=off, their operations run one by one.
 */
export function canFuse(): boolean {
  const directory = libraryDirectory();
  // The portable engine looks into functions itself.
  if (directory === null) return true;
  fuses ??= process.env.GLMTUNE_XLA !== 'off' && (gpuMemory() === null || hasCompiler(directory));
  return fuses;
}

/**
 * Whether element-wise composites gain by being fused: on GPUs, and on processors whose matrix products are so fast that the rest of
 * a step counts. With AVX2 alone a LoRA step of hidden size 512 takes 2 % longer with them, and a second more to begin.
 */
export function fusionPays(): boolean {
  return process.env.GLMTUNE_XLA === 'on' || multipliesBfloat16() || gpuMemory() !== null;
}

/** Where the library looks for it: beside itself, as Python packages lie. */
function hasCompiler(directory: string): boolean {
  const compiler = path.join(directory, '../nvidia/cuda_nvcc');
  return ['bin/ptxas', 'nvvm/libdevice/libdevice.10.bc'].every((file) =>
    existsSync(path.join(compiler, file)),
  );
}

/** Megabytes that the user lets the engine take, on a GPU or of the machine; null: all there is. */
export function memoryLimit(): number | null {
  const megabytes = Number(process.env.GLMTUNE_MEMORY_LIMIT_MB);
  return megabytes > 0 ? megabytes : null;
}

/** Bytes that the engine may take of the first GPU; null where there is none. */
export function gpuMemory(): number | null {
  const gpu = devices().find(({ type }) => type === 'GPU');
  return gpu ? gpu.memory : null;
}

/** Type, name and memory (bytes) of every device, CPU first. */
export function devices(): Device[] {
  return readDevices(checked((status) => native().contextDevices(eagerContext(), status)));
}
