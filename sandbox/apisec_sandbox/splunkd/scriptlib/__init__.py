"""On the path of apps' scripts only: the ``splunk`` package that Splunk's own Python brings, in a small form."""
