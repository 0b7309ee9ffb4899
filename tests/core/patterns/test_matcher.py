"""The matcher: modes, required steps, correlations, bounds, and replay."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.errors import PatternError
from apisec.model.pattern import Pattern
from apisec.patterns import fields
from apisec.patterns.document import parse
from apisec.patterns.history import HistoryLimits
from apisec.patterns.matcher import Limits, Matcher
from apisec.patterns.replay import check_evidence, replay
from apisec.patterns.spans import instant

EXPIRES = "2026-12-01T00:00:00Z"
END = instant(EXPIRES, "")
NOW = END - 7 * 86400
ORDER = "GET /orders/{order_id}"
PAY, CONFIRM = "POST /checkout/{checkout_id}/payment", "POST /checkout/{checkout_id}/confirm"
_ids = iter(range(10**9))


def make(detection: dict[str, Any], mode: str = "enforce", **rest: Any) -> Pattern:
    correlation = rest.pop("correlation", None)
    document = {
        "title": "x",
        "id": rest.pop("id", "929a690e-bef0-4204-a928-ef5e620d6fcc"),
        "logsource": {"category": "api", "product": "apisec", "service": "shop"},
        "detection": detection,
        "apisec": {"mode": mode, "expires": EXPIRES, **rest},
    }
    if correlation is not None:
        document["correlation"] = correlation
    return parse(document)


def event(operation: str, who: str = "ann", time: float = NOW, **rest: Any) -> dict[str, Any]:
    base = {"id": f"e{next(_ids)}", "service": "shop", "operation": operation, "principal": who, "time": time}
    return {**base, "status": 200, "action": "allowed", "object_ids": [], **rest}


def ready(*patterns: Pattern, limits: Optional[Limits] = None) -> Matcher:
    matcher = Matcher(limits)
    matcher.history.start(NOW - 3600)
    for pattern in patterns:
        matcher.put(pattern)
    return matcher


def ask(matcher: Matcher, asked: dict[str, Any]) -> bool:
    return matcher.decide(fields.request_half(asked), asked["time"]).blocked


SELECT_ORDER = {"a": {"operation": ORDER}, "condition": "a"}
SKIP = {"confirm": {"operation": CONFIRM}, "payment": {"operation": PAY}, "condition": "confirm"}
REQUIRES = {"selection": "payment", "timespan": "30m"}


# --- modes ------------------------------------------------------------------------------------------------


@given(
    mode=st.sampled_from(["shadow", "canary", "enforce"]),
    who=st.text(min_size=1, max_size=20),
    operation=st.sampled_from([ORDER, "GET /cart"]),
    ahead=st.floats(-2 * 86400, 10 * 86400),
)
def test_shadow_never_blocks_and_enforce_always_does(mode: str, who: str, operation: str, ahead: float) -> None:
    now = NOW + ahead
    matcher = ready(make(SELECT_ORDER, mode))
    asked = event(operation, who, now)
    blocked = ask(matcher, asked)
    if mode == "shadow" or operation != ORDER or now >= END:
        assert not blocked
    elif mode == "enforce":
        assert blocked
    assert blocked == ask(matcher, event(operation, who, now)), "the same principal meets the same answer"


def test_a_canary_takes_its_share_of_principals() -> None:
    matcher = ready(make(SELECT_ORDER, "canary", canary_percent=20))
    blocked = sum(ask(matcher, event(ORDER, f"p{n}")) for n in range(2000))
    assert 320 <= blocked <= 480  # 400 ± 4.5 standard deviations of a fair 20 %
    other = ready(make(SELECT_ORDER, "canary", canary_percent=20, id="11111111-bef0-4204-a928-ef5e620d6fcc"))
    same = sum(ask(matcher, event(ORDER, f"p{n}")) and ask(other, event(ORDER, f"p{n}")) for n in range(2000))
    assert same < 160, "another pattern takes other principals"


def test_another_service_is_never_touched() -> None:
    assert not ask(ready(make(SELECT_ORDER)), event(ORDER, service="bank"))


def test_observing_counts_what_a_shadow_would_refuse() -> None:
    matcher = ready(make(SELECT_ORDER, "shadow"))
    (match,) = matcher.observe(event(ORDER), NOW)
    assert (match.mode, match.refuses, match.principal) == ("shadow", False, "ann")
    assert matcher.observe(event(ORDER), END) == ()


# --- required steps ---------------------------------------------------------------------------------------


def skipping(**changes: Any) -> Pattern:
    return make(SKIP, requires={**REQUIRES, **changes})


def test_who_skips_the_step_is_refused_and_who_did_it_is_not() -> None:
    matcher = ready(skipping())
    matcher.observe(event(PAY, "ann", NOW), NOW)
    assert not ask(matcher, event(CONFIRM, "ann", NOW + 5))
    assert ask(matcher, event(CONFIRM, "eve", NOW + 5))


def test_a_failed_step_does_not_count() -> None:
    matcher = ready(skipping())
    matcher.observe(event(PAY, "ann", NOW, status=402), NOW)
    assert ask(matcher, event(CONFIRM, "ann", NOW + 5))


def test_a_step_that_was_just_allowed_counts_until_its_copy_says_otherwise() -> None:
    matcher = ready(skipping())
    payment = event(PAY, "ann", NOW)
    assert not ask(matcher, payment)
    assert not ask(matcher, event(CONFIRM, "ann", NOW + 0.01)), "faster than the copy"
    matcher.observe({**payment, "status": 402}, NOW + 0.5)
    assert ask(matcher, event(CONFIRM, "ann", NOW + 1))


def test_a_copy_that_overtook_the_call_out_stays() -> None:
    matcher = ready(skipping())
    payment = event(PAY, "ann", NOW)
    matcher.observe(payment, NOW)
    ask(matcher, payment)
    assert not ask(matcher, event(CONFIRM, "ann", NOW + 1))


def test_a_refused_step_does_not_count() -> None:
    pay_blocked = make({"a": {"operation": PAY}, "condition": "a"}, id="11111111-bef0-4204-a928-ef5e620d6fcc")
    matcher = ready(skipping(), pay_blocked)
    payment = event(PAY, "ann", NOW)
    assert ask(matcher, payment)
    matcher.observe({**payment, "status": 403, "action": "blocked"}, NOW)
    assert ask(matcher, event(CONFIRM, "ann", NOW + 1))


def test_a_pattern_that_was_just_pushed_knows_what_happened_before() -> None:
    matcher = ready()
    matcher.observe(event(PAY, "ann", NOW), NOW)
    matcher.put(skipping())
    assert not ask(matcher, event(CONFIRM, "ann", NOW + 1))
    assert ask(matcher, event(CONFIRM, "eve", NOW + 1))


def test_nobody_is_refused_while_copies_from_before_the_push_are_on_their_way() -> None:
    matcher = ready()
    matcher.put(skipping(), NOW)
    assert not ask(matcher, event(CONFIRM, "ann", NOW + 0.1)), "ann paid just before the push: her copy comes next"
    matcher.observe(event(PAY, "ann", NOW - 0.1, response_time=20.0), NOW + 0.2)
    matcher.observe(event("GET /cart", "bob", NOW + 0.09, response_time=20.0), NOW + 0.3)
    assert not ask(matcher, event(CONFIRM, "ann", NOW + 0.4))
    assert ask(matcher, event(CONFIRM, "eve", NOW + 0.4)), "all copies up to the push have come"
    matcher.put(skipping(), NOW + 5)
    assert ask(matcher, event(CONFIRM, "eve", NOW + 5)), "the same rule again was being asked about already"


def test_the_step_grows_old() -> None:
    matcher = ready(skipping())
    matcher.observe(event(PAY, "ann", NOW), NOW)
    assert not ask(matcher, event(CONFIRM, "ann", NOW + 1800))
    assert ask(matcher, event(CONFIRM, "ann", NOW + 1801))


def test_the_step_of_another_object_does_not_count_when_linked() -> None:
    matcher = ready(skipping(**{"group-by": ["principal", "object_ids.checkout_id"]}))
    matcher.observe(event(PAY, "ann", NOW, object_ids=["checkout_id=1"]), NOW)
    assert not ask(matcher, event(CONFIRM, "ann", NOW + 1, object_ids=["checkout_id=1"]))
    assert ask(matcher, event(CONFIRM, "ann", NOW + 1, object_ids=["checkout_id=2"]))


def test_nobody_is_refused_before_enough_was_observed() -> None:
    matcher = Matcher()
    matcher.put(skipping())
    assert not ask(matcher, event(CONFIRM, "eve", NOW)), "nothing was observed at all"
    matcher.history.start(NOW)
    assert not ask(matcher, event(CONFIRM, "eve", NOW + 9.9))
    assert ask(matcher, event(CONFIRM, "eve", NOW + 10))


def test_nobody_is_refused_for_what_had_to_be_forgotten() -> None:
    matcher = ready(skipping(), limits=Limits(history=HistoryLimits(principals=2)))
    matcher.observe(event(PAY, "ann", NOW), NOW)
    for who in ("bob", "cat"):
        matcher.observe(event("GET /cart", who, NOW + 1), NOW + 1)
    assert not ask(matcher, event(CONFIRM, "ann", NOW + 2))
    assert ask(matcher, event(CONFIRM, "eve", NOW + 1801)), "long after, the forgotten step would be too old anyway"


def test_polling_does_not_push_a_step_out() -> None:
    matcher = ready(skipping())
    matcher.observe(event(PAY, "ann", NOW), NOW)
    for second in range(500):
        matcher.observe(event("GET /cart", "ann", NOW + second), NOW + second)
    assert not ask(matcher, event(CONFIRM, "ann", NOW + 501))


@given(st.lists(st.tuples(st.sampled_from(["ann", "bob"]), st.sampled_from(["pay", "fail", "confirm"])), max_size=25))
def test_against_a_model_of_required_steps(steps: list[tuple[str, str]]) -> None:
    """Each confirm is refused exactly when its principal has no successful payment before it."""
    matcher = ready(skipping())
    paid: set[str] = set()
    for index, (who, step) in enumerate(steps):
        now = NOW + index
        if step == "confirm":
            assert ask(matcher, event(CONFIRM, who, now)) is (who not in paid)
        else:
            done = event(PAY, who, now, status=200 if step == "pay" else 402)
            ask(matcher, done)
            matcher.observe(done, now)
            paid |= {who} if step == "pay" else set()


# --- correlations -----------------------------------------------------------------------------------------


def counting(kind: str = "event_count", rules: Optional[dict[str, Any]] = None, **changes: Any) -> Pattern:
    named = rules or {"r": {"operation": ORDER}}
    body: dict[str, Any] = {"type": kind, "rules": list(named), "group-by": ["principal"], "timespan": "1m"}
    body.update(changes)
    return make(named, correlation=body)


def test_event_count_refuses_from_the_bound_on() -> None:
    matcher = ready(counting(condition={"gte": 4}))
    answers = [ask(matcher, event(ORDER, "eve", NOW + n)) for n in range(6)]
    assert answers == [False, False, False, True, True, True]
    assert not ask(matcher, event(ORDER, "ann", NOW + 6))
    assert not ask(matcher, event(ORDER, "eve", NOW + 200)), "the window has passed"


def test_the_copy_of_a_counted_call_out_does_not_count_again() -> None:
    matcher = ready(counting(condition={"gt": 3}))
    for n in range(3):
        one = event(ORDER, "eve", NOW + n)
        assert not ask(matcher, one)
        matcher.observe(one, NOW + n + 0.5)
    assert ask(matcher, event(ORDER, "eve", NOW + 3))


def test_copies_that_come_late_all_at_once_are_not_a_burst() -> None:
    matcher = ready(counting(condition={"gte": 4}))
    for n in range(10):
        matcher.observe(event(ORDER, "ann", NOW + 100 * n), NOW + 2000)
    assert not ask(matcher, event(ORDER, "ann", NOW + 2000))


def test_value_count_counts_distinct_values() -> None:
    matcher = ready(counting("value_count", condition={"gte": 3, "field": "object_ids.order_id"}))
    same = [ask(matcher, event(ORDER, "ann", NOW + n, object_ids=["order_id=1"])) for n in range(9)]
    assert not any(same)
    walk = [ask(matcher, event(ORDER, "eve", NOW + n, object_ids=[f"order_id={n}"])) for n in range(4)]
    assert walk == [False, False, True, True]


def test_counting_responses_refuses_the_next_request() -> None:
    rule = {"failed": {"operation": "POST /login", "status": 401}}
    matcher = ready(counting(rules=rule, condition={"gte": 3}))
    for n in range(3):
        failed = event("POST /login", "eve", NOW + n, status=401)
        assert not ask(matcher, failed)
        matcher.observe(failed, NOW + n)
    assert ask(matcher, event("POST /login", "eve", NOW + 4))
    assert not ask(matcher, event("GET /cart", "eve", NOW + 4)), "only what the rule can mean"


RULES = {"one": {"operation": "GET /a"}, "two": {"operation": "GET /b"}, "three": {"operation": "GET /c"}}


def test_temporal_needs_all_rules_in_any_order() -> None:
    matcher = ready(counting("temporal", RULES))
    assert [ask(matcher, event(f"GET /{x}", "eve", NOW)) for x in "cab"] == [False, False, True]
    assert [ask(matcher, event(f"GET /{x}", "ann", NOW + 40 * n)) for n, x in enumerate("cab")] == [False] * 3


def test_temporal_ordered_needs_their_order() -> None:
    matcher = ready(counting("temporal_ordered", RULES))
    assert [ask(matcher, event(f"GET /{x}", "eve", NOW + n)) for n, x in enumerate("acbc")] == [False] * 3 + [True]
    assert not any(ask(matcher, event(f"GET /{x}", "ann", NOW + n)) for n, x in enumerate("cba"))
    late = [ask(matcher, event(f"GET /{x}", "bob", NOW + 40 * n)) for n, x in enumerate("abc")]
    assert late == [False] * 3, "the chain took longer than its timespan"


def test_groups_are_bounded() -> None:
    matcher = ready(counting(condition={"gte": 2}), limits=Limits(groups=10))
    for n in range(1000):
        ask(matcher, event(ORDER, f"p{n}", NOW))
    assert len(matcher._windows["929a690e-bef0-4204-a928-ef5e620d6fcc"]) == 10


def test_a_changed_mode_keeps_the_windows_and_a_changed_rule_does_not() -> None:
    matcher = ready(counting(condition={"gte": 2}))
    ask(matcher, event(ORDER, "eve", NOW))
    matcher.put(counting(condition={"gte": 2}))
    assert ask(matcher, event(ORDER, "eve", NOW + 1))
    matcher.put(counting(condition={"gte": 3}))
    assert not ask(matcher, event(ORDER, "eve", NOW + 2))


# --- replay -----------------------------------------------------------------------------------------------


def history(skips: int) -> list[dict[str, Any]]:
    events = [event("GET /cart", "ann", NOW)]
    for n in range(400):
        events += [event(PAY, f"u{n}", NOW + 20 + n), event(CONFIRM, f"u{n}", NOW + 20.5 + n)]
    events += [event(CONFIRM, "eve", NOW + 500 + n) for n in range(skips)]
    return events


def test_replay_says_what_would_have_been_refused() -> None:
    pattern = make(SKIP, "shadow", requires=REQUIRES)
    evidence = replay(pattern, history(7), lambda e: e["principal"] != "eve")
    assert (evidence.events, evidence.matched_events, evidence.matched_principals) == (808, 7, 1)
    assert (evidence.benign_events, evidence.benign_matched_events) == (801, 0)
    assert evidence.false_positive_upper_bound == pytest.approx(1 - 0.05 ** (1 / 801))
    assert (evidence.window_start, evidence.window_end) == ("2026-11-24T00:00:00Z", "2026-11-24T00:08:26Z")


def test_replay_equals_live() -> None:
    """What replay counts is what an enforcing matcher refuses when nothing is refused in between."""
    pattern = make(SKIP, requires=REQUIRES)
    events = history(5)
    matcher = ready(pattern)
    live = 0
    for one in events:
        live += ask(matcher, one)
        matcher.observe(one, one["time"])
    assert replay(pattern, events, lambda e: True).matched_events == live == 5


def test_replay_of_nothing_proves_nothing() -> None:
    assert replay(make(SELECT_ORDER), [], lambda e: True).false_positive_upper_bound == 1.0


def proven(**changes: Any) -> Pattern:
    plain = make(SKIP, "enforce", requires=REQUIRES)
    evidence = replay(plain, history(3), lambda e: e["principal"] != "eve").to_document()
    return make(SKIP, "enforce", requires=REQUIRES, evidence={**evidence, **changes})


def test_good_evidence_allows_to_enforce() -> None:
    check_evidence(proven(), NOW + 3600)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"benign_matched_events": 1}, "would have refused 1 of 801"),
        ({"benign_events": 100}, "bounds the false-positive rate by 2.95% only"),
        ({"benign_events": 100, "false_positive_upper_bound": 0.0001}, "by 2.95% only"),
        ({"digest": "0" * 64}, "another version of the pattern"),
        ({"window_end": "2026-11-01T00:00:00Z"}, "more than 7 days ago"),
        ({"benign_events": "many"}, "must be counts"),
        ({"benign_events": -5}, "must be counts"),
    ],
)
def test_bad_evidence_does_not(changes: dict[str, Any], error: str) -> None:
    with pytest.raises(PatternError, match=error):
        check_evidence(proven(**changes), NOW + 3600)


def test_no_evidence_does_not() -> None:
    with pytest.raises(PatternError, match=r"apisec\.evidence: none"):
        check_evidence(make(SELECT_ORDER), NOW)
