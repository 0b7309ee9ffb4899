"""gzip of larger answers for clients that accept it; deterministic bytes, unlike starlette's middleware."""

from __future__ import annotations

import gzip

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MINIMUM_BYTES = 1024
LEVEL = 5


class Compression:
    """ASGI middleware for answers that come in one piece; others pass as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            await self.app(scope, receive, send)
            return
        start: Message = {}

        async def hold(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start:
                whole = not message.get("more_body", False)
                if whole and len(message.get("body", b"")) >= MINIMUM_BYTES:
                    message = _compressed(start, message)
                await send(start)
                start = {}
            await send(message)

        await self.app(scope, receive, hold)


def _compressed(start: Message, message: Message) -> Message:
    body = gzip.compress(message["body"], LEVEL, mtime=0)  # mtime 0: the same answer is the same bytes
    headers = MutableHeaders(raw=start["headers"])
    headers["content-encoding"] = "gzip"
    headers["content-length"] = str(len(body))
    headers.add_vary_header("accept-encoding")
    return {**message, "body": body}
