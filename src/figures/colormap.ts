/**
 * Magma, from dark (0) to light (1): perceptually uniform, and readable with
 * any colour vision and in grey. By Nathaniel Smith and Stéfan van der Walt,
 * matplotlib, CC0; every eighth of its 256 colours.
 */
const MAGMA =
  ("000004 030312 0a0822 130d34 1d1147 29115a 36106b 440f76 51127c 5d177f 6a1c81 " +
    "762181 832681 902a81 9c2e7f aa337d b73779 c43c75 d0416f dc4869 e75263 ef5d5e " +
    "f56b5c f9795d fc8961 fd9869 fea772 feb67c fec488 fed395 fde2a3 fcf0b2 fcfdbf")
    .split(" ").map((hex) => [...Uint8Array.fromHex(hex)]);

/**
 * The colour of a value on the perceptually uniform scale.
 *
 * @param value 0..1; clipped, NaN counts as 0.
 * @returns Red, green and blue, whole numbers 0..255.
 */
export function colormap(value: number): [number, number, number] {
  const at = (value > 0 ? Math.min(value, 1) : 0) * (MAGMA.length - 1);
  const below = MAGMA[Math.floor(at)];
  const above = MAGMA[Math.ceil(at)];
  const part = at - Math.floor(at);
  return [0, 1, 2].map((c) =>
    Math.round(below[c] + part * (above[c] - below[c]))
  ) as [number, number, number];
}
