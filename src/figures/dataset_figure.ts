// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Case, Dataset } from "../datasets/dataset.ts";
import { describeDataset } from "./describe.ts";
import { Figure } from "./figure.ts";
import { type Fonts, loadFonts } from "./fonts.ts";
import {
  closeView,
  defineImage,
  drawLegend,
  drawOutline,
  drawPanel,
  fitBox,
  legendHeight,
  type LegendItem,
  lineItem,
  type Panel,
  type Rect,
  wholeView,
} from "./panel.ts";
import { outline } from "./outline.ts";
import { imageURI } from "./raster.ts";
import {
  COLOR,
  drawTitle,
  idFor,
  MARGIN,
  RATER_LINES,
  type RaterLine,
  raterLine,
  raterName,
  raterOrder,
  SIZE,
  svgDocument,
  text,
  WIDTH,
} from "./svg.ts";

/** What {@linkcode datasetFigure} shows. */
export interface DatasetFigureOptions {
  /** How many cases, spread over the dataset. Default: 8. */
  count?: number;
  /** One line above. Default: the dataset's name. */
  title?: string;
}

const COLUMNS = 4;
const GAP = 14;
const SIDE = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS;
const CAPTION = 30;
const TOP = 72;

/** The style of the raters without a line style of their own. */
const OTHERS = { color: "#B4BCC6", dash: [] };

/**
 * Some cases of a dataset, each with the outlines of all its raters: the whole
 * image, or closer where what they outline is small. They are read when it is
 * drawn.
 */
export function datasetFigure(
  dataset: Dataset,
  { count = 8, title = dataset.name }: DatasetFigureOptions = {},
): Figure {
  const shown = spread(dataset.cases, count);
  const raters = raterOrder(dataset.cases.flatMap(({ raters }) => raters));
  const legend = legendOf(
    raters,
    new Set(shown.flatMap(({ raters }) => raters)),
  );
  const rows = Math.ceil(shown.length / COLUMNS);
  const bottom = TOP + rows * (SIDE + CAPTION + GAP);
  const inner = WIDTH - 2 * MARGIN;
  const height = Math.round(bottom + legendHeight(legend, inner) + 8);
  const alt = `${describeDataset(dataset)}; ${shown.length} of them with the ` +
    "outlines of their raters";
  const draw = async () => {
    const fonts = await loadFonts();
    const tiles = await Promise.all(shown.map((item, i) =>
      drawCase(
        item,
        {
          x: MARGIN + (i % COLUMNS) * (SIDE + GAP),
          y: TOP + Math.floor(i / COLUMNS) * (SIDE + CAPTION + GAP),
          width: SIDE,
          height: SIDE,
        },
        raters,
        fonts,
      )
    ));
    const facts = describeDataset(dataset).replace(/^Dataset ".*": /, "");
    const content = drawTitle(title, WIDTH, fonts) +
      text(MARGIN, 58, facts, { fill: COLOR.muted }) + tiles.join("") +
      drawLegend(legend, fonts, { x: MARGIN, y: bottom, width: inner });
    return svgDocument(WIDTH, height, title, content);
  };
  return new Figure({ width: WIDTH, height, alt, draw });
}

/** As many items as `count`, evenly spread, the first among them. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from(
    { length: count },
    (_, i) => items[Math.floor(i * items.length / count)],
  );
}

/** The raters that are shown, by name as far as each has a line alone. */
function legendOf(
  raters: readonly string[],
  shown: ReadonlySet<string>,
): LegendItem[] {
  const own = raters.slice(0, RATER_LINES);
  const items = own.flatMap((rater, i) => {
    const { color, dash } = lineOf(i);
    return shown.has(rater)
      ? [lineItem(raterName(rater), color, { dash })]
      : [];
  });
  const more = raters.slice(RATER_LINES).filter((rater) => shown.has(rater));
  return more.length === 0
    ? items
    : [...items, lineItem(`+ ${more.length} more`, OTHERS.color)];
}

function lineOf(rater: number): RaterLine {
  return rater < RATER_LINES ? raterLine(rater) : OTHERS;
}

async function drawCase(
  item: Case,
  box: Rect,
  raters: readonly string[],
  fonts: Fonts,
): Promise<string> {
  const image = await item.readImage();
  const masks = await Promise.all(
    item.raters.map((rater) => item.readMask(rater)),
  );
  const uri = await imageURI(image);
  const view = masks.length > 0 ? closeView(masks) : wholeView(image);
  const fitted = fitBox(view, box);
  const place = {
    ...fitted,
    x: box.x + (box.width - fitted.width) / 2,
    y: box.y + (box.height - fitted.height) / 2,
  };
  const panel: Panel = { id: idFor(item.id + uri), place, view };
  const name = fonts.fitMiddle(item.id, box.width, SIZE.small);
  return defineImage(panel.id, uri, wholeView(image)) +
    drawPanel(
      panel,
      ...masks.map((mask: NdArray<Uint8Array>, r) => {
        const { color, dash } = lineOf(raters.indexOf(item.raters[r]));
        return drawOutline(panel, outline(mask), color, { width: 1.6, dash });
      }),
    ) +
    text(box.x, box.y + box.height + 18, name, {
      size: SIZE.small,
      fill: COLOR.muted,
    });
}
