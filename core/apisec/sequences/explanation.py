"""Order in words: the expected step beside the taken one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apisec.sequences.transitions import START, Context, Transitions

if TYPE_CHECKING:
    from apisec.sequences.following import Moment
    from apisec.sequences.precedence import Rule

LEAST_SHARE = 0.3  # below that nothing is "the" expected step


def broken_sentence(rule: Rule, moment: Moment, times: int) -> str:
    """Say which step was left out, and how sure it is that it belongs there."""
    last = moment.context[-1]
    after = "as the first step seen" if last == START else f"after {last}"
    same = " for the same object" if rule.pair.linked else ""
    often = f", {times} times in seven days" if times > 1 else ""
    return (
        f"did {rule.operation} {after} without {rule.requires}{same}{often}; on {rule.days - rule.broken} of "
        f"{rule.days} days of principals that step came first (at most {percent(rule.bound)} break this order)"
    )


def expected_sentence(transitions: Transitions, context: Context, taken: str) -> str:
    """Say what usually follows a context beside what was taken; empty where nothing does."""
    expected, share = transitions.likeliest(context)
    if not expected or expected == taken or share < LEAST_SHARE:
        return ""
    last = "the start of a session" if context[-1] == START else context[-1]
    return f"after {last} {percent(share)} do {expected}; this went to {taken}"


def percent(share: float) -> str:
    """Return a share as people write it: 97 %, 0.8 %, 0.02 %."""
    value = 100.0 * share
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"
