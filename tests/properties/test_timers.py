"""Timers against the simplest model there is: a dictionary looked through at every question."""

from hypothesis import given
from hypothesis import strategies as st

from callcenter.rules.timers import Timers

KEYS = st.sampled_from("abcdef")
STEPS = st.one_of(
    st.tuples(st.just("start"), KEYS, st.integers(0, 20)),
    st.tuples(st.just("cancel"), KEYS, st.just(0)),
    st.tuples(st.just("due"), st.just(""), st.integers(0, 20)),
)


@given(st.lists(STEPS, max_size=60))
def test_like_a_dictionary(steps: list[tuple[str, str, int]]) -> None:
    timers, model = Timers(), dict[str, int]()
    for what, key, at in steps:
        if what == "start":
            timers.start(key, at)
            model.pop(key, None)  # a key that is started again goes behind those of the same instant
            model[key] = at
        elif what == "cancel":
            timers.cancel(key)
            model.pop(key, None)
        else:
            due = sorted((k for k in model if model[k] <= at), key=lambda k: model[k])
            assert timers.due(at) == due
            for k in due:
                del model[k]
        assert len(timers) == len(model)
        assert timers.next_due() == min(model.values(), default=None)
