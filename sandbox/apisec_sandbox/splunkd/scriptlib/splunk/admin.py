"""splunk.admin: handlers of configuration pages (restmap.conf, admin_external), as splunktaucclib writes them.

Source: dev.splunk.com, "Setup pages"/"EAI handlers"; the use that splunktaucclib makes of it.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any
from urllib.parse import quote

from . import RESTException, rest, setDefault
from .persistconn.packet import PersistentServerConnectionRequestPacket, write_reply

ACTION_CREATE, ACTION_LIST, ACTION_EDIT, ACTION_REMOVE, ACTION_MEMBERS, ACTION_RELOAD, ACTION_CUSTOM = (
    1,
    2,
    4,
    8,
    16,
    32,
    64,
)
CONTEXT_NONE, CONTEXT_APP_ONLY, CONTEXT_APP_AND_USER = 1, 2, 4
EAI_ENTRY_ACL, EAI_META_PREFIX, EAI_META_ACL, EAI_META_ATTRIBUTES = "eai:acl", "eai:", "eai:acl", "eai:attributes"
EAI_USER_NAME, EAI_APP_NAME = "eai:userName", "eai:appName"
ACTIONS = {
    "create": (ACTION_CREATE, "handleCreate"),
    "list": (ACTION_LIST, "handleList"),
    "edit": (ACTION_EDIT, "handleEdit"),
    "remove": (ACTION_REMOVE, "handleRemove"),
    "_reload": (ACTION_RELOAD, "handleReload"),
    "custom": (ACTION_CUSTOM, "handleCustom"),
}


class AdminManagerException(Exception):
    status = 500


class ArgValidationException(AdminManagerException):
    status = 400


class BadActionException(AdminManagerException):
    status = 405


class BadProgramStateException(AdminManagerException):
    status = 500


class HandlerSetupException(AdminManagerException):
    status = 500


class InternalException(AdminManagerException):
    status = 500


class NotFoundException(AdminManagerException):
    status = 404


class AlreadyExistsException(AdminManagerException):
    status = 409


class ServiceUnavailableException(AdminManagerException):
    status = 503


class ConfigItem(dict):  # type: ignore[type-arg]
    """One entry: its content, and metadata under ``eai:`` names."""

    def __init__(self) -> None:
        super().__init__()
        self.metadata: dict[str, Any] = {}
        self.actions = ACTION_LIST | ACTION_EDIT | ACTION_REMOVE

    def append(self, key: str, value: Any) -> None:
        self.setdefault(key, []).append(value)

    def setMetadata(self, key: str, value: Any) -> None:
        if not key.startswith(EAI_META_PREFIX):
            raise BadProgramStateException(f"Metadata names start with {EAI_META_PREFIX}: {key}")
        self.metadata[key] = value


class ConfigInfo(dict):  # type: ignore[type-arg]
    """Entries by name; asking for one makes it."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[tuple[str, str]] = []

    def __missing__(self, name: str) -> ConfigItem:
        self[name] = item = ConfigItem()
        return item

    def addInfoMsg(self, text: str) -> None:
        self.messages.append(("INFO", text))

    def addWarnMsg(self, text: str) -> None:
        self.messages.append(("WARN", text))

    def addErrorMsg(self, text: str) -> None:
        self.messages.append(("ERROR", text))


class CallerArgs:
    def __init__(self, name: Any, data: Any) -> None:
        self.id = name
        self.data = data

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self.data.get(key, default)


class SupportedArgs:
    def __init__(self) -> None:
        self.required: list[str] = []
        self.optional: list[str] = []

    def addReqArg(self, name: str) -> None:
        self.required.append(name)

    def addOptArg(self, name: str) -> None:
        self.optional.append(name)

    def check(self, given: Any) -> None:
        """Refuse what is missing or unknown; ``*`` and ``prefix.*`` among the optional ones allow names."""
        missing = [name for name in self.required if not given.get(name)]
        if missing:
            raise ArgValidationException(f"The following required arguments are missing: {', '.join(missing)}.")
        known = {*self.required, *self.optional}
        open_ends = tuple(name[:-1] for name in known if name.endswith("*"))
        for name in given:
            if name not in known and not (open_ends and name.startswith(open_ends)):
                raise ArgValidationException(f'Argument "{name}" is not supported by this handler.')


