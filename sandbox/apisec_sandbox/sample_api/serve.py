"""Run the shop under uvicorn on a loopback address and say in a file where it listens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

# A gateway keeps upstream connections for an hour (Envoy's default); the server must not close them first,
# or a request that crosses the close is answered 503 by the gateway.
KEEP_ALIVE_SECONDS = 3700
STARTUP_SECONDS = 20.0


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or none."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


async def _announce(server: uvicorn.Server, ready_file: Path, facts: dict[str, object]) -> None:
    deadline = asyncio.get_running_loop().time() + STARTUP_SECONDS
    while not server.started and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.01)
    if server.started:
        write_atomically(ready_file, json.dumps(facts) + "\n")


async def _serve(
    server: uvicorn.Server, listener: socket.socket, ready_file: Path | None, facts: dict[str, object]
) -> None:
    announcing = asyncio.create_task(_announce(server, ready_file, facts)) if ready_file else None
    try:
        await server.serve(sockets=[listener])
    finally:
        if announcing:
            announcing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await announcing


def serve(app: ASGIApp, host: str, port: int, ready_file: Path | None, facts: dict[str, object]) -> str:
    """Serve until SIGTERM or SIGINT; ``facts`` are added to the ready file. OSError when the port is taken."""
    listener = socket.create_server((host, port), backlog=512)
    # asyncio sets it only on sockets of an explicit protocol; without it every second answer waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    bound = listener.getsockname()[1]
    url = f"http://{host}:{bound}"
    config = uvicorn.Config(
        app,
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=3,
    )
    with listener:
        asyncio.run(
            _serve(
                uvicorn.Server(config), listener, ready_file, {"url": url, "port": bound, "pid": os.getpid(), **facts}
            )
        )
    return url
