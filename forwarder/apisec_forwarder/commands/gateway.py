"""``apisec-forwarder gateway``: prints the configuration of the gateway, which copies traffic."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from apisec.errors import ConfigError
from apisec_forwarder import config as configuration
from apisec_forwarder.config.reader import Address, parse_address
from apisec_forwarder.enforcement import ecds
from apisec_forwarder.gateway import envoy, others

HELP = "print the gateway's configuration that copies traffic for the forwarder"

KINDS = ("envoy", "envoy-ext-proc", "nginx", "haproxy")

EPILOG = """example:
  apisec-forwarder gateway --config forwarder.yaml --listen 0.0.0.0:8443 --upstream 127.0.0.1:9000 \\
      --tls-certificate edge.pem --tls-key edge.key > envoy.yaml
  (umask 077; envoy -c envoy.yaml --file-flush-interval-msec 200)
  apisec-forwarder gateway --for nginx --config forwarder.yaml --listen 0.0.0.0:8080 --upstream 127.0.0.1:9000

With decisions configured, the folder for Envoy's rules is made, with an open rules file, unless it is there already.
The flush interval is how long a copy may wait inside Envoy (10 s when it is not given). The umask keeps the log,
which holds raw traffic, from other users' eyes.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--for", dest="kind", choices=KINDS, default="envoy", help="(envoy)")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the forwarder's configuration")
    parser.add_argument("--listen", type=_address, required=True, metavar="HOST:PORT", help="where the gateway listens")
    parser.add_argument("--upstream", type=_address, required=True, metavar="HOST:PORT", help="the API behind it")
    parser.add_argument("--tls-certificate", type=Path, metavar="FILE", help="certificate chain; turns TLS on")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="private key of the certificate")
    parser.add_argument("--client-ca", type=Path, metavar="FILE", help="verify client certificates against this CA")
    parser.add_argument(
        "--trusted-hops", type=int, default=0, metavar="N", help="proxies in front whose X-Forwarded-For is believed"
    )


def run(args: argparse.Namespace) -> int:
    if (args.tls_certificate is None) != (args.tls_key is None):
        raise ConfigError("--tls-certificate and --tls-key belong together; give both or neither")
    if args.client_ca is not None and args.tls_certificate is None:
        raise ConfigError("--client-ca needs --tls-certificate and --tls-key")
    if not args.kind.startswith("envoy"):
        return _other(args)
    if not 0 <= args.trusted_hops <= 16:
        raise ConfigError("--trusted-hops must be 0 to 16")
    tls = None
    if args.tls_certificate is not None:
        client_ca = args.client_ca.absolute() if args.client_ca else None
        tls = envoy.Tls(args.tls_certificate.absolute(), args.tls_key.absolute(), client_ca)
    config = configuration.load(args.config)
    if config.decisions is not None:
        ecds.prepare(config.decisions.ecds_directory)  # Envoy refuses to start without the file
    streamed = args.kind == "envoy-ext-proc"
    built = envoy.build(config, args.listen, args.upstream, tls, args.trusted_hops, streamed=streamed)
    sys.stdout.write(envoy.render(built))
    return 0


def _other(args: argparse.Namespace) -> int:
    if args.tls_certificate is not None or args.trusted_hops:
        raise ConfigError(f"TLS and trusted hops stand in {args.kind}'s own configuration; leave the options out")
    config = configuration.load(args.config)
    receiver = config.receiver
    if args.kind == "nginx":
        sys.stdout.write(others.nginx(receiver.nginx, args.listen, args.upstream))
    else:
        sys.stdout.write(others.haproxy(receiver.haproxy, args.listen, args.upstream, config.workers.count))
    return 0


def _address(value: str) -> Address:
    try:
        return parse_address(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} is not host:port, such as 127.0.0.1:8080") from None
