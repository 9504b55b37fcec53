/**
 * Ends a prompt of the Jupyter kernel from outside. While `prompt()` waits for
 * its line, the kernel's event loop stands still: no timer fires and no
 * interrupt is heard. This worker has a loop of its own. When the time is up or
 * an interrupt comes, it sends the kernel the line itself, as a front end would:
 * one `input_reply` over the kernel's stdin socket (ZMTP 3.0, NULL mechanism),
 * signed with the key of the connection file.
 */

import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";

/** What the kernel's connection file says of its stdin socket. */
export interface StdinSocket {
  /** Address of the kernel. */
  readonly ip: string;
  /** Port of the stdin socket. */
  readonly stdin_port: number;
  /** Key of the messages' signatures. */
  readonly key: string;
}

/** What the worker is told. */
export interface PromptWatch {
  readonly socket: StdinSocket;
  /** Milliseconds after which the prompt is ended. */
  readonly milliseconds: number;
  /** What the line begins with; the reason follows: "late" or "interrupt". */
  readonly mark: string;
}

const MORE = 1, LONG = 2, COMMAND = 4;

/** One ZMTP frame. */
function frame(body: Buffer, flags: number): Buffer {
  const head = Buffer.alloc(body.length < 256 ? 2 : 9);
  head[0] = body.length < 256 ? flags : flags | LONG;
  if (body.length < 256) head[1] = body.length;
  else head.writeBigUInt64BE(BigInt(body.length), 1);
  return Buffer.concat([head, body]);
}

/** One property of a READY command: its name, its value. */
function property(name: string, value: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  return Buffer.concat([
    Buffer.from([name.length]),
    Buffer.from(name),
    length,
    Buffer.from(value),
  ]);
}

/** Everything a peer sends who connects, greets, and sends one message. */
export function stdinReply(
  line: string,
  key: string,
): { greeting: Uint8Array; ready: Uint8Array; message: Uint8Array } {
  const greeting = Buffer.alloc(64);
  greeting[0] = 0xff;
  greeting[9] = 0x7f;
  greeting[10] = 3; // the version
  greeting.write("NULL", 12);
  const ready = frame(
    Buffer.concat([
      Buffer.from("\x05READY"),
      property("Socket-Type", "DEALER"),
      property("Identity", `spa-${crypto.randomUUID()}`),
    ]),
    COMMAND,
  );
  const header = {
    msg_id: crypto.randomUUID(),
    session: crypto.randomUUID(),
    username: "spa",
    date: new Date().toISOString(),
    msg_type: "input_reply",
    version: "5.3",
  };
  const texts = [header, {}, {}, { value: line, status: "ok" }]
    .map((part) => JSON.stringify(part));
  const signature = createHmac("sha256", key).update(texts.join(""));
  const parts = ["<IDS|MSG>", key && signature.digest("hex"), ...texts];
  const message = Buffer.concat(
    parts.map((part, i) =>
      frame(Buffer.from(part), i < parts.length - 1 ? MORE : 0)
    ),
  );
  return { greeting, ready, message };
}

/** Sends the kernel a line in place of the front end. */
export async function sendLine(
  { ip, stdin_port: port, key }: StdinSocket,
  line: string,
): Promise<void> {
  using connection = await Deno.connect({ hostname: ip, port });
  const writer = connection.writable.getWriter();
  const reader = connection.readable.getReader();
  const { greeting, ready, message } = stdinReply(line, key);
  await writer.write(greeting);
  let got = 0; // the kernel's greeting, then its READY
  while (got <= 64) {
    const { value, done } = await reader.read();
    if (done) throw new Error("Cannot end the prompt: the kernel hung up");
    got += value.length;
    if (got >= 64) break;
  }
  await writer.write(ready);
  await writer.write(message);
  // the kernel has read it when it has answered; a moment more does no harm
  await new Promise((resolve) => setTimeout(resolve, 200));
}

const scope = globalThis as unknown as {
  onmessage?: (event: { data: PromptWatch }) => void;
  postMessage?: (message: string) => void;
  name?: string;
};

if (scope.name === "spa-prompt") {
  scope.onmessage = async ({ data: { socket, milliseconds, mark } }) => {
    const why = Promise.withResolvers<string>();
    setTimeout(() => why.resolve("late"), milliseconds);
    Deno.addSignalListener("SIGINT", () => why.resolve("interrupt"));
    scope.postMessage!("watching");
    await sendLine(socket, mark + await why.promise);
  };
  scope.postMessage!("ready");
}
