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
  asIndices,
  type DicomHeader,
  dicomHeader,
  headerOf,
  isDicom,
  readDicomDataSet,
} from "./_dicom_header.ts";
import { sourceOf } from "./_dicom_attributes.ts";
import { badFile, readHead } from "./_bytes.ts";
import { countValues, type VolumeHeader } from "./_volume_header.ts";
import { InputError } from "../input_error.ts";

/** A file of a series, and what of its header places it. */
type Slice =
  & Pick<DicomHeader, "shape" | "spacing" | "cosines" | "position" | "origin">
  & Pick<DicomHeader, "photometric" | "window" | "color" | "inverted">
  & Pick<DicomHeader, "layout" | "affine" | "voi" | "padding" | "frames">
  & Pick<DicomHeader, "order" | "sparse">
  & { readonly path: string; readonly series: SeriesName }
  /** Whether it shows where the others lie, or what they mark. */
  & { readonly aside: boolean };

/** What names a series. */
interface SeriesName {
  readonly uid: string;
  readonly number: string;
  readonly description: string;
}

/** A folder's series: its slices in order, and the header of all together. */
export interface DicomSeries {
  readonly header: VolumeHeader;
  readonly slices: readonly Slice[];
}

/**
 * Finds the slices of the one series in a folder, by their headers, and sorts
 * them along their normal. Files that are no DICOM files are left out, as are
 * hidden ones, DICOMDIR and those without an image (reports); localizers,
 * segmentations and dose grids are left out beside other images.
 *
 * @param options.series Which of several: its UID, number or description.
 */
export async function openSeries(
  folder: string,
  { maxVoxels, series }: { maxVoxels: number; series?: string | number },
): Promise<DicomSeries> {
  const files: Slice[] = [];
  let others = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory || /^(\.|DICOMDIR$)/.test(name)) continue;
    const slice = await readSlice(join(folder, name));
    if (slice === "other") others++;
    else if (slice) files.push(slice);
  }
  if (files.length === 0) {
    throw badFile(
      "a folder must have DICOM files with images",
      others > 0 ? `${others} without` : "none",
      folder,
    );
  }
  files.sort((a, b) => a.path < b.path ? -1 : 1);
  const chosen = oneSeries(files, series, folder);
  const images = chosen.filter(({ aside }) => !aside);
  const slices = images.length > 0 ? images : chosen;
  const [, ...size] = slices[0].shape;
  countValues([slices.length, ...size], maxVoxels, folder);
  if (slices.length === 1) {
    const [{ origin, frames, order }] = slices;
    const dicom = sourceOf(origin, frames, order);
    return { header: { ...slices[0], dicom }, slices };
  }
  for (const slice of slices) checkAlike(slices[0], slice);
  return stack(slices, folder);
}

/** The files of the series that is asked for, or of the only one with images. */
function oneSeries(
  files: readonly Slice[],
  wanted: string | number | undefined,
  folder: string,
): readonly Slice[] {
  const groups = Map.groupBy(files, ({ series }) => series.uid);
  const list = [...groups.values()];
  const told = (of: readonly (readonly Slice[])[]) =>
    of.slice(0, 10).map((slices) => {
      const [{ series: { uid, number, description } }] = slices;
      const names = [number && `number ${number}`, description].filter(Boolean);
      return `${uid || "no UID"} (${
        [...names, `${slices.length} files`].join(", ")
      })`;
    }).join("; ");
  if (wanted !== undefined) {
    const found = list.filter(([{ series: { uid, number, description } }]) =>
      typeof wanted === "number"
        ? number !== "" && Number(number) === wanted
        : uid === wanted || description === wanted
    );
    if (found.length === 1) return found[0];
    throw new InputError(
      `Cannot read image as series must be the UID, number or description of one in the folder: current value is ${wanted} of ${
        told(found.length > 1 ? found : list)
      } (${folder})`,
    );
  }
  const images = list.filter((slices) => slices.some(({ aside }) => !aside));
  const candidates = images.length > 0 ? images : list;
  if (candidates.length === 1) return candidates[0];
  throw badFile(
    "all images of a folder must be of one series, or series must name one",
    told(candidates),
    folder,
  );
}

