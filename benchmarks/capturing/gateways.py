"""The gateways that are measured: each alone, and with each way of copying that is offered."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.capturing.load import ANSWER
from tests.support.processes import Process, envoy_binary, forwarder, start_envoy
from tests.support.waiting import free_port, listening, until

PATH = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
NGINX, HAPROXY = shutil.which("nginx", path=PATH), shutil.which("haproxy", path=PATH)
NJS = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
Node = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """One way of copying; ``kind`` is what ``gateway --for`` takes.

    ``receiver``: the forwarder's section for it; ``<port>`` stands for a free one.
    """

    name: str
    kind: str
    receiver: str
    available: bool
    buffered: bool  # the copy is complete while nobody reads it
    start: Callable[[Path, str, int], Process]
    strip: Callable[[str], str]  # the same gateway alone


def tree(pid: int) -> list[int]:
    """Return a process and its children (proc(5), stat, field 4)."""
    found = [pid]
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended just now
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children (fields 14 and 15)."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Resident memory of a process and its children, MiB (statm)."""
    pages = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def hurry(pid: int) -> None:
    """Schedule all threads of a process before all ordinary ones (SCHED_FIFO); needs CAP_SYS_NICE."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(10))


@contextmanager
def running(
    way: Way, folder: Path, config: Path, captured: bool, realtime: bool = False
) -> Iterator[tuple[int, Process]]:
    """Start an API and the gateway in front of it; yield the gateway's port and process."""
    port, behind = free_port(), free_port()
    command = forwarder("gateway", "--for", way.kind, "--config", str(config), "--listen", f"127.0.0.1:{port}")
    made = subprocess.run([*command, "--upstream", f"127.0.0.1:{behind}"], check=True, capture_output=True, text=True)
    (folder / "api.yaml").write_text(json.dumps(api(behind)))
    text = made.stdout if captured else way.strip(made.stdout)
    with (
        start_envoy(folder / "api.yaml", behind, folder / "api.log") as behind_it,
        way.start(folder, text, port) as gateway,
    ):
        until(lambda: listening(port) or not gateway.running(), 20, f"{way.name} listens")
        assert gateway.running(), gateway.log.read_text()
        if realtime:
            for pid in (behind_it.pid, *tree(gateway.pid)):
                hurry(pid)
        yield port, gateway


def api(port: int) -> Node:
    """An Envoy that answers every request itself."""
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    header = {"header": {"key": "content-type", "value": "application/json"}}
    route = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": ANSWER}},
        "response_headers_to_add": [{**header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
    }
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
        "HttpConnectionManager",
        "stat_prefix": "api",
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"static_resources": {"listeners": [{"address": address, "filter_chains": [{"filters": filters}]}]}}


def _envoy(folder: Path, text: str, port: int) -> Process:
    (folder / "gateway.yaml").write_text(text)
    return start_envoy(folder / "gateway.yaml", port, folder / "gateway.log")


def _envoy_alone(text: str) -> str:
    built = yaml.safe_load(text)
    manager = built["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http_filters"] = manager["http_filters"][-1:]
    manager.pop("access_log", None)
    return json.dumps(built)


def _nginx(folder: Path, text: str, port: int) -> Process:
    del port
    assert NGINX is not None
    here = f"daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nuser root;\nworker_processes 1;\n"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    bodies = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    text = text.replace("modules/ngx_http_js_module.so", str(NJS)).replace("http {", "http {\n" + bodies)
    (folder / "nginx.conf").write_text(here + text)
    command = [NGINX, "-p", str(folder), "-e", str(folder / "early.log"), "-c", str(folder / "nginx.conf")]
    return Process(command, folder / "gateway.log")


def _nginx_alone(text: str) -> str:
    lines = [line for line in text.splitlines() if "apisec" not in line and not line.strip().startswith("js_")]
    return "\n".join(lines).replace("http {", "http { access_log off;")


def _haproxy(folder: Path, text: str, port: int) -> Process:
    del port
    assert HAPROXY is not None
    (folder / "haproxy.cfg").write_text(text.replace("global\n", "global\n    nbthread 1\n", 1))
    return Process([HAPROXY, "-f", str(folder / "haproxy.cfg")], folder / "gateway.log")


def _haproxy_alone(text: str) -> str:
    kept, inside = [], False
    for line in text.splitlines():
        inside = (inside or "# --- apisec" in line) and "# --- end" not in line
        if not inside:
            kept.append(line)
    return "\n".join(kept) + "\n"


ENVOY = envoy_binary() is not None
WAYS = (
    Way(
        "envoy: log",
        "envoy",
        "envoy: {log: copy/access.json, admin_socket: admin.sock}",
        ENVOY,
        True,
        _envoy,
        _envoy_alone,
    ),
    Way(
        "envoy: ext_proc",
        "envoy-ext-proc",
        "ext_proc: {socket: copy/ext.sock, admin_socket: admin.sock}",
        ENVOY,
        False,
        _envoy,
        _envoy_alone,
    ),
    Way(
        "nginx: njs",
        "nginx",
        "nginx: {log: copy/nginx.json, pid_file: nginx.pid}",
        NGINX is not None and NJS.exists(),
        True,
        _nginx,
        _nginx_alone,
    ),
    Way(
        "haproxy: ring",
        "haproxy",
        "haproxy: {listen: '127.0.0.1:<port>'}",
        HAPROXY is not None,
        True,
        _haproxy,
        _haproxy_alone,
    ),
)
