import type { PromptWatch, StdinSocket } from "./prompt_worker.ts";

/** The beginning of a line that no user typed. */
const OWN = "\u0000spa ";

/**
 * A notebook's prompt that always comes back. The kernel's own `prompt()` stops
 * everything until a line comes: where the page was closed, for ever. Here a
 * worker watches it, and ends it when the time is up or an interrupt comes.
 *
 * @param question What is asked.
 * @param milliseconds How long it may wait for a line.
 * @returns The line; null where nobody answers: the front end takes no input,
 * or the prompt could not be watched, and is not opened then; undefined where it
 * was ended by the time or an interrupt.
 */
export async function guardedPrompt(
  question: string,
  milliseconds: number,
): Promise<string | null | undefined> {
  const socket = await stdinSocket();
  if (!socket) return null;
  const mark = `${OWN}${crypto.randomUUID()} `;
  using worker = await openWorker();
  const interrupt = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", interrupt.resolve);
  try {
    await worker.tell({ socket, milliseconds, mark });
    let line = prompt(question);
    while (line?.startsWith(OWN) && !line.startsWith(mark)) {
      line = prompt(question); // the end of an earlier one, which came too late
    }
    if (!line?.startsWith(mark)) return line;
    // this thread hears of the interrupt a moment after the worker did
    if (line.endsWith("interrupt")) await interrupt.promise;
    return undefined;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt.resolve);
  }
}

async function openWorker() {
  const url = new URL("./prompt_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module", name: "spa-prompt" });
  const heard = () =>
    new Promise<void>((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`Cannot watch the prompt: ${event.message}`));
      };
    });
  await heard();
  return {
    async tell(watch: PromptWatch) {
      worker.postMessage(watch);
      await heard();
    },
    [Symbol.dispose]: () => worker.terminate(),
  };
}

/** The kernel's stdin socket, from the connection file it was started with. */
async function stdinSocket(): Promise<StdinSocket | undefined> {
  try {
    const words = await commandLine();
    const path = words[words.indexOf("--conn") + 1];
    const found = JSON.parse(await Deno.readTextFile(path));
    const known = found.transport === "tcp" &&
      Number.isInteger(found.stdin_port) && typeof found.key === "string" &&
      ["", "hmac-sha256"].includes(found.signature_scheme);
    return known ? found : undefined;
  } catch {
    return undefined;
  }
}

/** The words of the command that started this process. */
async function commandLine(): Promise<string[]> {
  if (Deno.build.os === "linux") {
    return (await Deno.readTextFile("/proc/self/cmdline")).split("\0");
  }
  const { stdout } = await new Deno.Command("ps", {
    args: ["-o", "args=", "-p", String(Deno.pid)],
  }).output();
  return new TextDecoder().decode(stdout).trim().split(" ");
}
