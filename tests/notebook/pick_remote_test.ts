/** Picks in JupyterLab of a kernel that the browser does not reach. */
import assert from "node:assert/strict";
import { findChromium, findPython, firstThat } from "../helpers/python.ts";

const python = await findPython(
  "jupyterlab",
  "playwright",
  "jupyter_server_proxy",
);
const chromium = await findChromium();
/** Whether this process may make a network namespace. */
const isolates = await firstThat(["unshare"], (name) => [name, "-n", "true"]) &&
  await firstThat(["ip"], (name) => [name, "netns"]);
const ready = python && chromium && isolates;
if (!ready) {
  console.log(
    "skipped: no pick in a browser of a remote kernel, for which it takes root on Linux, iproute2, " +
      "chromium, and a python3 with jupyterlab, playwright and jupyter-server-proxy",
  );
}

for (
  const [way, by, boxes] of [
    ["proxy", "the notebook's server", 0],
    ["typed", "the front end's input box", 1],
  ] as const
) {
  Deno.test({
    name:
      `a kernel on another machine is answered through ${by}, and an interrupt ends the wait`,
    ignore: !ready,
    fn: async () => {
      const { stdout, code } = await new Deno.Command(python!, {
        args: [
          "tests/notebook/pick_remote.py",
          Deno.execPath(),
          chromium!,
          way,
        ],
        stderr: "inherit",
      }).output();
      assert.equal(code, 0);
      const happened = JSON.parse(new TextDecoder().decode(stdout));
      assert.deepEqual(happened.answers, [
        { kind: "choose", candidate: 2 },
        { kind: "click", point: { x: 9, y: 2, label: 1 } },
        { kind: "choose", candidate: 1 },
        { kind: "accept" },
      ]);
      for (const status of happened.status) {
        assert.equal(/cannot reach the kernel/.test(status), boxes > 0);
      }
      assert.equal(happened.boxes, boxes);
      assert.deepEqual(happened.errors, []);
    },
  });
}
