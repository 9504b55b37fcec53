/** Where a command prints, and reads what is typed. */
export interface Terminal {
  /** Prints text and a line's end. */
  print(text: string): void;
  /** Asks, and reads a line; undefined at the end of the input. */
  readLine(question: string): Promise<string | undefined>;
}

/**
 * The process's own terminal; its input may as well be a pipe. It reads only
 * when asked, so that nothing is under way when the command ends.
 */
export function processTerminal(): Terminal {
  const buffer = new Uint8Array(1024);
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  let ended = false;
  return {
    print: (text) => console.log(text),
    async readLine(question) {
      await Deno.stdout.write(encoder.encode(question));
      while (!ended && !rest.includes("\n")) {
        const count = await Deno.stdin.read(buffer);
        ended = count === null;
        rest += decoder.decode(buffer.subarray(0, count ?? 0), {
          stream: !ended,
        });
      }
      const end = rest.indexOf("\n");
      const line = end < 0 ? rest : rest.slice(0, end);
      if (ended && end < 0 && line === "") {
        console.log(); // the question's line
        return undefined;
      }
      rest = end < 0 ? "" : rest.slice(end + 1);
      // What was typed at a terminal stands there already.
      if (!Deno.stdin.isTerminal()) console.log(line);
      return line;
    },
  };
}
