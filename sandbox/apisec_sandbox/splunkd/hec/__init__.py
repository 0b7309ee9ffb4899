"""The HTTP Event Collector (HEC), one module for each thing it does.

codes       what is answered: the documented codes, and the pages for what HTTP itself refuses
tokens      who may send: ``[http]`` and ``[http://name]`` of inputs.conf
body        gzip within bounds
envelopes   the JSON protocol: bytes to envelopes, without knowledge of anything else
events      envelopes and raw text to events
acks        acknowledgement ids
cors        what browsers ask
load        the bounded queue, and the switch by which tests make HEC refuse
journal     what is written down of requests that failed
watch       configuration for a busy reader
collector   the endpoints

Sources: Getting Data In, "Format events for HTTP Event Collector", "About HTTP Event Collector Indexer
Acknowledgment", "Troubleshoot HTTP Event Collector"; REST API Reference, "Input endpoint descriptions";
inputs.conf.spec [http]; limits.conf.spec [http_input].
"""

from apisec_sandbox.splunkd.hec.codes import TEXTS, HecError
from apisec_sandbox.splunkd.hec.collector import Collector
from apisec_sandbox.splunkd.hec.tokens import MAX_CONTENT, Token

__all__ = ["MAX_CONTENT", "TEXTS", "Collector", "HecError", "Token"]
