/** Signatures and sizes of a zip file's records (PKWARE APPNOTE 6.3, sections 4.3.7 to 4.3.16). */
export const LOCAL_SIGNATURE = 0x04034b50;
export const LOCAL_BYTES = 30;
export const CENTRAL_SIGNATURE = 0x02014b50;
export const CENTRAL_BYTES = 46;
export const END_SIGNATURE = 0x06054b50;
export const END_BYTES = 22;
export const END64_SIGNATURE = 0x06064b50;
export const END64_BYTES = 56;
export const LOCATOR64_SIGNATURE = 0x07064b50;
export const LOCATOR64_BYTES = 20;
/** Id of the extra field with 64-bit sizes. */
export const ZIP64_FIELD = 1;
/** What a 32-bit field holds when its value stands in the zip64 field. */
export const IN_ZIP64 = 0xffffffff;
