"""splunk.persistconn.appserver: the process around an app's handler.

The handler's prints go to stderr, so that nothing but replies is on stdout. A handler that raises is answered with
500 and its traceback on stderr; the process goes on.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any

from .packet import PersistentServerConnectionRequestPacket, write_reply


def main() -> None:
    requests = sys.stdin.buffer
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    application: Any = None
    while True:
        packet = PersistentServerConnectionRequestPacket()
        if not packet.read(requests):
            break
        try:
            if application is None:
                application = _application(packet)
            answer = application.handle(packet.block)
        except BaseException as error:  # noqa: BLE001 - an app's SystemExit must not end the process either
            traceback.print_exc()
            application = application if not isinstance(error, SystemExit) else None
            place = "See splunkd.log for more details."
            text = f'Unexpected error "{type(error)}" from python handler: "{error}". {place}'
            answer = {"status": 500, "payload": {"messages": [{"type": "ERROR", "text": text}]}}
        write_reply(replies, _encoded(answer))
    if application is not None:
        application.done()


def _application(packet: PersistentServerConnectionRequestPacket) -> Any:
    """Import ``module.Class`` and make one of it, as the first packet says."""
    module, _, name = str(packet.command_arg).rpartition(".")
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - the app's bin folder
    kind = getattr(importlib.import_module(module), name)
    return kind(" ".join(packet.command), packet.command_arg)


def _encoded(answer: Any) -> bytes:
    if isinstance(answer, bytes):
        return answer
    if isinstance(answer, str):
        return answer.encode()
    try:
        return json.dumps(answer).encode()
    except (TypeError, ValueError) as error:
        traceback.print_exc()
        text = f"The handler's reply is no JSON: {error}"
        return json.dumps({"status": 500, "payload": {"messages": [{"type": "ERROR", "text": text}]}}).encode()


if __name__ == "__main__":
    main()
