/** A process that is interrupted while it picks, and says how that ended. */
import { pickAt } from "../src/notebook/pick.ts";
import { playHost, urlOf } from "./_pick_host.ts";
import { greyImage as image, handProposal } from "./_proposal.ts";

const host = playHost({ browser: () => Deno.kill(Deno.pid, "SIGINT") });
const picking = pickAt(host, handProposal(), { image, auto: () => 0 });
const { name, message } = await picking.catch((error) => error);
const port = Number(new URL(urlOf(host.shown[0])!).port);
Deno.listen({ hostname: "127.0.0.1", port }).close(); // throws unless free
const still = host.shown[1]["text/plain"];
console.log(JSON.stringify({ name, message, still, asked: host.asked }));
