/**
 * libtensorflow's C API, called through koffi: one eager context runs both our compiled functions and the operations of the tfjs
 * backend. No compiler and no prebuilt addon are needed, and functions, devices and every dtype are reachable. Signatures:
 * tensorflow/c/c_api.h and tensorflow/c/eager/c_api.h.
 */
import type KoffiModule from 'koffi';
import type { LibraryHandle } from 'koffi';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { GlmError } from '../../protocol/errors';

/** An address inside the library. */
export type Pointer = unknown;

/** Type numbers of `TF_DataType`. */
export const TF_DTYPE = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int8: 6,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  uint16: 17,
  float16: 19,
  resource: 20,
} as const;

/** Codes of `TF_Code` that are told apart. */
const RESOURCE_EXHAUSTED = 8;

export type Native = ReturnType<typeof bind>;

/** A C function; `async` calls it on a thread of koffi's pool and takes a Node callback as last argument. */
type NativeFunction = ((...args: unknown[]) => unknown) & { async: (...args: unknown[]) => void };

/**
 * Opens the libraries for good: unloading them at exit, which koffi does, crashes in their thread pools (seen with 2.21.0).
 */
function pin(libc: LibraryHandle, framework: string, core: string): void {
  const RTLD_NOW = 0x2;
  const RTLD_GLOBAL = 0x100;
  const RTLD_NODELETE = 0x1000;
  const dlopen = libc.func('void *dlopen(const char *file, int flags)');
  const dlerror = libc.func('const char *dlerror()');
  for (const [file, flags] of [
    [framework, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE],
    [core, RTLD_NOW | RTLD_NODELETE],
  ] as const)
    if (!dlopen(file, flags)) throw new Error(dlerror() as string);
}

type Koffi = typeof KoffiModule;

/** Calls f with standard error going nowhere: while it is loaded, the library writes to it whatever its log level is. */
function withoutStderr<T>(libc: LibraryHandle, f: () => T): T {
  const STDERR = 2;
  const O_WRONLY = 1;
  const open = libc.func('int open(const char *path, int flags)');
  const dup = libc.func('int dup(int file)');
  const dup2 = libc.func('int dup2(int file, int target)');
  const close = libc.func('int close(int file)');
  const kept = dup(STDERR) as number;
  const nowhere = open('/dev/null', O_WRONLY) as number;
  if (kept < 0 || nowhere < 0) return f();
  try {
    dup2(nowhere, STDERR);
    return f();
  } finally {
    dup2(kept, STDERR);
    close(nowhere);
    close(kept);
  }
}

