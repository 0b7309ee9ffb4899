"""Accounts that have logged in to a service, and from where.

People mistype passwords of accounts that exist, on a machine or in a network that is theirs. Who tries a list that
leaked elsewhere mostly tries accounts that nobody has here, and the others from where they never came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, ClassVar, Dict, List, Set, Tuple

from apisec.abuse.base import SERVICE, SLOTS_PER_DAY, Context
from apisec.activity import Row
from apisec.activity.hashing import smallest, value_hash32
from apisec.activity.packing import pack, unpack
from apisec.errors import DocumentError

GENERATION = 14 * SLOTS_PER_DAY  # slots; what is known is that of the present and the former generation
MAX_ACCOUNTS = 2048  # known of a service and generation
COMMON = 0.3  # of the accounts use a kind of client, beyond which it tells nothing
STEP = 32  # accounts more, after which that is found anew
MAX_MEMBERS = 32  # of bodies that log in
MAX_CLIENTS = 4  # of a row that counts where it came from


class Accounts:
    """Accounts that have logged in to a service, and from where: all of them, or a fair sample. The part "accounts".

    Where from is a mask of 32 bits, one of 16 for each network and one of 16 for each kind of client (agent and JA4).
    """

    name: ClassVar[str] = "accounts"
    __slots__ = ("_common", "_generation", "_held", "_names", "_opened")

    def __init__(self) -> None:
        self._names: Dict[int, None] = {}  # hashes of the members of bodies that log in
        self._opened: Tuple[int, Dict[str, Set[int]]] = (-1, {})  # of a slot, by address; not kept
        self._generation = 0
        self._common = (-1, 0)  # how many accounts were known when it was found, and the mask
        self._held: Tuple[Dict[int, int], Dict[int, int]] = ({}, {})  # of this generation and the one before

    def __len__(self) -> int:
        return len({**self._held[0], **self._held[1]})

    def __contains__(self, account: int) -> bool:
        return any(account in held for held in self._held)

    def at_home(self, accounts: Iterable[int], clients: int) -> Set[int]:
        """Return those of the accounts that have logged in from such a network or client."""
        return {account for account in accounts if account in self and not self.strange(account, clients)}

    def strange(self, account: int, clients: int) -> bool:
        """Whether the account is known never to have logged in, or never from such a network or client."""
        known = [held[account] for held in self._held if account in held]
        if known:
            telling = clients & ~self._common_clients()
            return not any(mask & telling for mask in known)
        return all(len(held) < MAX_ACCOUNTS or account <= max(held) for held in self._held)

    def _common_clients(self) -> int:
        """Return the kinds of clients that so many have that they do not tell one from another."""
        size = sum(len(held) for held in self._held) // STEP
        if size != self._common[0]:
            masks = [mask for held in self._held for mask in held.values()]
            most = COMMON * len(masks)
            bits = (bit for bit in range(16, 32) if sum(mask >> bit & 1 for mask in masks) > most)
            self._common = (size, sum(1 << bit for bit in bits))
        return self._common[1]

    def strangers(self, accounts: Iterable[int], clients: int) -> Set[int]:
        return {account for account in accounts if self.strange(account, clients)}

    def add(self, accounts: Iterable[int], clients: int, slot: int) -> None:
        """Remember accounts that were opened from these clients (``clients_mask``)."""
        self.forget(slot)
        recent = self._held[0]
        for account in accounts:
            recent[account] = recent.get(account, 0) | clients
        if len(recent) > MAX_ACCOUNTS + MAX_ACCOUNTS // 8:
            self._held = (_sampled(recent), self._held[1])

    def add_names(self, fields: Iterable[str]) -> None:
        """Remember the members of a body that logged in."""
        for name in members_of(fields):
            if len(self._names) < MAX_MEMBERS:
                self._names.setdefault(name)

    def named(self, fields: Iterable[str]) -> bool:
        """Whether a body has no members but such that a login has: a service calls an account alike everywhere."""
        names = members_of(fields)
        return bool(names) and all(name in self._names for name in names)

    def opened_at(self, addresses: Iterable[str], slot: int, find: Callable[[], Dict[str, Set[int]]]) -> Set[int]:
        """Return the accounts that are opened in this slot from such addresses; ``find`` looks once, by address."""
        if self._opened[0] != slot:
            self._opened = (slot, find())
        return set().union(*(self._opened[1].get(address, set()) for address in addresses))

    def forget(self, slot: int) -> None:
        generation = slot // GENERATION
        if generation > self._generation:
            former = self._held[0] if generation == self._generation + 1 else {}
            self._held = ({}, former)
            self._generation = generation

    def merge(self, other: Accounts) -> None:
        self._names.update(other._names)
        newest = max(self._generation, other._generation)
        self.forget(newest * GENERATION)
        for age, theirs in enumerate(other._held):
            at = newest - other._generation + age
            if at < len(self._held):
                mine = self._held[at]
                mine.update((account, mask | mine.get(account, 0)) for account, mask in theirs.items())
        recent, former = self._held
        self._held = (_sampled(recent), _sampled(former))

    def to_state(self) -> List[Any]:
        state: List[Any] = [self._generation]
        for held in self._held:
            ordered = sorted(_sampled(held).items())
            state += [pack(account for account, _ in ordered), pack(mask for _, mask in ordered)]
        return [*state, pack(sorted(self._names))]

    @classmethod
    def from_state(cls, state: Any) -> Accounts:
        """Raises DocumentError when it is not one of ``to_state``."""
        if not isinstance(state, list) or len(state) not in (5, 6) or type(state[0]) is not int:
            raise DocumentError("are no two generations", where="accounts")
        accounts = cls()
        accounts._generation = state[0]
        packed = [unpack(one, MAX_ACCOUNTS, "accounts") for one in state[1:5]]
        accounts._names = dict.fromkeys(name for one in state[5:] for name in unpack(one, MAX_MEMBERS, "accounts"))
        recent, former = (dict(zip(packed[place], packed[place + 1])) for place in (0, 2))
        accounts._held = (recent, former)
        return accounts


def members_of(fields: Iterable[str]) -> Set[int]:
    """Return the members of a body (hashes), of fields like ``body.user.name:string``."""
    return {value_hash32(one.rpartition(":")[0]) for one in fields if one.startswith("body.")}


def _sampled(held: Dict[int, int]) -> Dict[int, int]:
    if len(held) <= MAX_ACCOUNTS:
        return held
    return {account: held[account] for account in smallest(held, MAX_ACCOUNTS)}


def clients_mask(row: Row) -> int:
    """Return where a row came from, as bits: 16 for networks, 16 for agents with their JA4."""
    mask = 0
    for client in islice(row.clients, MAX_CLIENTS):
        mask |= 1 << (value_hash32(client.network) >> 28)
        mask |= 1 << 16 + (value_hash32(f"{client.agent}\x1f{client.ja4}") >> 28)
    return mask


def accounts_of(context: Context, service: str) -> Accounts:
    """Return the accounts that are known of a service; they are not to be changed."""
    return context.peek(SERVICE, (service,), Accounts) or _NO_ACCOUNTS


_NO_ACCOUNTS = Accounts()
