/** A process that is interrupted while it picks, and says how that ended. */
import { pickAt } from "../../src/notebook/pick.ts";
import { playHost, urlOf } from "./pick_host.ts";
import { grayImage as image, handProposal } from "./proposal.ts";

/** Who is asked when the interrupt comes. */
const [phase] = Deno.args;
const heard = Promise.withResolvers<void>();
Deno.addSignalListener("SIGINT", heard.resolve);
const interrupt = () => Deno.kill(Deno.pid, "SIGINT");
const played = playHost({
  browser: phase === "browser" ? interrupt : undefined,
});
const host = {
  ...played,
  async ask(question: string, milliseconds: number) {
    if (phase !== "prompt") return await played.ask(question, milliseconds);
    interrupt();
    // a prompt blocks until its line is there
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    await heard.promise; // on a machine that is busy it takes its time
    return "1";
  },
};
const picking = pickAt(host, handProposal(), {
  image,
  patience: phase === "browser" ? 60 : 0.05,
  async auto() {
    interrupt();
    await heard.promise; // signals take time
    return 0;
  },
});
const { name, message } = await picking.catch((error) => error);
const port = Number(new URL(urlOf(host.shown[0])!).port);
Deno.listen({ hostname: "127.0.0.1", port }).close(); // throws unless free
const still = host.shown.at(-1)!["text/plain"];
console.log(JSON.stringify({ name, message, still, asked: host.asked }));