function bind(koffi: Koffi, directory: string) {
  const framework = path.join(directory, 'libtensorflow_framework.so.2');
  const core = path.join(directory, 'libtensorflow_cc.so.2');
  for (const file of [framework, core])
    if (!existsSync(file)) throw new GlmError('engine.notInstalled', { path: directory });
  let library: LibraryHandle;
  const libc = koffi.load(null);
  try {
    library = withoutStderr(libc, () => {
      pin(libc, framework, core);
      // The core library resolves its symbols against the framework, which therefore has to be global.
      koffi.load(framework, { global: true });
      return koffi.load(core);
    });
  } catch (error) {
    throw new GlmError('engine.loadFailed', { path: directory, detail: String((error as Error).message) });
  }
  const f = (signature: string): NativeFunction => library.func(signature) as NativeFunction;
  const c = (signature: string): NativeFunction => libc.func(signature) as NativeFunction;
  return {
    memcpy: c('void *memcpy(void *target, const void *source, size_t bytes)'),
    pread: c('intptr_t pread(int file, void *target, size_t bytes, int64_t position)'),
    mmap: c('void *mmap(void *address, size_t bytes, int protection, int flags, int file, int64_t position)'),
    munmap: c('int munmap(void *address, size_t bytes)'),
    madvise: c('int madvise(void *address, size_t bytes, int advice)'),

    version: f('const char *TF_Version()'),
    newStatus: f('void *TF_NewStatus()'),
    deleteStatus: f('void TF_DeleteStatus(void *status)'),
    getCode: f('int TF_GetCode(void *status)'),
    message: f('const char *TF_Message(void *status)'),

    allocateTensor: f('void *TF_AllocateTensor(int dtype, const int64_t *dims, int rank, size_t bytes)'),
    newTensor: f(
      'void *TF_NewTensor(int dtype, const int64_t *dims, int rank, void *data, size_t bytes, void *release, void *argument)',
    ),
    /** A function that does nothing with what it is given: for memory that a tensor borrows. */
    releaseNothing: library.symbol('TF_Version', 'void') as Pointer,
    deleteTensor: f('void TF_DeleteTensor(void *tensor)'),
    tensorData: f('void *TF_TensorData(void *tensor)'),
    tensorByteSize: f('size_t TF_TensorByteSize(void *tensor)'),
    tensorRank: f('int TF_NumDims(void *tensor)'),
    tensorDim: f('int64_t TF_Dim(void *tensor, int index)'),
    tensorType: f('int TF_TensorType(void *tensor)'),

    deviceCount: f('int TF_DeviceListCount(void *list)'),
    deviceName: f('const char *TF_DeviceListName(void *list, int index, void *status)'),
    deviceType: f('const char *TF_DeviceListType(void *list, int index, void *status)'),
    deviceMemory: f('int64_t TF_DeviceListMemoryBytes(void *list, int index, void *status)'),
    deleteDeviceList: f('void TF_DeleteDeviceList(void *list)'),

    newContextOptions: f('void *TFE_NewContextOptions()'),
    deleteContextOptions: f('void TFE_DeleteContextOptions(void *options)'),
    setContextConfig: f(
      'void TFE_ContextOptionsSetConfig(void *options, const void *proto, size_t length, void *status)',
    ),
    newContext: f('void *TFE_NewContext(void *options, void *status)'),
    contextDevices: f('void *TFE_ContextListDevices(void *context, void *status)'),
    deleteContext: f('void TFE_DeleteContext(void *context)'),
    addFunction: f(
      'void TFE_ContextAddFunctionDef(void *context, const void *proto, size_t length, void *status)',
    ),
    removeFunction: f('void TFE_ContextRemoveFunction(void *context, const char *name, void *status)'),
    newHandle: f('void *TFE_NewTensorHandle(void *tensor, void *status)'),
    deleteHandle: f('void TFE_DeleteTensorHandle(void *handle)'),
    resolveHandle: f('void *TFE_TensorHandleResolve(void *handle, void *status)'),
    handleType: f('int TFE_TensorHandleDataType(void *handle)'),
    handleRank: f('int TFE_TensorHandleNumDims(void *handle, void *status)'),
    handleDim: f('int64_t TFE_TensorHandleDim(void *handle, int index, void *status)'),
    newOp: f('void *TFE_NewOp(void *context, const char *name, void *status)'),
    deleteOp: f('void TFE_DeleteOp(void *op)'),
    addInput: f('void TFE_OpAddInput(void *op, void *handle, void *status)'),
    setAttrType: f('void TFE_OpSetAttrType(void *op, const char *name, int value)'),
    setAttrBool: f('void TFE_OpSetAttrBool(void *op, const char *name, uint8_t value)'),
    setAttrInt: f('void TFE_OpSetAttrInt(void *op, const char *name, int64_t value)'),
    setAttrIntList: f(
      'void TFE_OpSetAttrIntList(void *op, const char *name, const int64_t *values, int count)',
    ),
    setAttrFloat: f('void TFE_OpSetAttrFloat(void *op, const char *name, float value)'),
    setAttrString: f(
      'void TFE_OpSetAttrString(void *op, const char *name, const void *value, size_t length)',
    ),
    setAttrShape: f(
      'void TFE_OpSetAttrShape(void *op, const char *name, const int64_t *dims, int rank, void *status)',
    ),
    execute: f('void TFE_Execute(void *op, _Out_ void **handles, _Inout_ int *count, void *status)'),

    allKernels: f('void *TF_GetAllRegisteredKernels(void *status)'),
    newBuffer: f('void *TF_NewBuffer()'),
    newBufferFrom: f('void *TF_NewBufferFromString(const void *data, size_t length)'),
    deleteBuffer: f('void TF_DeleteBuffer(void *buffer)'),
    newSessionOptions: f('void *TF_NewSessionOptions()'),
    deleteSessionOptions: f('void TF_DeleteSessionOptions(void *options)'),
    setSessionConfig: f('void TF_SetConfig(void *options, const void *proto, size_t length, void *status)'),
    newSession: f('void *TF_NewDeprecatedSession(void *options, void *status)'),
    closeSession: f('void TF_CloseDeprecatedSession(void *session, void *status)'),
    deleteSession: f('void TF_DeleteDeprecatedSession(void *session, void *status)'),
    extendGraph: f('void TF_ExtendGraph(void *session, const void *proto, size_t length, void *status)'),
    runSession: f(
      'void TF_Run(void *session, const void *run_options, const char **feeds, void **inputs, int input_count, ' +
        'const char **fetches, _Out_ void **outputs, int output_count, const char **targets, int target_count, ' +
        'void *run_metadata, void *status)',
    ),
  };
}

