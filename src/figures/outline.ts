// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { extentOf } from "../arrays/extent.ts";

/**
 * The boundary of a mask along its pixels' edges, as SVG path data: closed
 * loops, outer ones clockwise and holes counter-clockwise, so that the path
 * is right both stroked and filled.
 *
 * @param mask [H, W]; anything but 0 is inside.
 * @returns Path data in pixels, pixel (x, y) covering x..x+1 and y..y+1; ""
 * for an empty mask.
 */
export function outline(mask: NdArray<Uint8Array>): string {
  const [height, width] = mask.shape;
  const { data } = contiguous(mask);
  const extent = extentOf(mask);
  if (!extent) return "";
  const inside = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] !== 0;

  // Unit edges with the inside on their right hand, by the corner they leave.
  const stride = width + 1;
  const leaving = new Map<number, number[]>();
  const addEdge = (x: number, y: number, direction: number) => {
    const corner = y * stride + x;
    const edges = leaving.get(corner);
    if (edges) edges.push(direction);
    else leaving.set(corner, [direction]);
  };
  for (let y = extent.y; y < extent.y + extent.height; y++) {
    for (let x = extent.x; x < extent.x + extent.width; x++) {
      if (!inside(x, y)) continue;
      if (!inside(x, y - 1)) addEdge(x, y, 0); // east along the top
      if (!inside(x + 1, y)) addEdge(x + 1, y, 1); // south on the right
      if (!inside(x, y + 1)) addEdge(x + 1, y + 1, 2); // west, bottom
      if (!inside(x - 1, y)) addEdge(x, y + 1, 3); // north, left
    }
  }

  const step = [1, stride, -1, -stride];
  const loops: string[] = [];
  for (const start of leaving.keys()) {
    while (leaving.get(start)!.length > 0) {
      const turns: string[] = [];
      let corner = start;
      let direction = -1;
      let begun = -1;
      do {
        const edges = leaving.get(corner)!;
        // Where two pixels touch at a corner, turn right: keep them apart.
        const right = edges.indexOf((direction + 1) % 4);
        const next = edges.splice(Math.max(right, 0), 1)[0];
        if (next !== direction) {
          turns.push(`${corner % stride} ${Math.floor(corner / stride)}`);
        }
        if (begun < 0) begun = next;
        direction = next;
        corner += step[direction];
      } while (corner !== start);
      if (direction === begun) turns.shift(); // begun on a straight run
      loops.push(`M${turns.join("L")}Z`);
    }
  }
  return loops.join("");
}
