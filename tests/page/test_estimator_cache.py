"""A few values kept, made once, the least recently used dropped."""

from __future__ import annotations

import threading

import pytest

from page.estimator_cache import EstimatorCache


def test_the_least_recently_used_is_dropped_before_another_is_made():
    made: list[str] = []
    sizes: list[int] = []

    def make(key: str) -> str:
        made.append(key)
        sizes.append(len(cache.kept))
        return key.upper()

    cache = EstimatorCache(make)
    assert [cache.get(key) for key in "abac"] == list("ABAC")
    assert tuple(cache.kept) == ("a", "c")
    cache.get("b")
    assert made == ["a", "b", "c", "b"]
    assert tuple(cache.kept) == ("c", "b")
    assert max(sizes) == 1
    cache.drop("c")
    cache.drop("unknown")
    assert cache.kept == {"b": "B"}


def test_a_key_is_made_once_for_many_threads():
    made, begin = [], threading.Barrier(8)

    def make(key: str) -> object:
        made.append(key)
        threading.Event().wait(0.05)
        return object()

    cache = EstimatorCache(make)
    found = []

    def want() -> None:
        begin.wait()
        found.append(cache.get("a"))

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["a"]
    assert len(set(map(id, found))) == 1


def test_nothing_is_kept_of_a_failure():
    answers = iter([ValueError("no"), "yes"])

    def make(key: str) -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    cache = EstimatorCache(make, max_size=1)
    with pytest.raises(ValueError, match="no"):
        cache.get("a")
    assert cache.get("a") == "yes"
