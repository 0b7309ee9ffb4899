"""What HEC answers.

Codes, statuses and texts: Getting Data In, "Troubleshoot HTTP Event Collector", "Possible error codes". What HTTP
itself refuses (413, 415) is a page of HTML, and an unknown path or method a JSON body with the HTTP status as its
code: measured by others on Splunk Enterprise 9 and 10.
"""

from __future__ import annotations

import json
from html import escape

from apisec_sandbox.splunkd.web import Reply

JSON_TYPE = "application/json; charset=UTF-8"
HTML_TYPE = "text/html; charset=UTF-8"
# Every reply of HEC carries these, as measured by others.
HEADERS = {"x-content-type-options": "nosniff", "x-frame-options": "SAMEORIGIN", "vary": "Authorization"}

SUCCESS, TOKEN_DISABLED, TOKEN_REQUIRED, INVALID_AUTHORIZATION, INVALID_TOKEN = 0, 1, 2, 3, 4
NO_DATA, INVALID_FORMAT, INCORRECT_INDEX, INTERNAL_ERROR, BUSY = 5, 6, 7, 8, 9
CHANNEL_MISSING, CHANNEL_INVALID, EVENT_REQUIRED, EVENT_BLANK, ACK_DISABLED = 10, 11, 12, 13, 14
INDEXED_FIELDS, QUERY_AUTH_DISABLED, HEALTHY, QUEUES_FULL, ACK_UNAVAILABLE = 15, 16, 17, 18, 19
QUEUES_FULL_ACK_UNAVAILABLE, HEALTH_INVALID_TOKEN, HEALTH_TOKEN_DISABLED, SHUTTING_DOWN = 20, 21, 22, 23
QUEUE_NEAR, ACK_NEAR, QUEUE_FULL, ACK_FULL = 24, 25, 26, 27

TEXTS: dict[int, tuple[int, str]] = {
    SUCCESS: (200, "Success"),
    TOKEN_DISABLED: (403, "Token disabled"),
    TOKEN_REQUIRED: (401, "Token is required"),
    INVALID_AUTHORIZATION: (401, "Invalid authorization"),
    INVALID_TOKEN: (403, "Invalid token"),
    NO_DATA: (400, "No data"),
    INVALID_FORMAT: (400, "Invalid data format"),
    INCORRECT_INDEX: (400, "Incorrect index"),
    INTERNAL_ERROR: (500, "Internal server error"),
    BUSY: (503, "Server is busy"),
    CHANNEL_MISSING: (400, "Data channel is missing"),
    CHANNEL_INVALID: (400, "Invalid data channel"),
    EVENT_REQUIRED: (400, "Event field is required"),
    EVENT_BLANK: (400, "Event field cannot be blank"),
    ACK_DISABLED: (400, "ACK is disabled"),
    INDEXED_FIELDS: (400, "Error in handling indexed fields"),
    QUERY_AUTH_DISABLED: (400, "Query string authorization is not enabled"),
    HEALTHY: (200, "HEC is healthy"),
    QUEUES_FULL: (503, "HEC is unhealthy, queues are full"),
    ACK_UNAVAILABLE: (503, "HEC is unhealthy, ack service unavailable"),
    QUEUES_FULL_ACK_UNAVAILABLE: (503, "HEC is unhealthy, queues are full, ack service unavailable"),
    HEALTH_INVALID_TOKEN: (400, "Invalid token"),
    HEALTH_TOKEN_DISABLED: (400, "Token disabled"),
    SHUTTING_DOWN: (503, "Server is shutting down"),
    QUEUE_NEAR: (200, "HEC queue is approaching its capacity limit"),
    ACK_NEAR: (200, "HEC ACK is approaching its capacity limit"),
    QUEUE_FULL: (429, "HEC queue is at capacity and cannot process any more requests"),
    ACK_FULL: (429, "HEC ACK channel is at capacity and cannot process any more requests"),
}
EVENT_NUMBER = "invalid-event-number"


class HecError(Exception):
    """One of the documented codes; ``extra`` joins the body, ``because`` only the log."""

    def __init__(self, code: int, because: str = "", **extra: object) -> None:
        super().__init__(TEXTS[code][1])
        self.code = code
        self.because = because
        self.extra = extra


class HttpRefusal(Exception):  # noqa: N818 - an answer rather than an error: the page is ready
    """HTTP's own refusal, before HEC's protocol begins."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def document(value: object, status: int = 200) -> Reply:
    """JSON as splunkd writes it here: without white space."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Reply(status, text.encode("utf-8", "replace"), JSON_TYPE, dict(HEADERS))


def answer(code: int, **extra: object) -> Reply:
    status, text = TEXTS[code]
    return document({"text": text, "code": code, **extra}, status)


def not_found() -> Reply:
    return document({"text": "The requested URL was not found on this server.", "code": 404}, 404)


def wrong_method() -> Reply:
    return document({"text": "Method Not Allowed", "code": 405}, 405)


def page(status: int, title: str, text: str) -> Reply:
    """The generic page of splunkd's HTTP server."""
    body = (
        '<!doctype html><html><head><meta http-equiv="content-type" content="text/html; charset=UTF-8">'
        f"<title>{status} {escape(title)}</title></head><body><h1>{escape(title)}</h1><p>{escape(text)}</p>"
        "</body></html>\r\n"
    )
    return Reply(status, body.encode(), HTML_TYPE, dict(HEADERS))


def too_large(size: str, limit: int) -> Reply:
    return page(413, f"Content-Length of {size} too large (maximum is {limit})", "HTTP Request was too large.")


def unsupported_coding(coding: str) -> Reply:
    return page(415, "Unsupported Media Type", f"Content-Encoding {coding} is not supported; use gzip or none.")
