/** The package as its registry gives it: whole, small, and offline after once. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { servePackage } from "../helpers/package_server.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const USER = fileURLToPath(
  new URL("../helpers/package_user.ts", import.meta.url),
);

/** Where this machine keeps its npm packages. */
async function npmCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).npmCache;
}

Deno.test("the package is under 20 MB, has its weights and fonts, and no test, command or notebook", async () => {
  await using server = await servePackage();
  const { files, size } = server;
  assert.ok(size < 20e6, `${size} bytes`);
  for (const path of ["mod.ts", "data/models/tiny.safetensors"]) {
    assert.ok(files.has(path), path);
  }
  assert.ok([...files].some((path) => path.endsWith(".ttf")));
  const outside =
    /^(tests|notebooks|\.ci|out|src\/commands|data\/(results|phantoms))\//;
  assert.deepEqual([...files].filter((path) => outside.test(path)), []);
});

Deno.test("the package serves a user in an empty folder, and again with the server stopped", async () => {
  const folder = await temporaryFolder();
  const denoFolder = join(folder, "deno");
  const work = join(folder, "work");
  for (const path of [denoFolder, work]) await Deno.mkdir(path);
  // modules are fetched anew, but not hundreds of MB of npm packages
  await Deno.symlink(await npmCache(), join(denoFolder, "npm"));
  const user = join(work, "user.ts");
  await Deno.copyFile(USER, user);
  const run = async (url: string, phase: string, ...flags: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-config",
        "--no-lock",
        ...flags,
        user,
        url,
        phase,
      ],
      cwd: work,
      env: {
        DENO_DIR: denoFolder,
        XDG_CACHE_HOME: join(folder, "cache"),
        NO_COLOR: "1",
      },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.equal(code, 0, text(stderr));
    return JSON.parse(text(stdout).trim().split("\n").at(-1)!);
  };
  let url: string;
  let online;
  {
    await using server = await servePackage();
    url = server.url;
    online = await run(url, "online");
    const missing = server.asked.filter((path) => !server.files.has(path));
    assert.deepEqual(missing, []);
  }
  assert.equal(online.iteration, 1);
  assert.ok(online.dice > 0.5, `Dice ${online.dice}`);
  assert.equal(online.picked, "choose");
  assert.deepEqual(online.exported, [
    "decoder.onnx",
    "encoder.onnx",
    "generator.onnx",
  ]);
  const offline = await run(url, "offline", "--cached-only");
  assert.deepEqual({ ...offline, phase: "online" }, online);
});
