"""Index time: raw text to events, as props.conf and transforms.conf of its source type say.

``Parser.raw`` breaks text into events, finds their times and applies the index-time transforms; it serves HEC's raw
endpoint, the receivers, uploads and modular inputs. ``Parser.cooked`` applies to an event whose borders and
time are known (HEC's event endpoint) what remains: indexed extractions, SEDCMD and TRANSFORMS.

rules       which settings hold for a host, source and source type
lines       LINE_BREAKER, TRUNCATE, and the merging of lines
timestamps  where in an event its time stands, and what it means
strptime    TIME_FORMAT
transforms  SEDCMD, TRANSFORMS

Sources: Getting Data In, "Configure event line breaking", "Configure timestamp recognition", "How timestamp
assignment works"; Forwarding Data, "Route and filter data"; props.conf.spec; transforms.conf.spec.
"""

from apisec_sandbox.splunkd.parsing.parser import Meta, Parser, ParsingError

__all__ = ["Meta", "Parser", "ParsingError"]