let loaded: { native: Native; directory: string } | undefined;

/** Loads libtensorflow from a directory, once per process. Throws `engine.notInstalled` or `engine.loadFailed`. */
export async function loadNative(directory: string): Promise<Native> {
  // Its notes go to standard error, which belongs to the command line; what fails is in the status of the call.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
  // Left to itself, it uses oneDNN on processors with AVX-512 only; its float32 products are a quarter faster with AVX2 too.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  // Not before it is needed: koffi has no native library where the portable engine works.
  const { default: koffi } = await import('koffi');
  loaded ??= { native: bind(koffi, directory), directory };
  return loaded.native;
}

/** Directory of the loaded library; null before. */
export function libraryDirectory(): string | null {
  return loaded?.directory ?? null;
}

export function isLoaded(): boolean {
  return loaded !== undefined;
}

/** The loaded library. Throws when `loadNative` has not been called. */
export function native(): Native {
  if (!loaded) throw new GlmError('engine.notInstalled', { path: '' });
  return loaded.native;
}

/** Runs `call` with a status object and turns an error status into a GlmError. */
export function checked<T>(call: (status: Pointer) => T): T {
  const api = native();
  const status = api.newStatus();
  try {
    const result = call(status);
    throwOnError(status);
    return result;
  } finally {
    api.deleteStatus(status);
  }
}

/** Throws `engine.outOfMemory` or `engine.runFailed` when the status is not OK. */
export function throwOnError(status: Pointer): void {
  const api = native();
  const code = api.getCode(status) as number;
  if (code === 0) return;
  const detail = (api.message(status) as string).slice(0, 2000);
  throw new GlmError(code === RESOURCE_EXHAUSTED ? 'engine.outOfMemory' : 'engine.runFailed', { detail });
}

/** Something that computes; memory in bytes. */
export interface Device {
  type: string;
  name: string;
  memory: number;
}

/** Every device of a list that the library made; frees the list. */
export function readDevices(list: Pointer): Device[] {
  const api = native();
  try {
    return Array.from({ length: api.deviceCount(list) as number }, (_, i) => ({
      type: checked((status) => api.deviceType(list, i, status)) as string,
      name: checked((status) => api.deviceName(list, i, status)) as string,
      memory: Number(checked((status) => api.deviceMemory(list, i, status))),
    }));
  } finally {
    api.deleteDeviceList(list);
  }
}
