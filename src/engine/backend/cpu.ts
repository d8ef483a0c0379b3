/** What this machine's processor computes fast, by its own description. */
import { readFileSync } from 'node:fs';

/** Instructions for products of bfloat16 matrices (x86: AVX-512 BF16, AMX). */
const BFLOAT16 = /\b(avx512_bf16|amx_bf16)\b/;

/** `native` or `widened`, in place of what the processor says: for tests, and to compare the two. */
const OVERRIDE = 'GLMTUNE_BFLOAT16';

let flags: string | undefined;

/** Whether products of bfloat16 matrices are faster here than those of float32; elsewhere they are several times slower. */
export function multipliesBfloat16(): boolean {
  const wanted = process.env[OVERRIDE];
  if (wanted === 'native' || wanted === 'widened') return wanted === 'native';
  flags ??= processorFlags();
  return BFLOAT16.test(flags);
}

function processorFlags(): string {
  try {
    return /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  } catch {
    // Not Linux.
    return '';
  }
}
