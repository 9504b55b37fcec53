/** Runs `deno task train` with arguments. */
export async function trainCommand(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "src/commands/train/main.ts", ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return { code, out, error };
}
