"""``apisec-sandbox demo``: the closed loop, live."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from apisec_sandbox.demo.loop import Loop
from apisec_sandbox.demo.processes import DemoError
from apisec_sandbox.demo.timeline import Timeline
from apisec_sandbox.demo.world import World

HELP = "run the whole loop live: traffic, inventory, scores, a risk event, a block, its lifting"

EXAMPLE = """
Everything runs on loopback addresses of this machine: a real Envoy, the forwarder, the built app inside a stand-in
for Splunk, a sample shop, ordinary users and four attackers. Needs the app: ./build.sh package.

example:
  apisec-sandbox demo --once --json out.json     exit code 0 only when every stage was observed
  apisec-sandbox demo --keep                     leave it running and print the addresses
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLE
    parser.add_argument("--once", action="store_true", help="stop after the last stage (the default without --keep)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was observed: figures and times")
    parser.add_argument("--keep", action="store_true", help="leave it running after the last stage until Ctrl-C")
    parser.add_argument("--app", type=Path, metavar="TAR.GZ", help="the built app (default: the newest in dist/)")
    parser.add_argument("--users", type=int, default=50, help="ordinary users, staff and machines (default: 50)")
    parser.add_argument("--rate", type=float, default=60.0, help="requests per second of all together (default: 60)")
    parser.add_argument(
        "--style",
        choices=("train", "heldout"),
        default="train",
        help="formats of values and ways of attack (default: train)",
    )
    parser.add_argument("--seed", type=int, default=7, help="selects people, values and habits (default: 7)")


def run(args: argparse.Namespace) -> int:
    if args.once and args.keep:
        print("apisec-sandbox demo: --once and --keep exclude each other", file=sys.stderr)
        return 2
    app = args.app or newest(Path("dist"))
    if app is None or not app.is_file():
        print("apisec-sandbox demo: no built app; run ./build.sh package or name one with --app", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    timeline = Timeline(Console(highlight=False))
    world = World.make(app, args.seed)
    loop = Loop(world, timeline, args.users, args.rate, args.style)
    try:
        error = play(loop, args)
    except BaseException:
        world.remove()
        raise
    if error is None:
        world.remove()
        timeline.say(f"[green]every stage was seen[/] [dim]in {timeline.elapsed:.0f} s[/]")
        return 0
    world.remove_traffic()
    timeline.say(f"[red]not seen:[/] {escape(str(error))}")
    timeline.say(f"logs and files are kept in {world.home}")
    return 1


def play(loop: Loop, args: argparse.Namespace) -> DemoError | None:
    """Run all stages and write the record; return what was not seen. All processes have ended on return."""
    error: DemoError | None = None
    with loop.world.children:
        try:
            loop.run()
        except DemoError as failed:
            error = failed
        if args.json:
            loop.timeline.write(args.json, {"passed": error is None, "seed": args.seed, **loop.summary()})
        if error is None and args.keep:
            linger(loop)
    return error


def newest(folder: Path) -> Path | None:
    built = sorted(folder.glob("apisec-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    return built[-1] if built else None


def linger(loop: Loop) -> None:
    """Print where everything is, and wait for Ctrl-C."""
    for name, where in loop.addresses().items():
        loop.timeline.say(f"  {name:22} {escape(where)}")
    loop.timeline.say("Ctrl-C ends it and removes its files.")
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
