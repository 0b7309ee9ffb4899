"""What changed in an API, told once: events of sourcetype ``apisec:change`` from what the inventory learns.

An operation's ``Watch`` is given what each window of time held, before it is merged into what was known. Whatever was
told, and the evidence that does not suffice yet, is its state; the same windows give the same changes with equal ids.

``schema``      kinds of changes and the members of an event; one change
``trials``      shares that are seen now against shares that were seen before
``watch``       one operation: which changes a window shows, and the state
``told``        what was told, when it may be told again
``fields``      sensitive fields, types, fields that are gone
``credentials`` requests that succeed without a credential, or with a weaker one
``points``      since which hour a series is higher than usual
``hours``       latency and failures by the hour, of two weeks
``speed``       regressions, and since when
``services``    one service: its time of learning, versions, callers, teams, and how much may be told in an hour
"""
