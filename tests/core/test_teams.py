"""Teams' documents, and who owns what: the most specific rule decides, whatever the order."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.errors import DocumentError
from apisec.teams import SELECTORS, Teams


def team(name: str, *owns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"_key": name, "version": 1, "owns": list(owns), **more}


# Who owns what: documents, what is asked, who it is.
SHOP = {"service": "shop"}
OWNERS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str]] = {
    "no rule: the stamp": ([team("a")], {"service": "shop", "default": "stamped"}, "stamped"),
    "no rule and no stamp: nobody": ([team("a")], {"service": "shop"}, ""),
    "a rule wins over the stamp": ([team("a", SHOP)], {"service": "shop", "default": "b"}, "a"),
    "another service": ([team("a", SHOP)], {"service": "shops", "default": "b"}, "b"),
    "upper case is another service": ([team("a", SHOP)], {"service": "Shop"}, ""),
    "a glob": ([team("a", {"service": "shop-*"})], {"service": "shop-eu"}, "a"),
    "an exact service over a glob": (
        [team("a", {"service": "sho*"}), team("b", SHOP)],
        {"service": "shop"},
        "b",
    ),
    "a path inside a service": (
        [team("a", SHOP), team("b", {"service": "shop", "path": "/pay/*"})],
        {"service": "shop", "operation": "POST /pay/{id}/capture"},
        "b",
    ),
    "a service as a whole has no path": (
        [team("a", SHOP), team("b", {"service": "shop", "path": "/pay/*"})],
        {"service": "shop"},
        "a",
    ),
    "a service over a path of all services": (
        [team("a", SHOP), team("b", {"path": "/pay/*"})],
        {"service": "shop", "operation": "POST /pay/x"},
        "a",
    ),
    "the longer path": (
        [team("a", {"path": "/pay/*"}), team("b", {"path": "/pay/refunds/*"})],
        {"service": "x", "operation": "GET /pay/refunds/{id}"},
        "b",
    ),
    "what a rule names must all hold": (
        [team("a", {"service": "shop", "host": "eu.example.org"})],
        {"service": "shop", "hosts": ["us.example.org"], "default": "s"},
        "s",
    ),
    "hosts in any case": (
        [team("a", {"host": "EU.example.org"})],
        {"service": "shop", "hosts": ["eu.Example.org"]},
        "a",
    ),
    "on a host of the team and another: the stamp": (
        [team("a", {"host": "eu.example.org"})],
        {"service": "shop", "hosts": ["us.example.org", "eu.example.org"], "default": "s"},
        "s",
    ),
    "another host does not matter where the service decides": (
        [team("a", SHOP), team("b", {"host": "b.example"})],
        {"service": "shop", "hosts": ["a.example", "b.example"], "default": "s"},
        "a",
    ),
    "rules that were written as a tie: the stamp": (
        [team("a", SHOP), team("b", SHOP)],
        {"service": "shop", "default": "s"},
        "s",
    ),
    "a gateway": ([team("a", {"gateway": "edge-*"})], {"service": "x", "gateways": ["edge-1"]}, "a"),
    "a published document": ([team("a", {"spec": "orders"})], {"service": "x", "specs": ["orders"]}, "a"),
    "a host over a gateway": (
        [team("a", {"gateway": "edge-1"}), team("b", {"host": "*.example.org"})],
        {"service": "x", "gateways": ["edge-1"], "hosts": ["a.example.org"]},
        "b",
    ),
    "on the hosts of two teams: the stamp": (
        [team("a", {"host": "a.example"}), team("b", {"host": "b.example"})],
        {"service": "x", "hosts": ["a.example", "b.example"], "default": "s"},
        "s",
    ),
    "one team by two rules": (
        [team("a", {"host": "a.example"}, {"host": "b.example"})],
        {"service": "x", "hosts": ["a.example", "b.example"], "default": "s"},
        "a",
    ),
}


@pytest.mark.parametrize("case", OWNERS)
def test_who_owns_what(case: str) -> None:
    documents, asked, owner = OWNERS[case]
    for listed in (documents, documents[::-1]):
        teams = Teams.parse(listed, ties=False)
        assert teams.owner(**asked) == owner
        found = teams.why(**asked)
        assert found.team == owner
        assert found.rule is None or found.rule.team == owner


def test_why_names_the_rule_and_those_that_lose() -> None:
    teams = Teams.parse([team("a", SHOP), team("b", {"service": "shop", "path": "/pay/*"}), team("c", {"path": "/*"})])
    found = teams.why("shop", "POST /pay/x", default="s")
    assert found.rule is not None
    assert (found.team, found.rule.line()) == ("b", "b: service=shop, path=/pay/*")
    assert [rule.line() for rule in found.beaten] == ["a: service=shop", "c: path=/*"]
    assert teams.why("other", "", default="s") == ("s", None, ())


REFUSED: dict[str, tuple[Any, str]] = {
    "no key": ({"owns": []}, "_key: must be a team's name"),
    "a key with a slash": (team("a/b"), "_key: must be a team's name"),
    "a key of everything": (team("*"), "_key: must be a team's name"),
    "no mapping": ("a", "must be a mapping"),
    "a misspelt key": (team("a", role=["x"]), "a: role: unknown key (did you mean 'roles'?)"),
    "a misspelt selector": (
        team("a", {"servise": "x"}),
        "a: owns[0].servise: unknown selector (did you mean 'service'?)",
    ),
    "an empty rule": (team("a", {}), "a: owns[0]: must be a mapping that names one of"),
    "a rule for everything": (team("a", {"service": "*", "path": "**"}), "a: owns[0]: names nothing"),
    "a rule of another type": (team("a", {"service": 5}), "a: owns[0].service: must be a glob"),
    "a role in upper case": (team("a", roles=["Dev"]), "a: roles[0]: must be a role's name in lower case"),
    "a role of everybody": (team("a", roles=["*"]), "a: roles[0]: must be a role's name"),
    "a role twice": (team("a", roles=["dev", "dev"]), "a: roles[1]: is named twice"),
    "an internal index": (team("a", index="_internal"), "a: index: must be an index"),
    "every index": (team("a", index="*"), "a: index: must be an index"),
    "another version": (team("a", version=2), "a: version: must be 1"),
    "a version that is none": (team("a", version=True), "a: version: must be 1"),
    "a time that is none": (team("a", updated=float("nan")), "a: updated: must be seconds"),
    "two lines": (team("a", title="x\ny"), "a: title: must be a text"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_document_may_not_say(case: str) -> None:
    document, message = REFUSED[case]
    with pytest.raises(DocumentError) as refused:
        Teams.parse([document])
    assert message in str(refused.value)


TIES: dict[str, tuple[dict[str, str], dict[str, str], bool]] = {
    "the same service": (SHOP, SHOP, True),
    "other services": (SHOP, {"service": "cart"}, False),
    "globs that meet": ({"service": "a-*"}, {"service": "*-b"}, True),
    "globs that do not": ({"service": "a-*"}, {"service": "b-*"}, False),
    "globs of other lengths": ({"service": "a*"}, {"service": "ab*"}, False),
    "paths that meet": ({"service": "s", "path": "/x/*"}, {"service": "s", "path": "/*/x"}, True),
    "the same path of other services": ({"service": "s", "path": "/x/*"}, {"service": "t", "path": "/x/*"}, False),
    "a star is as good as nothing": ({"service": "s", "path": "*"}, {"service": "s", "host": "**"}, True),
}


@pytest.mark.parametrize("case", TIES)
def test_ties_are_refused_when_they_are_written(case: str) -> None:
    one, other, tied = TIES[case]
    documents = [team("a", one), team("b", other)]
    if tied:
        with pytest.raises(DocumentError, match=r"b: owns\[0\]: is as specific as owns\[0\] of team a"):
            Teams.parse(documents)
    else:
        Teams.parse(documents)
    Teams.parse(documents, ties=False)
    Teams.parse([team("a", one, other)])


def test_two_documents_of_one_team_are_refused() -> None:
    with pytest.raises(DocumentError, match="there are two documents of this team"):
        Teams.parse([team("a"), team("a")])
    with pytest.raises(DocumentError, match="differs from team a by upper and lower case only"):
        Teams.parse([team("a"), team("A")])


def test_a_team_is_of_its_roles_and_of_the_role_of_its_name() -> None:
    teams = Teams.parse([team("Pay", roles=["pay_dev", "shared"]), team("cart", roles=["shared"]), team("none")])
    assert teams.of_roles([]) == frozenset()
    assert teams.of_roles(["user", "pay_dev"]) == {"Pay"}
    assert teams.of_roles(["shared"]) == {"Pay", "cart"}
    assert teams.of_roles(["apisec_team_pay"]) == {"Pay"}
    assert teams.of_roles(["apisec_team_unheard.of", "apisec_team", "apisec_team_"]) == {"unheard.of"}


def test_index_and_document() -> None:
    document = team("pay", SHOP, index="apisec_pay", roles=["b", "a"], contacts=["x@example.org"], author="ada")
    teams = Teams.parse([document])
    held = teams.get("pay")
    assert held is not None
    assert held.document() == {**document, "roles": ["a", "b"], "title": "", "updated": 0.0}
    assert Teams.parse([held.document()]).get("pay") == held
    assert (teams.index_of("pay"), teams.index_of("other")) == ("apisec_pay", None)


GLOBS = st.sampled_from(["a", "b", "ab", "a*", "*b", "*", "a*b"])
RULES = st.dictionaries(st.sampled_from(SELECTORS), GLOBS, min_size=1).filter(
    lambda rule: any(glob.strip("*") for glob in rule.values())
)


@given(
    st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), RULES), max_size=6),
    st.fixed_dictionaries({name: st.sampled_from(["a", "b", "ab", "aab"]) for name in SELECTORS}),
    st.randoms(use_true_random=False),
)
def test_the_order_never_decides(
    rules: list[tuple[str, dict[str, str]]], asked: dict[str, str], shuffle: random.Random
) -> None:
    """And with one value of each kind there is always one owner where ties were refused."""

    def owner(listed: list[tuple[str, dict[str, str]]]) -> str:
        documents = [team(name, *(rule for of, rule in listed if of == name)) for name in ("x", "y", "z")]
        return Teams.parse(documents).owner(
            asked["service"],
            f"GET {asked['path']}",
            hosts=[asked["host"]],
            specs=[asked["spec"]],
            gateways=[asked["gateway"]],
            default="stamp",
        )

    shuffled = list(rules)
    shuffle.shuffle(shuffled)
    try:
        found = owner(rules)
    except DocumentError:
        with pytest.raises(DocumentError):
            owner(shuffled)
        return
    assert owner(shuffled) == found
    holds = [name for name, rule in rules if all(_fits(glob, asked[selector]) for selector, glob in rule.items())]
    assert found in holds or (found == "stamp" and not holds)


def _fits(glob: str, text: str) -> bool:
    """Slowly, and by another way than the product's."""
    if not glob:
        return not text
    if glob[0] == "*":
        return any(_fits(glob[1:], text[at:]) for at in range(len(text) + 1))
    return bool(text) and glob[0] == text[0] and _fits(glob[1:], text[1:])