/** The values of a series, rescaled, one file at a time: [slice, row, column, channel]. */
export async function seriesValues(
  { header: { shape }, slices }: DicomSeries,
  maxVoxels: number,
  mask = false,
): Promise<NdArray<Float32Array>> {
  if (slices.length === 1) {
    const [{ path }] = slices;
    return await valuesOf(path, maxVoxels, mask);
  }
  const sides = mask ? shape.with(3, slices[0].color ? 3 : 1) : shape;
  const values = new Float32Array(
    countValues(sides, maxVoxels, slices[0].path),
  );
  const size = values.length / slices.length;
  for (const [i, { path }] of slices.entries()) {
    const { data } = await valuesOf(path, size, mask);
    values.set(data, i * size);
  }
  return ndarray(values, sides);
}

async function valuesOf(
  path: string,
  maxVoxels: number,
  mask: boolean,
): Promise<NdArray<Float32Array>> {
  const bytes = await Deno.readFile(path);
  const header = await dicomHeader(bytes, { whole: true, name: path });
  return await dicomValues(mask ? asIndices(header) : header, maxVoxels, path);
}

/** Modalities of files that say something of images, and have pixels as well. */
const ASIDE = ["SEG", "RTDOSE", "PR", "REG"];

/** What a file's header says of its slice; "other" where it has no image, undefined for another file. */
async function readSlice(path: string): Promise<Slice | "other" | undefined> {
  const head = await readHead(path);
  if (!isDicom(head)) return undefined;
  const dataSet = await readDicomDataSet(path, head);
  const text = (tag: string) =>
    (dataSet.string(tag) ?? "").replaceAll("\0", "").trim();
  if (!dataSet.uint16("x00280010") || !dataSet.uint16("x00280011")) {
    return "other";
  }
  const rest = headerOf(dataSet, path);
  const { shape, spacing, affine, cosines, position, photometric } = rest;
  const { window, color, inverted, layout, voi, padding } = rest;
  const { origin, frames, order, sparse } = rest;
  return { // and not the bytes, which `dataSet` holds
    path,
    series: {
      uid: text("x0020000e"),
      number: text("x00200011"),
      description: text("x0008103e"),
    },
    aside: ASIDE.includes(text("x00080060")) ||
      text("x00080008").split("\\").includes("LOCALIZER"),
    ...{ shape, spacing, affine, cosines, position, photometric, origin },
    ...{ window, color, inverted, layout, voi, padding, frames, order },
    sparse,
  };
}

/** Refuses a file that does not belong to the first one's series. */
function checkAlike(first: Slice, slice: Slice): void {
  const refuse = (what: string, value: unknown) =>
    badFile(`all files of a folder must ${what}`, value, slice.path);
  const { shape, spacing, cosines, position } = slice;
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
  const alike = slices.every((slice) =>
    `${slice.window}` === `${window}` &&
    JSON.stringify(slice.voi) === JSON.stringify(rest.voi)
  );
  const sizes: [number, number, number] = [
    grid.between,
    spacing![1],
    spacing![2],
  ];
  const header: VolumeHeader = {
    shape: [slices.length, ...size] as VolumeHeader["shape"],
    spacing: sizes,
    affine: dicomAffine(cosines, first.position, sizes, grid.step),
    ...(alike ? { window, voi: rest.voi } : {}),
    padding: rest.padding,
    dicom: {
      attributes: rest.origin.attributes,
      instances: slices.map(({ origin: { sopClass, sopInstance } }) => ({
        ...{ sopClass, sopInstance },
      })),
    },
    ...{ color: rest.color, inverted: rest.inverted, layout: rest.layout },
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
