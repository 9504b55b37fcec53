"""Runs the notebook IN in the kernel "deno", cell by cell, and writes it to OUT.

Cells go on after an error. Times are in each cell's metadata.
"""

import sys

import nbformat
from nbclient import NotebookClient

source, target, folder, timeout = sys.argv[1:5]
notebook = nbformat.read(source, as_version=4)
NotebookClient(
    notebook,
    kernel_name="deno",
    timeout=int(timeout),
    allow_errors=True,
    coalesce_streams=True,
    resources={"metadata": {"path": folder}},
).execute()
nbformat.write(notebook, target)
