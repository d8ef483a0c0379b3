/** The one eager context of the process: functions and variables of all sessions, and the tensors of tfjs. */
import { encodeContextConfig } from './functionDef';
import { checked, native, readDevices, type Pointer } from './native';

let context: Pointer = null;

/** Makes it when it is first asked for, which takes hold of the devices. */
export function eagerContext(): Pointer {
  context ??= createContext();
  return context;
}

function createContext(): Pointer {
  const api = native();
  const options = api.newContextOptions();
  const config = encodeContextConfig();
  checked((status) => api.setContextConfig(options, config, config.length, status));
  const created = checked((status) => api.newContext(options, status));
  api.deleteContextOptions(options);
  return created;
}

/** Type and name of every device, CPU first. */
export function devices(): { type: string; name: string }[] {
  return readDevices(checked((status) => native().contextDevices(eagerContext(), status)));
}
