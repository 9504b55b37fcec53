/** `deno task web`; see `--help`. */

import { join } from "node:path";
import {
  type Command,
  CommandLine,
  MODEL,
  runCommand,
} from "../command_line.ts";
import { loadModel } from "../../checkpoints/load_model.ts";
import { writeWebPage } from "./write_web_page.ts";

const COMMAND: Command = {
  action: "write the web page",
  usage: ["deno task web [options]"],
  about:
    "Writes a folder with a page on which anyone segments images in a browser: no server, no download from elsewhere, no image leaves the machine. Open its index.html, or put the folder on any web server.",
  options: {
    "": {
      model: MODEL,
      out: { value: "FOLDER", default: "out/web", help: "where the page goes" },
    },
  },
};

if (import.meta.main) {
  await runCommand(async () => {
    const line = new CommandLine(COMMAND, Deno.args);
    if (line.help) return console.log(line.help);
    const folder = line.text<string>("out");
    using model = await loadModel(line.text("model"));
    const sizes = await writeWebPage(folder, model);
    for (const [name, size] of sizes) {
      console.log(`${(size / 1e6).toFixed(2).padStart(6)} MB  ${name}`);
    }
    console.log(`Open ${join(folder, "index.html")} in a browser.`);
  });
}
