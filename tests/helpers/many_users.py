"""Many visitors at once: is every answer its sender's, and does the memory stay flat?

    python tests/helpers/many_users.py --clients 50 --seconds 120

Starts the page on a free port of this machine, asks every question once alone, then from many
clients at once, a third of which leave in the middle and come back as somebody new. Prints a
report; exit status 1 when something was not as it should be.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from gradio_client.exceptions import AppError
from gradio_client.utils import QueueError
from page_process import PageProcess, page_process, write_second_run
from page_visitor import Busy, Visitor
from places import EXAMPLES
from questions import ANSWERED_BY, Asker, Question, page_rows, questions

SESSION_MB = 0.4
"""Memory Gradio keeps for a session that ended, up to `page.serving.server.MOST_SESSIONS`."""

GROWTH = 0.06
"""Share by which memory may grow besides: the allocators' holes differ from request to request."""

WARM_SECONDS = 60
FINAL_SHARE = 0.2
PAUSE = (0.3, 1.5)
"""Seconds between an answer and the next question, and before trying again."""


@dataclass
class Tally:
    """What the clients saw; its lock is held for every change."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    left: int = 0
    sessions: int = 0
    failed: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, question: object, right: bool, seconds: float) -> None:
        with self.lock:
            self.seconds.append(seconds)
            if right:
                self.right += 1
            else:
                self.wrong.append(str(question))

    def refuse(self, message: str) -> None:
        with self.lock:
            self.refused[message] = self.refused.get(message, 0) + 1

    def fail(self, error: Exception) -> None:
        with self.lock:
            self.failed.append(f"{type(error).__name__}: {error}")


def program(
    page: PageProcess, expected: dict[Question, str], tally: Tally, end: float, seed: int
) -> None:
    """A client of the endpoints until `end`; every third leaves in the middle, each second time."""
    chance = random.Random(seed)
    leaves = seed % 3 == 0
    turn = 0
    asker: Asker | None = None
    try:
        while time.monotonic() < end:
            if asker is None:
                asker = Asker(page.url, page.folder)
                with tally.lock:
                    tally.sessions += 1
            question = chance.choice(list(expected))
            start = time.monotonic()
            try:
                turn += 1
                if leaves and turn % 2:
                    asker.leave(question, chance.uniform(0, 1))
                    asker = None
                    with tally.lock:
                        tally.left += 1
                else:
                    found = asker.ask(question)
                    tally.answer(question, found == expected[question], time.monotonic() - start)
            except QueueError as error:
                tally.refuse(str(error))
            except AppError as error:
                tally.fail(error)
            time.sleep(chance.uniform(*PAUSE))
    except Exception as error:  # shown in the report
        tally.fail(error)
    finally:
        if asker is not None:
            asker.close()


def browser(
    page: PageProcess, expected: dict[tuple[str, float], list], tally: Tally, end: float, seed: int
) -> None:
    """A visitor with one session until `end`: a photo, then thresholds, then another photo."""
    chance = random.Random(seed)
    visitor = Visitor(page.url)
    with tally.lock:
        tally.sessions += 1
    names = sorted({name for name, _ in expected})
    thresholds = sorted({threshold for _, threshold in expected})
    shown = None
    try:
        while time.monotonic() < end:
            start = time.monotonic()
            try:
                if shown is None or chance.random() < 0.2:
                    wanted = chance.choice(names)
                    rows = visitor.run(EXAMPLES / wanted, "mobilenet-thin")
                    shown, threshold = wanted, thresholds[0]
                else:
                    threshold = chance.choice(thresholds)
                    rows = visitor.decode(threshold)
                right = rows == expected[shown, threshold]
                tally.answer(("page", shown, threshold), right, time.monotonic() - start)
            except Busy as error:
                tally.refuse(str(error))
            time.sleep(chance.uniform(*PAUSE))
    except Exception as error:  # shown in the report
        tally.fail(error)
    finally:
        visitor.close()


def load(
    page: PageProcess, clients: int, seconds: float
) -> tuple[Tally, list[tuple[float, float]]]:
    """Runs the clients; what they saw, and the server's memory as (seconds, MB)."""
    expected = ask_alone(page)
    rows = page_rows(page.url)
    tally, series = Tally(), []
    start = time.monotonic()
    end = start + seconds
    visitors = max(1, clients // 10)
    threads = [
        threading.Thread(target=browser, args=(page, rows, tally, end, i), daemon=True)
        for i in range(visitors)
    ]
    threads += [
        threading.Thread(target=program, args=(page, expected, tally, end, i), daemon=True)
        for i in range(clients - visitors)
    ]
    random.Random(0).shuffle(threads)
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if time.monotonic() > end + ANSWERED_BY:
            tally.fail(TimeoutError("clients hang after the end"))
            break
        series.append((time.monotonic() - start, page.rss()))
        time.sleep(1)
    return tally, series


def ask_alone(page: PageProcess) -> dict[Question, str]:
    """Every question's answer with nobody else there."""
    asker = Asker(page.url, page.folder)
    try:
        return {question: asker.ask(question) for question in questions()}
    finally:
        asker.close()


def growth(series: list[tuple[float, float]], sessions: int) -> tuple[float, float] | None:
    """Memory in MB that was gained since the first minute, and how much may be; None if shorter."""
    total = series[-1][0]
    before = [mb for at, mb in series if WARM_SECONDS * 0.75 <= at <= WARM_SECONDS * 1.25]
    after = [mb for at, mb in series if at >= total * (1 - FINAL_SHARE)]
    if total < 1.5 * WARM_SECONDS:
        return None
    base = statistics.median(before)
    return statistics.median(after) - base, base * GROWTH + SESSION_MB * sessions


def settle(page: PageProcess, children: int, patience: float = 30) -> list[str]:
    """What is left of the visitors a while after they are gone."""
    server = psutil.Process(page.process.pid)
    end = time.monotonic() + patience
    while time.monotonic() < end:
        open_ones = [c for c in server.net_connections("tcp") if c.status == "ESTABLISHED"]
        if not open_ones and len(server.children(recursive=True)) <= children:
            return []
        time.sleep(0.5)
    return [f"{len(open_ones)} connections, {len(server.children(recursive=True))} processes"]


def report(tally: Tally, series: list[tuple[float, float]]) -> list[str]:
    """Prints the measurements; returns what is wrong."""
    problems = [f"wrong answer to {question}" for question in tally.wrong[:5]]
    problems += [f"failed {n} times: {text}" for text, n in Counter(tally.failed).items()]
    print(f"sessions {tally.sessions}, left in the middle {tally.left}")
    print(f"answers {len(tally.seconds)}, right {tally.right}, wrong {len(tally.wrong)}")
    if tally.seconds:
        middle, worst = statistics.median(tally.seconds), max(tally.seconds)
        print(f"seconds for an answer: median {middle:.1f}, worst {worst:.1f}")
    else:
        problems.append("nobody was answered")
    for message, count in tally.refused.items():
        print(f"refused {count} times: {message}")
        if "full" not in message.lower() or "\n" in message:
            problems.append(f"not a clear refusal: {message!r}")
    step = max(1, len(series) // 12)
    print("memory in MB:", ", ".join(f"{mb:.0f} at {at:.0f} s" for at, mb in series[::step]))
    grown = growth(series, tally.sessions)
    if grown is not None:
        print(f"growth since the first minute: {grown[0]:.0f} MB, allowed {grown[1]:.0f} MB")
        if grown[0] > grown[1]:
            problems.append("the memory grows")
    return problems


def everything(clients: int, seconds: float) -> list[str]:
    """The whole experiment; prints the report and returns what is wrong."""
    with tempfile.TemporaryDirectory(prefix="many-users-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_second_run(folder / "runs")
        with page_process(folder) as page:
            server = psutil.Process(page.process.pid)
            tally, series = load(page, clients, seconds)
            problems = report(tally, series)
            problems += [f"left behind: {text}" for text in settle(page, 0)]
            print(f"threads of the server: {server.num_threads()}")
            status, errors = page.end(signal.SIGTERM)
            if status or errors:
                problems.append(f"exit status {status}, stderr: {errors[-500:]}")
            kept = [str(path) for path in page.temporary.rglob("*")]
            if kept:
                problems.append(f"{len(kept)} files left behind, such as {kept[0]}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    options = parser.parse_args()
    problems = everything(min(options.clients, 200), min(options.seconds, 1800))
    for problem in problems:
        print(f"PROBLEM {problem}")
    print("failed" if problems else "all as it should be")
    return 1 if problems else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the page ends as well
    status = main()
    sys.stdout.flush()
    os._exit(status)  # threads of clients that left wait for answers that never come