class MConfigHandler:
    """The base of an app's handler; one is made for each request."""

    def __init__(self, scriptMode: Any = None, ctxInfo: Any = None, request: Any = None) -> None:
        request = request or scriptMode or {}
        action = request.get("action", "list")
        self.requestedAction = ACTIONS.get(action, ACTIONS["custom"])[0]
        self.customAction = request.get("customAction", "")
        self.callerArgs = CallerArgs(request.get("id"), request.get("args", {}))
        self.supportedArgs = SupportedArgs()
        self.context = ctxInfo
        self.userName = request.get("user", "nobody")
        self.appName = request.get("app", "search")
        self.shouldAutoList = False
        self.maxCount, self.posOffset = int(request.get("count", 30)), int(request.get("offset", 0))
        self._sessionKey = request.get("sessionKey", "")

    def getSessionKey(self) -> str:
        return str(self._sessionKey)

    def setup(self) -> None:
        """Name the arguments of the action in supportedArgs."""

    def handleList(self, confInfo: ConfigInfo) -> None:
        raise BadActionException("This handler does not list.")

    def handleCreate(self, confInfo: ConfigInfo) -> None:
        raise BadActionException("This handler does not create.")

    def handleEdit(self, confInfo: ConfigInfo) -> None:
        raise BadActionException("This handler does not edit.")

    def handleRemove(self, confInfo: ConfigInfo) -> None:
        raise BadActionException("This handler does not remove.")

    def handleReload(self, confInfo: ConfigInfo) -> None:
        """Nothing is kept in memory."""

    def handleCustom(self, confInfo: ConfigInfo) -> None:
        raise BadActionException(f"This handler has no action {self.customAction!r}.")

    def readConf(self, confName: str) -> dict[str, dict[str, str]]:
        """Read a conf in the context of the request."""
        _, content = rest.simpleRequest(
            self._conf(confName), self.getSessionKey(), getargs={"output_mode": "json", "count": 0}, raiseAllErrors=True
        )
        return {
            entry["name"]: {key: str(value) for key, value in entry["content"].items() if not key.startswith("eai:")}
            for entry in json.loads(content)["entry"]
        }

    readConfCtx = readConf

    def writeConf(self, confName: str, stanzaName: str, settingsDict: dict[str, Any]) -> None:
        """Change a stanza, making it when needed."""
        path, key = self._conf(confName), self.getSessionKey()
        reply, _ = rest.simpleRequest(f"{path}/{quote(stanzaName, safe='')}", key, postargs=settingsDict)
        if reply.status == 404:
            rest.simpleRequest(path, key, postargs={"name": stanzaName, **settingsDict}, raiseAllErrors=True)
        elif reply.status >= 400:
            raise InternalException(f"splunkd refused the settings of {stanzaName}: {reply.status}")

    def _conf(self, name: str) -> str:
        return f"/servicesNS/nobody/{self.appName}/configs/conf-{name}"


def init(handler: Any, ctxInfo: int = CONTEXT_NONE) -> None:
    """Answer requests until splunkd closes the stream."""
    requests = sys.stdin.buffer
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    while True:
        packet = PersistentServerConnectionRequestPacket()
        if not packet.read(requests):
            return
        write_reply(replies, json.dumps(_answer(handler, ctxInfo, json.loads(packet.block)), default=str).encode())


def _answer(kind: Any, context: int, request: dict[str, Any]) -> dict[str, Any]:
    setDefault("sessionKey", request.get("sessionKey"))
    try:
        info = _run(kind, context, request)
    except AdminManagerException as error:
        return {"status": error.status, "text": str(error)}
    except RESTException as error:
        return {"status": error.statusCode, "text": error.get_message_text()}
    except Exception as error:  # noqa: BLE001 - whatever an app raises becomes a message, as in splunkd
        traceback.print_exc()
        place = "See splunkd.log/python.log for more details."
        text = f'Unexpected error "{type(error)}" from python handler: "{error}". {place}'
        return {"status": 500, "text": text}
    items = [{"name": name, "content": dict(item), "metadata": item.metadata} for name, item in info.items()]
    return {"status": 200, "items": items, "messages": info.messages}


def _run(kind: Any, context: int, request: dict[str, Any]) -> ConfigInfo:
    handler = kind(request, context)
    handler.setup()
    if request["action"] in ("create", "edit", "list"):
        handler.supportedArgs.check(handler.callerArgs.data)
    info = ConfigInfo()
    getattr(handler, ACTIONS[request["action"]][1])(info)
    return info
