"""The page's server: on this machine only unless told otherwise, silent towards the rest of the world."""

import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vedit.errors import EngineError, UsageError

LOCAL = ("127.0.0.1", "localhost", "::1")
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'"
)
"""What the page may load: nothing from elsewhere."""


@contextmanager
def serving(host: str = "127.0.0.1", port: int = 7860) -> Iterator[str]:
    """Serve the page, in threads of its own; gives its address.

    Films that are dropped lie in a private folder, which is removed at the end.

    Args:
        host: the address to listen on; any but this machine's own lets others use vedit here.
        port: of it; 0 takes any that is free.

    Raises:
        EngineError: gradio is not installed.
        UsageError: the address cannot be listened on.
    """
    if find_spec("gradio") is None:
        raise EngineError(
            "the page needs gradio, which is not installed", "Run pip install 'vedit-diffusion[ui]'."
        )
    port = _bindable(host, port)
    with tempfile.TemporaryDirectory(prefix="vedit-ui-", ignore_cleanup_errors=True) as folder:
        _settle(Path(folder))
        from vedit.ui.app import Page
        from vedit.ui.layout import look

        page = Page(Path(folder) / "work")
        try:
            yield _launch(page.blocks, host, port, look())
        finally:
            page.close()


def _settle(folder: Path) -> None:
    """Tell gradio, before it is imported, to keep to this folder and to call nobody."""
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    for name in ("GRADIO_SHARE", "GRADIO_ALLOWED_PATHS", "GRADIO_ROOT_PATH", "GRADIO_MCP_SERVER"):
        os.environ.pop(name, None)


def _launch(blocks: Any, host: str, port: int, look: Mapping[str, Any]) -> str:
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    guards = [Middleware(Guard)]
    if host in LOCAL:  # a page from elsewhere cannot reach this one under a name of its own
        guards.append(Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"]))
    _, url, _ = blocks.launch(
        server_name=host,
        server_port=port,
        share=False,
        quiet=True,
        prevent_thread_lock=True,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        footer_links=[],
        allowed_paths=[],
        app_kwargs={"middleware": guards, "docs_url": None, "redoc_url": None},
        **look,
    )
    return str(url)


def _bindable(host: str, port: int) -> int:
    """The port, or any for 0, found to be free.

    Raises:
        UsageError: it is not, or there is no such address here.
    """
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
            return int(trial.getsockname()[1])
    except OSError as error:
        raise UsageError(
            f"{host}:{port} cannot be listened on: {error.strerror}", "Choose another --port or --host."
        ) from error


class Guard:
    """Adds to every answer what the browser is to refuse."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (b"content-security-policy", POLICY.encode()),
                    (b"referrer-policy", b"no-referrer"),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        await self.app(scope, receive, guarded)
