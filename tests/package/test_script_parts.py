"""What the scripts say to splunkd, in a form that a test can hold without one."""

from __future__ import annotations

import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from apisec_app.blocking import script
from apisec_app.connection import SearchError, quoted, search
from apisec_app.logs import apply_level
from splunklib.binding import HTTPError

from apisec.errors import ConfigError


class Service:
    """Answers every call with the same content, or error, and remembers what was asked."""

    def __init__(self, content: bytes = b"", error: Exception | None = None) -> None:
        self.content, self.error = content, error
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.jobs = SimpleNamespace(export=self._export)

    def _answer(self, path: str, arguments: dict[str, Any]) -> Any:
        self.asked.append((path, arguments))
        if self.error:
            raise self.error
        return SimpleNamespace(body=io.BytesIO(self.content))

    def get(self, path: str, **arguments: Any) -> Any:
        return self._answer(path, arguments)

    post = get

    def _export(self, spl: str, **arguments: Any) -> Any:
        return self._answer(spl, arguments).body


def refused(status: int) -> HTTPError:
    response = SimpleNamespace(status=status, reason="no", headers=[], body=io.BytesIO(b""))
    return HTTPError(response)


RECORD = {"_key": "k", "pattern": "p", "mode": "shadow", "pushed": 1.5, "document": {"big": 1}, "state": "pushed"}


def test_the_audit_event_is_a_decision_without_the_document() -> None:
    service = Service()
    script.audit(service, RECORD, logging.getLogger("x"))
    [(path, arguments)] = service.asked
    assert path == "/services/receivers/simple"
    assert (arguments["index"], arguments["sourcetype"]) == ("apisec", "apisec:decision")
    event = json.loads(arguments["body"])
    assert event == {"pattern": "p", "mode": "shadow", "pushed": 1.5, "state": "pushed", "time": 1.5,
                     "decision": "pattern"}  # fmt: skip


def test_a_failed_audit_is_logged_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    script.audit(Service(error=refused(403)), RECORD, logging.getLogger("apisec_test"))
    assert "audit event not written" in caplog.text


@pytest.mark.parametrize(
    ("capabilities", "may"), [(["search", "apisec_block"], True), (["search"], False), (None, False)]
)
def test_who_may_block(capabilities: list[str] | None, may: bool) -> None:
    content = {"entry": [{"content": {"capabilities": capabilities}}]}
    assert script.may_block(Service(json.dumps(content).encode())) is may


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"server_uri": "x"}', "null", "{" * 10_000])
def test_a_payload_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not the payload of an alert action"):
        script.Payload.parse(text)


@pytest.mark.parametrize("value", ['a" OR index=*', "a\\", 'a\\" | delete', "~principal~a1~"])
def test_a_value_cannot_leave_its_quotes(value: str) -> None:
    text = quoted(value)
    inner = text[1:-1].replace("\\\\", "").replace('\\"', "")
    assert text[0] == text[-1] == '"'
    assert '"' not in inner
    assert "\\" not in inner


def rows(content: bytes) -> list[dict[str, Any]]:
    return list(search(Service(content), "search x", earliest="-1h", latest="now"))


def test_results_stream_without_previews() -> None:
    lines = [
        {"preview": True, "offset": 0, "result": {"a": "0"}},
        {"preview": False, "offset": 0, "result": {"a": "1"}},
        {"messages": [{"type": "INFO", "text": "fine"}]},
        {"preview": False, "offset": 1, "lastrow": True, "result": {"a": "2"}},
    ]
    assert rows(b"\n".join(json.dumps(line).encode() for line in lines) + b"\n\n") == [{"a": "1"}, {"a": "2"}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"messages":[{"type":"FATAL","text":"Unknown search command"}]}\n', "Unknown search command"),
        (b"<html>\n", "not JSON"),
    ],
)
def test_a_failed_search_is_an_error(content: bytes, said: str) -> None:
    with pytest.raises(SearchError, match=said):
        rows(content)


def test_the_window_of_index_times_is_asked_for() -> None:
    service = Service()
    list(search(service, "search x", earliest="-30d", latest="now", index_window=(10.0, 20.0)))
    [(_, arguments)] = service.asked
    assert (arguments["index_earliest"], arguments["index_latest"]) == ("10", "20")


@pytest.mark.parametrize(
    ("content", "level"),
    [(b'{"entry":[{"content":{"loglevel":"DEBUG"}}]}', 10), (b'{"entry":[{"content":{"loglevel":"LOUD"}}]}', 20),
     (b"{}", 20), (b"", 20)],
)  # fmt: skip
def test_the_level_of_the_page_is_used(content: bytes, level: int) -> None:
    logger = logging.getLogger(f"apisec_test_{level}_{len(content)}")
    logger.setLevel(logging.INFO)
    apply_level(Service(content), logger)
    assert logger.level == level
