"""Picks in the real Deno kernel as a browser would; prints what happened, as JSON.

Usage: notebook_pick_kernel.py DENO, with the repository as working directory.
"""

import json
import os
import re
import sys
import tempfile
import time
import urllib.error
import urllib.request

from jupyter_client import BlockingKernelClient
from jupyter_client.manager import KernelManager

SETUP = """
import * as spa from "./mod.ts";
import { grayImage as image, handProposal } from "./tests/helpers/proposal.ts";
const proposal = handProposal();
"ready"
"""


class Notebook:
    """A kernel with a client that executes one cell after another."""

    def __init__(self, deno: str):
        folder = tempfile.mkdtemp()
        os.makedirs(f"{folder}/kernels/deno")
        spec = {
            "argv": [deno, "jupyter", "--kernel", "--conn", "{connection_file}"],
            "display_name": "Deno",
            "language": "typescript",
        }
        with open(f"{folder}/kernels/deno/kernel.json", "w") as file:
            json.dump(spec, file)
        os.environ["JUPYTER_PATH"] = folder
        self.manager = KernelManager(kernel_name="deno")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)

    def run(self, code, on_panel=None, typed=None, on_ask=None, later=None, seconds=120):
        """The cell's outputs; a panel's address goes to on_panel."""
        cell = self.client.execute(code, allow_stdin=typed is not None)
        began = time.monotonic()
        outputs, ended = [], began + seconds
        while time.monotonic() < ended:
            if later and time.monotonic() > began + later[0]:
                later[1]()
                later = None
            if typed and self.client.stdin_channel.msg_ready():
                self.client.get_stdin_msg(timeout=1)
                if on_ask:
                    on_ask()
                line = typed.pop(0)
                if line is not None:
                    self.client.input(line)
            try:
                message = self.client.get_iopub_msg(timeout=0.2)
            except Exception:  # nothing yet
                continue
            if message["parent_header"].get("msg_id") != cell:
                continue
            content = message["content"]
            kind = message["msg_type"]
            if kind == "status" and content["execution_state"] == "idle":
                return outputs
            if kind == "error":
                outputs.append({"error": f"{content['ename']}: {content['evalue']}"})
            if kind not in ("display_data", "update_display_data", "execute_result"):
                continue
            outputs.append({
                "type": kind,
                "id": content.get("transient", {}).get("display_id"),
                "text": re.sub("\x1b\\[[0-9;]*m", "", content["data"].get("text/plain", "")),
                "png": content["data"].get("image/png", "")[:40],
            })
            url = re.search(r"http://127\.0\.0\.1:\d+/[\w-]+", outputs[-1]["text"])
            if url and on_panel:
                on_panel(url.group())
        return outputs + [{"error": "the cell did not end"}]

    def forge(self, line):
        """What another program of this machine sends, which has not the kernel's key."""
        client = BlockingKernelClient()
        client.load_connection_info({**self.manager.get_connection_info(), "key": b"guessed"})
        client.start_channels(shell=False, iopub=False, hb=False, control=False)
        client.input(line)
        time.sleep(1)
        client.stop_channels()
        # a page of any origin can send bytes to any port, but no such message
        port = self.manager.get_connection_info()["stdin_port"]
        request(f"http://127.0.0.1:{port}/")

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def request(url, method="POST"):
    headers = {"Origin": "http://localhost:8888"} if method == "POST" else {}
    asked = urllib.request.Request(url, method=method, headers=headers)
    try:
        return urllib.request.urlopen(asked, timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0  # closed


def main():
    notebook = Notebook(sys.argv[1])
    happened, seen = {}, []

    def follow(path, method="POST"):
        def act(url):
            seen.append(url)
            statuses.append(request(f"{url}x/accept"))
            statuses.append(request(f"{url}/{path}", method))
        return act

    def case(name, options, **how):
        statuses.clear()
        code = f"JSON.stringify(await spa.pick(proposal, {{ image, {options} }}))"
        happened[name] = {
            "outputs": notebook.run(code, **how),
            "statuses": list(statuses),
        }

    statuses = []
    try:
        happened["setup"] = notebook.run(SETUP)
        case("click", "", on_panel=follow("candidate/2"))
        case("link", "", on_panel=follow("point/3/4/0", "GET"))
        case("interrupt", "", on_panel=lambda url: (
            seen.append(url), time.sleep(0.3), notebook.manager.interrupt_kernel()))
        happened["after"] = notebook.run("6 * 7")
        case("prompt", "patience: 0.2", typed=["2"])
        case("interrupted prompt", 'by: "prompt"', typed=[None], on_ask=lambda: (
            notebook.manager.interrupt_kernel(), time.sleep(0.3)))
        happened["after the prompt"] = notebook.run("6 * 7")
        case("forged", 'by: "prompt"', typed=["2"], on_ask=lambda: notebook.forge("4"))
        # nobody ever types: the tab was closed at once
        case("silent prompt", 'by: "prompt"', typed=[], on_ask=None,
             later=(2, notebook.manager.interrupt_kernel))
        happened["after the silence"] = notebook.run("6 * 7")
        happened["late"] = notebook.run(
            'const { guardedPrompt } = await import("./src/notebook/guarded_prompt.ts");'
            'String(await guardedPrompt("?", 700))', typed=[])
        case("typed after the silence", 'by: "prompt"', typed=["3"])
        case("rule", "patience: 0.2, auto: () => 3")
        case("nobody", "patience: 0.2")
        happened["end"] = notebook.run("6 * 7")
        happened["closed"] = [request(f"{url}/accept") for url in seen]
    finally:
        notebook.stop()
    print(json.dumps(happened))


if __name__ == "__main__":
    main()
