import { badFile } from "./_read_bytes.ts";

/** The bytes before the meta information of a DICOM file: 128 of anything, and DICM (PS3.10 7.1). */
const PREAMBLE = 132;

/** Whether a file is DICOM, by its beginning: part 10, or what is left without its preamble. */
export function isDicom(bytes: Uint8Array): boolean {
  return hasPreamble(bytes) || beginsWithMeta(bytes) || isBare(bytes);
}

const textAt = (bytes: Uint8Array, from: number, to: number) =>
  String.fromCharCode(...bytes.subarray(from, to));

function hasPreamble(bytes: Uint8Array): boolean {
  return textAt(bytes, 128, 132) === "DICM";
}

/** Whether it begins with the length of the meta information (0002,0000), which the preamble should precede. */
function beginsWithMeta(bytes: Uint8Array): boolean {
  return textAt(bytes, 0, 8) === "\x02\0\0\0UL\x04\0";
}

/** Whether it begins with group 0008, in either byte order, its value's type told or not. */
function isBare(bytes: Uint8Array): boolean {
  const group = textAt(bytes, 0, 2);
  if (group !== "\b\0" && group !== "\0\b") return false;
  const told = /^(UL|UI|CS|SH|DA|TM)$/.test(textAt(bytes, 4, 6));
  const first = ["\0\0", "\x01\0", "\x05\0", "\b\0", "\x16\0"];
  const short = /^[^\0]\0\0\0$/s.test(textAt(bytes, 4, 8));
  return told || (short && first.includes(textAt(bytes, 2, 4)));
}

/**
 * A DICOM file's bytes, with a preamble where only that is missing.
 *
 * @throws {TypeError} When the meta information is missing as well: nothing tells how the rest is coded.
 */
export function withPreamble(bytes: Uint8Array, name: string): Uint8Array {
  if (hasPreamble(bytes)) return bytes;
  if (!beginsWithMeta(bytes)) {
    throw badFile(
      "a DICOM file must have its meta information (group 0002), which names its transfer syntax",
      "a data set without it",
      name,
    );
  }
  const file = new Uint8Array(PREAMBLE + bytes.length);
  file.set(new TextEncoder().encode("DICM"), PREAMBLE - 4);
  file.set(bytes, PREAMBLE);
  return file;
}
