import { join } from "node:path";
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { dicomValues } from "./_dicom_pixels.ts";
import {
  alongNormal,
  areCosines,
  dicomAffine,
  gridOf,
  SAME_DIRECTION,
} from "./_dicom_place.ts";
import {
  type DicomHeader,
  dicomHeader,
  readDicomHeader,
} from "./_dicom_header.ts";
import { isDicom } from "./_dicom_header.ts";
import { badFile, readHead } from "./_bytes.ts";
import { countValues, type VolumeHeader } from "./_volume_header.ts";

/** A file of a series, and what of its header places it. */
type Slice =
  & Pick<DicomHeader, "shape" | "spacing" | "cosines" | "position">
  & Pick<DicomHeader, "photometric" | "window" | "colour" | "inverted">
  & Pick<DicomHeader, "layout" | "affine">
  & { readonly path: string; readonly series: string };

/** A folder's series: its slices in order, and the header of all together. */
export interface DicomSeries {
  readonly header: VolumeHeader;
  readonly slices: readonly Slice[];
}

/**
 * Finds the slices of the one series in a folder, by their headers, and sorts
 * them along their normal. Files that are no DICOM files are left out, as are
 * hidden ones and DICOMDIR.
 */
export async function openSeries(
  folder: string,
  maxVoxels: number,
): Promise<DicomSeries> {
  const slices: Slice[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory || /^(\.|DICOMDIR$)/.test(name)) continue;
    const slice = await readSlice(join(folder, name));
    if (!slice) continue;
    slices.push(slice);
    const [, ...size] = slices[0].shape;
    countValues([slices.length, ...size], maxVoxels, folder);
  }
  if (slices.length === 0) {
    throw badFile("a folder must have DICOM files", "none", folder);
  }
  slices.sort((a, b) => a.path < b.path ? -1 : 1);
  if (slices.length === 1) return { header: slices[0], slices };
  for (const slice of slices) checkAlike(slices[0], slice);
  return stack(slices, folder);
}

/** The values of a series, rescaled, one file at a time: [slice, row, column, channel]. */
export async function seriesValues(
  { header: { shape }, slices }: DicomSeries,
  maxVoxels: number,
): Promise<NdArray<Float32Array>> {
  const values = new Float32Array(
    countValues(shape, maxVoxels, slices[0].path),
  );
  const size = values.length / slices.length;
  for (const [i, { path }] of slices.entries()) {
    const bytes = await Deno.readFile(path);
    const header = await dicomHeader(bytes, { whole: true, name: path });
    const { data } = await dicomValues(header, size, path);
    values.set(data, i * size);
  }
  return ndarray(values, shape);
}

/** What a file's header says of its slice; undefined for another file. */
async function readSlice(path: string): Promise<Slice | undefined> {
  const head = await readHead(path);
  if (!isDicom(head)) return undefined;
  const { dataSet, ...rest } = await readDicomHeader(path, head);
  const { shape, spacing, affine, cosines, position, photometric } = rest;
  const { window, colour, inverted, layout } = rest;
  return { // and not the bytes, which `dataSet` holds
    ...{ path, series: (dataSet.string("x0020000e") ?? "").trim() },
    ...{ shape, spacing, affine, cosines, position, photometric },
    ...{ window, colour, inverted, layout },
  };
}

/** Refuses a file that does not belong to the first one's series. */
function checkAlike(first: Slice, slice: Slice): void {
  const refuse = (what: string, value: unknown) =>
    badFile(`all files of a folder must ${what}`, value, slice.path);
  const { shape, spacing, cosines, position } = slice;
  if (slice.series !== first.series) {
    throw refuse(
      `be of one series, ${first.series || "without a name"}`,
      slice.series || "none",
    );
  }
  if (shape[0] !== 1) throw refuse("have one frame", shape[0]);
  if (`${shape}` !== `${first.shape}`) {
    const [, ...size] = first.shape;
    throw refuse(
      `have ${size.join(" x ")} samples`,
      shape.slice(1).join(" x "),
    );
  }
  if (slice.photometric !== first.photometric) {
    throw refuse(`be ${first.photometric}`, slice.photometric);
  }
  if (
    !areCosines(cosines) || position.length !== 3 || !spacing ||
    ![...cosines, ...position].every(Number.isFinite)
  ) {
    throw refuse(
      "state their pixels' spacing, orientation and position",
      `spacing ${spacing?.slice(1).join(" x ") ?? "none"}, orientation ${
        cosines.join(" ") || "none"
      }, position ${position.join(" ") || "none"}`,
    );
  }
  if (cosines.some((c, i) => Math.abs(c - first.cosines[i]) > SAME_DIRECTION)) {
    throw refuse(
      `lie in one direction, ${first.cosines.join(" ")}`,
      cosines.join(" "),
    );
  }
  const [, ...apart] = spacing;
  if (apart.some((mm, i) => Math.abs(mm / first.spacing![i + 1] - 1) > 1e-3)) {
    throw refuse(
      `have pixels of ${first.spacing!.slice(1).join(" x ")} mm`,
      apart.join(" x "),
    );
  }
}

/** Sorts slices along their normal and refuses those that make no grid. */
function stack(files: readonly Slice[], folder: string): DicomSeries {
  const [{ cosines }] = files;
  const grid = gridOf(cosines, files.map(({ position }) => position));
  if (!grid) throw unevenError(files, folder);
  const slices = grid.order.map((index) => files[index]);
  const [first] = slices;
  const { shape: [, ...size], spacing, window, ...rest } = first;
  const sameWindow = slices.every((slice) => `${slice.window}` === `${window}`);
  const sizes: [number, number, number] = [
    grid.between,
    spacing![1],
    spacing![2],
  ];
  const header: VolumeHeader = {
    shape: [slices.length, ...size] as VolumeHeader["shape"],
    spacing: sizes,
    affine: dicomAffine(cosines, first.position, sizes, grid.step),
    window: sameWindow ? window : undefined,
    ...{ colour: rest.colour, inverted: rest.inverted, layout: rest.layout },
  };
  return { header, slices };
}

/** The error of slices at unequal distances, which names the two farthest from the usual one. */
function unevenError(files: readonly Slice[], folder: string): TypeError {
  const [{ cosines }] = files;
  const along = alongNormal(cosines, files.map(({ position }) => position));
  const order = [...along.keys()].sort((a, b) => along[a] - along[b]);
  const slices = order.map((index) => files[index]);
  const gaps = order.slice(1).map((index, i) => along[index] - along[order[i]]);
  const usual = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)];
  const apart = gaps.map((gap) => Math.abs(gap - usual));
  const worst = apart.indexOf(Math.max(...apart));
  const [one, other] = [slices[worst], slices[worst + 1]].map(({ path }) =>
    path.slice(folder.length + 1)
  );
  return badFile(
    "the slices of a series must lie one behind the other at equal distances, without gaps and none twice",
    `${gaps[worst].toFixed(3)} mm from ${one} to ${other}, mostly ${
      usual.toFixed(3)
    } mm`,
    folder,
  );
}
