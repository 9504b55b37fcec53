/**
 * Takes the README's picture of the panel, `data/panel.webp`, in Chromium:
 *
 *     deno run -A tests/save_panel_picture.ts
 *
 * It takes chromium and a Python (SPA_PYTHON) with playwright.
 */

import sharp from "sharp";
import { loadModel, readImage, Session } from "../mod.ts";
import { choicesOf } from "../src/notebook/pick.ts";
import { pickPanel } from "../src/notebook/pick_panel.ts";
import { openPickServer } from "../src/notebook/pick_server.ts";
import { PYTHON } from "./helpers/kernel_helpers.ts";
import { findChromium } from "./helpers/python.ts";

const chromium = await findChromium();
if (!chromium) throw new Error("Cannot take the picture without chromium");

using model = await loadModel("tiny");
const image = await readImage("../shared/data/formats/retina.jpg");
const box = { left: 120, top: 550, right: 330, bottom: 770 };
using session = await Session.start(model, image, { box });
const { proposal } = session;
const offered = [
  ...["accept", "none", "outside", "closer", "wider", "box", "paint"] as const,
];
const choices = choicesOf(image, proposal.candidates.length, offered);
const panel = await pickPanel({
  ...{ image, proposal, box, choices },
  title: "Which is nearest to what you want?",
});
const until = Date.now() + 600_000;
const server = openPickServer(
  choices,
  (url) => panel(url, until).page,
  600_000,
);
const picture = await Deno.makeTempFile({ suffix: ".png" });
try {
  const { success } = await new Deno.Command(PYTHON, {
    args: ["tests/notebook/panel_picture.py", chromium, server.url, picture],
  }).output();
  if (!success) throw new Error("Cannot take the picture in Chromium");
  await sharp(picture).resize(1440).webp({ quality: 84 })
    .toFile("data/panel.webp");
  const { size } = await Deno.stat("data/panel.webp");
  console.log(`data/panel.webp: ${size} bytes`);
} finally {
  await server.close();
  await Deno.remove(picture);
}
