"""How the page is served: port, limits, theme."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from importlib.util import find_spec
from typing import Any, NoReturn

from gradio.tunneling import CURRENT_TUNNELS
from starlette.middleware import Middleware

from page.i18n.labels import TRANSLATIONS
from page.serving.language import AskedLanguage
from page.serving.scripts import SCRIPT
from page.serving.style import CSS, THEME
from page.workspace import delete_own
from pose import UserError

DEFAULT_PORT = 7860
MAX_FILE_SIZE = "200mb"
"""Largest upload; a clip of a minute fits."""

MOST_SESSIONS = 1000
"""Visitors remembered; the one seen least recently is forgotten. Gradio keeps 0.3 MB for each, also
for programs that call an endpoint once, and would keep 10,000."""


def launch_options(mcp: bool = False) -> dict[str, Any]:
    """The options of `launch` besides the address, for the tests as well.

    Raises:
        UserError: an MCP server is asked for and its package is missing.
    """
    if mcp and find_spec("mcp") is None:
        raise UserError('--mcp needs one more package: pip install "gradio[mcp]"')
    return {
        "mcp_server": mcp,
        "theme": THEME,
        "css": CSS,
        "js": SCRIPT,
        "app_kwargs": {"middleware": [Middleware(AskedLanguage)]},
        "i18n": TRANSLATIONS,
        "max_file_size": MAX_FILE_SIZE,
        "footer_links": ["api", "settings"],
        # Users' mistakes are shown as our own messages; other errors may name the server's files.
        "show_error": False,
        "state_session_capacity": MOST_SESSIONS,
    }


def chosen_port(host: str, port: int | str) -> int:
    """The port to listen on; 7860 for an empty text.

    Raises:
        UserError: it is taken or no port number.
    """
    if isinstance(port, str):
        if port and not (port.isascii() and port.isdigit()):
            raise UserError(f"GRADIO_SERVER_PORT is a port number, not {port!r}")
        port = int(port or DEFAULT_PORT)
    if not 1 <= port <= 65535:
        raise UserError(f"a port is a number from 1 to 65535, not {port}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(
                f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port"
            ) from None
    return port


def stop_event() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set from now on, instead of raising."""
    stopped = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
    return stopped


def leave(status: int) -> NoReturn:
    """Ends the process at once, with its workspace and its tunnels closed.

    Gradio waits for open connections and Python for threads that run a network, many seconds in
    all, and whoever waits for an answer loses it either way.
    """
    for tunnel in CURRENT_TUNNELS:
        tunnel.kill()
    delete_own()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
