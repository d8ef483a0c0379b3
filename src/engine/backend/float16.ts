/** float32 -> float16, as bit patterns. */

/** Rounds to nearest, ties to even; above 65504 to infinity; NaN stays NaN. */
export function toFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  for (let i = 0; i < result.length; i++) result[i] = halfBits(bits[i]);
  return result;
}

function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const mantissa = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa ? 0x200 | (mantissa >>> 13) : 0);
  if (exponent >= 113) {
    // The carry of the rounding may run into the exponent, up to that of infinity.
    const half = ((exponent - 112) << 10) | (mantissa >>> 13);
    return sign | Math.min(0x7c00, half + roundUp(mantissa, 13, half));
  }
  // Subnormal: the hidden bit joins the mantissa, and more of it is shifted out.
  const shift = 126 - exponent;
  if (shift > 24) return sign;
  const whole = mantissa | 0x800000;
  const half = whole >>> shift;
  return sign | (half + roundUp(whole, shift, half));
}

/** 1 where the `shift` bits that are cut off are more than a half, or exactly a half and the rest is odd. */
function roundUp(mantissa: number, shift: number, kept: number): 0 | 1 {
  const cut = mantissa & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  return cut > middle || (cut === middle && (kept & 1) === 1) ? 1 : 0;
}
