/** Serves the package as its registry does. */

import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

interface Manifest {
  readonly imports: Readonly<Record<string, string>>;
  readonly publish: { readonly exclude: readonly string[] };
}

/** A server of the package's files. */
export interface PackageServer extends AsyncDisposable {
  /** The address of the folder with `mod.ts`; it ends in "/". */
  readonly url: string;
  /** The paths that were asked for. */
  readonly asked: readonly string[];
  /** Bytes of all files of the package. */
  readonly size: number;
  /** All files of the package. */
  readonly files: ReadonlySet<string>;
}

/**
 * Serves what is published, and nothing else: no list of a folder, no
 * `deno.json`. Bare specifiers in its modules are rewritten to `npm:`.
 */
export async function servePackage(): Promise<PackageServer> {
  const { imports, publish }: Manifest = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  const files = await publishedFiles(publish.exclude);
  let size = 0;
  for (const path of files) {
    size += (await Deno.stat(new URL(path, ROOT))).size;
  }
  const asked: string[] = [];
  const base = "/@spa-seg/spa/0.1.0/";
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const path = decodeURIComponent(pathname.slice(base.length));
      asked.push(path);
      if (!pathname.startsWith(base) || !files.has(path)) {
        return new Response("Not found", { status: 404 });
      }
      const bytes = await Deno.readFile(new URL(path, ROOT));
      if (extname(path) !== ".ts") {
        return new Response(bytes, {
          headers: { "content-type": "application/octet-stream" },
        });
      }
      const code = rewrite(new TextDecoder().decode(bytes), imports);
      return new Response(code, {
        headers: { "content-type": "application/typescript" },
      });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}${base}`,
    asked,
    size,
    files,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** The files that `deno publish` takes: git's, but for the excluded ones. */
async function publishedFiles(
  exclude: readonly string[],
): Promise<ReadonlySet<string>> {
  const { stdout } = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard", "-z"],
    cwd: fileURLToPath(ROOT),
  }).output();
  const paths = new TextDecoder().decode(stdout).split("\0").filter(Boolean);
  const present: string[] = [];
  for (const path of paths) {
    const found = await Deno.lstat(new URL(path, ROOT)).catch(() => undefined);
    if (found?.isFile) present.push(path);
  }
  return new Set(
    present.filter((path) =>
      path !== "deno.json" && path !== "deno.lock" &&
      !exclude.some((out) => path === out || path.startsWith(`${out}/`))
    ),
  );
}

/** A module with its bare specifiers as `npm:` addresses. */
function rewrite(
  code: string,
  imports: Readonly<Record<string, string>>,
): string {
  return code.replaceAll(
    /(\bfrom\s*|\bimport\s*\(?\s*|@ts-types=)"([^"./][^":]*)"/g,
    (whole, start, specifier) => {
      const target = imports[specifier];
      return target ? `${start}"${target}"` : whole;
    },
  );
}
