import { Budget, LIMITS } from '../jinja/faults';
import { toJson } from '../jinja/toJson';
import { fromJson } from '../jinja/values';

/** `json.dumps(value, ensure_ascii=False)`: one line with a space after commas and colons. */
export function pythonJson(value: unknown): string {
  const style = { indent: null, ensureAscii: false, separators: null, sortKeys: false };
  return toJson(fromJson(value), style, new Budget(LIMITS)).text;
}
