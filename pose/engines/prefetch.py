"""Work in other threads, with the answers in order and a bound on what waits."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

MOST_READERS = 8


def reader_threads() -> int:
    """Threads that read photos ahead: JPEG decoding leaves Python's lock alone, so all cores."""
    return max(2, min(MOST_READERS, os.cpu_count() or 2))


def ahead(work: Callable[[A], B], items: Iterable[A], threads: int, depth: int) -> Iterator[B]:
    """`work` of every item, in order, done by threads up to `depth` items ahead of the reader.

    What `work` raises comes out where its answer would have been.
    """
    waiting: deque[Future[B]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_thread(items: Iterable[A], depth: int) -> Iterator[A]:
    """The items, taken from their iterator by another thread up to `depth` ahead."""
    line: queue.Queue = queue.Queue(depth)
    stopped = threading.Event()
    end = object()

    def put(entry: object) -> bool:
        while not stopped.is_set():
            try:
                line.put(entry, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def feed() -> None:
        try:
            for item in items:
                if not put((item, None)):
                    return
        except BaseException as error:  # raised again where the items are read
            put((end, error))
        else:
            put((end, None))

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    try:
        while True:
            item, error = line.get()
            if error is not None:
                raise error
            if item is end:
                return
            yield item
    finally:
        stopped.set()
        thread.join()


def in_batches(items: Iterable[A], size: int) -> Iterator[list[A]]:
    """Lists of up to `size` items."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
