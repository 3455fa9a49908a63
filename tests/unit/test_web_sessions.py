"""Log-in, sessions and the slowing of guesses."""

from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from callcenter.web.ports import Role
from callcenter.web.sessions import Sessions, Throttle, csrf_of, token_hash
from tests.fakes.web import FAST_HASHER, PASSWORD, Memory


class Now:
    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def memory(now: Now) -> Memory:
    return Memory(now)


@pytest.fixture
def sessions(memory: Memory, now: Now) -> Sessions:
    return Sessions(memory, now, idle_seconds=600, absolute_seconds=3600, hasher=FAST_HASHER)


async def test_a_right_password_opens_a_session_found_by_its_token(sessions: Sessions, memory: Memory) -> None:
    result = await sessions.log_in("018", PASSWORD, "a")
    assert result.token is not None
    found = await sessions.find(result.token)
    assert found is not None
    assert found[1].name == "li"
    assert list(memory.sessions) == [token_hash(result.token)]
    assert result.token not in repr(memory.sessions)


async def test_tokens_are_long_and_never_the_same(sessions: Sessions) -> None:
    tokens = {(await sessions.log_in("li", PASSWORD, "a")).token for _ in range(5)}
    assert len(tokens) == 5
    assert all(token is not None and len(token) >= 22 for token in tokens)  # 22 characters of base64 are 132 bits
    assert len({csrf_of(token or "") for token in tokens}) == 5


@pytest.mark.parametrize("name", ["li", "nobody"])
async def test_five_failures_lock_whether_or_not_the_account_exists(sessions: Sessions, name: str, now: Now) -> None:
    left = [(await sessions.log_in(name, "wrong", "a")).tries_left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    locked = await sessions.log_in(name, PASSWORD, "a")
    assert locked.token is None
    assert 890 < locked.locked_seconds <= 900
    now.at += 901
    assert (await sessions.log_in("li", PASSWORD, "a")).token is not None


async def test_a_lock_holds_for_its_address_only_at_first(sessions: Sessions) -> None:
    for _ in range(5):
        await sessions.log_in("li", "wrong", "a")
    assert (await sessions.log_in("li", PASSWORD, "b")).token is not None


async def test_many_addresses_together_lock_the_account(sessions: Sessions) -> None:
    for number in range(30):
        await sessions.log_in("li", "wrong", f"address-{number}")
    assert (await sessions.log_in("li", PASSWORD, "fresh")).locked_seconds > 0


async def test_one_address_cannot_try_many_accounts(sessions: Sessions) -> None:
    for number in range(40):
        await sessions.log_in(f"account-{number}", "wrong", "a")
    assert (await sessions.log_in("li", PASSWORD, "a")).locked_seconds > 0


async def test_a_session_ends_by_idleness(sessions: Sessions, now: Now, memory: Memory) -> None:
    token = (await sessions.log_in("li", PASSWORD, "a")).token or ""
    for _ in range(4):
        now.at += 500
        assert await sessions.find(token) is not None
    now.at += 601
    assert await sessions.find(token) is None
    assert not memory.sessions


async def test_a_session_ends_by_age_however_busy(sessions: Sessions, now: Now) -> None:
    token = (await sessions.log_in("li", PASSWORD, "a")).token or ""
    for _ in range(7):
        now.at += 500
        assert await sessions.find(token) is not None
    now.at += 500
    assert await sessions.find(token) is None


async def test_a_user_who_was_switched_off_is_out(sessions: Sessions, memory: Memory) -> None:
    token = (await sessions.log_in("li", PASSWORD, "a")).token or ""
    memory.users_by_name["li"] = replace(memory.users_by_name["li"], active=False)
    assert await sessions.find(token) is None
    assert (await sessions.log_in("li", PASSWORD, "a")).token is None


async def test_log_out_ends_it(sessions: Sessions) -> None:
    token = (await sessions.log_in("li", PASSWORD, "a")).token or ""
    await sessions.close(token)
    assert await sessions.find(token) is None


async def test_a_damaged_hash_is_a_wrong_password(sessions: Sessions, memory: Memory) -> None:
    memory.users_by_name["li"] = replace(memory.users_by_name["li"], password_hash="plain")
    assert (await sessions.log_in("li", "plain", "a")).token is None


async def test_an_older_hash_is_made_anew(memory: Memory, now: Now) -> None:
    stronger = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)
    sessions = Sessions(memory, now, 600, 3600, stronger)
    before = memory.users_by_name["li"].password_hash
    assert (await sessions.log_in("li", PASSWORD, "a")).token is not None
    after = memory.users_by_name["li"].password_hash
    assert after != before
    assert not stronger.check_needs_rehash(after)


def test_the_throttle_forgets_the_oldest_keys(now: Now) -> None:
    throttle = Throttle(1, 60, now, keys=3)
    for key in "abcd":
        throttle.failed(key)
    assert throttle.left("a") == 1
    assert throttle.left("d") == 0
    assert throttle.locked_seconds("d") == 60


@pytest.mark.parametrize("token", ["", "short", "x" * 5000])
async def test_tokens_of_a_wrong_length_are_not_looked_up(sessions: Sessions, token: str) -> None:
    assert await sessions.find(token) is None


def test_roles_are_the_four_of_the_house() -> None:
    assert {role.value for role in Role} == {"seat", "supervisor", "qa", "admin"}
