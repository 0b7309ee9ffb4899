"""Commands that reach outside: collect, sendalert.

Source: Search Reference, the page of each.
"""

from __future__ import annotations

from dataclasses import dataclass

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, checked
from apisec_sandbox.spl.commands.lookups import LookupMatcher, Pairs
from apisec_sandbox.spl.context import Context, Stage
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.parser import Segment

__all__ = ["COMMANDS", "LookupMatcher", "Pairs"]

COLLECT_OPTIONS = (
    *("index", "addtime", "file", "host", "marker", "output_format", "run_in_preview", "spool"),
    *("source", "sourcetype", "testmode"),
)


@dataclass
class Collect(Command):
    index: str
    settings: dict[str, str]

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = list(checked(stage.rows, context))
        if self.settings.get("testmode", "f").lower() not in ("t", "true", "1"):
            context.services.collect([dict(row) for row in rows], self.index, self.settings, context)
        return Stage(rows, stage.header, stage.events)


def parse_collect(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.options(*COLLECT_OPTIONS)
    args.refuse_option(COLLECT_OPTIONS)
    if "index" not in options and not args.done():
        options["index"] = args.field_name("an index")
    options |= args.options(*COLLECT_OPTIONS)
    args.close()
    if "index" not in options:
        raise args.fail("index=<name> is needed")
    for name in ("file", "spool"):
        if name in options:
            raise args.fail(f"the option {name} is not supported")
    return Collect(options.pop("index"), options)


@dataclass
class SendAlert(Command):
    action: str
    params: dict[str, str]

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = list(checked(stage.rows, context))
        context.services.sendalert(self.action, self.params, rows, context)
        return Stage(rows, stage.header, stage.events)


def parse_sendalert(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    action = args.field_name("an alert action's name")
    params: dict[str, str] = {}
    while not args.done():
        token: Token = args.next()
        if not args.accept_op("="):
            raise args.fail(f"expected param.name=value, found {token.value!r}", token)
        if not (token.value.startswith("param.") or token.value in ("results_link", "results_path")):
            raise args.fail(f"unknown option {token.value!r}; known: param.<name>, results_link, results_path", token)
        params[token.value] = args.next("a value").value
    return SendAlert(action, params)


COMMANDS: dict[str, Parse] = {
    "collect": parse_collect,
    "sendalert": parse_sendalert,
}
OPTIONS = {"collect": COLLECT_OPTIONS}
