"""`vedit ui`: the page in a browser, served by this machine."""

import sys
import threading
import webbrowser
from typing import Annotated

from typer import Option

from vedit.cli.options import Debug


def command(
    host: Annotated[
        str, Option("--host", help="The address to listen on; 0.0.0.0 lets every machine that reaches it in.")
    ] = "127.0.0.1",
    port: Annotated[int, Option("--port", min=0, max=65535, help="0 takes any that is free.")] = 7860,
    open_page: Annotated[bool, Option("--open", help="Open the page in the browser.")] = False,
    debug: Debug = False,
) -> None:
    """Serve a page on this machine: drop a film, choose an edit, preview two seconds, run."""
    from vedit.ui.serve import LOCAL, serving

    if host not in LOCAL:
        print(
            f"warning: whoever can reach {host} can use vedit on this machine, without a password",
            file=sys.stderr,
        )
    with serving(host, port) as url:
        print(f"vedit is at {url}; Ctrl-C ends it", flush=True)
        if open_page:
            webbrowser.open(url)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("ended; the films that were dropped are removed", flush=True)
