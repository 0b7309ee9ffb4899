"""Commands that reach outside: collect, sendalert.

Source: Search Reference, the page of each.
"""

from __future__ import annotations

from dataclasses import dataclass

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, boolean, checked, choice
from apisec_sandbox.spl.context import Context, Stage
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.parser import Segment

COLLECT_OPTIONS = (
    *("index", "addinfo", "addtime", "file", "host", "marker", "output_format", "run_in_preview", "spool"),
    *("source", "sourcetype", "testmode", "timeformat", "uselb"),
)


@dataclass
class Collect(Command):
    """Writes the rows into an index, and passes them on. ``testmode`` only passes them on."""

    index: str
    settings: dict[str, str]
    test: bool

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = list(checked(stage.rows, context))
        if not self.test:
            context.services.collect([dict(row) for row in rows], self.index, self.settings, context)
        return Stage(rows, stage.header, stage.events)


def parse_collect(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(COLLECT_OPTIONS)
    if "index" not in options and not args.done():
        options["index"] = args.field_name("an index")
    options |= args.take(COLLECT_OPTIONS)
    args.close()
    if "index" not in options:
        raise args.fail("index=<name> is needed")
    flags = {
        name: boolean(args, name, options.get(name, default))
        for name, default in (("addtime", "t"), ("addinfo", "t"), ("run_in_preview", "f"), ("uselb", "t"))
    }
    if not boolean(args, "spool", options.pop("spool", "t")):
        raise args.fail("spool=false (a file that is not indexed) is an option that this stand-in does not run")
    test = boolean(args, "testmode", options.pop("testmode", "f"))
    layout = choice(args, "output_format", options.get("output_format", "raw"), ("raw", "hec"))
    refused = [name for name in ("addtime", "addinfo", "marker") if name in options]
    if layout == "hec" and (refused or test):
        raise args.fail(f"{', '.join(refused) or 'testmode'} cannot be used with output_format=hec")
    options |= {name: "t" if flag else "f" for name, flag in flags.items()}
    return Collect(options.pop("index"), options, test)


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
