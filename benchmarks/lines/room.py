"""`room`: from a row of the worklist to the first and the last of 300 images; OHIF on Orthanc is the peer."""

from playwright.sync_api import sync_playwright

from benchmarks.measure import Result, compared
from benchmarks.served import serving
from benchmarks.viewers import AtlasRoom, OhifBehindNginx, OhifRoom, prepare, profile

ROUNDS = 3


def run() -> list[Result]:
    results: list[Result] = []
    with (
        serving() as (node, orthanc),
        OhifBehindNginx(orthanc) as peer,
        sync_playwright() as playwright,
        profile(playwright) as browser,
    ):
        prepare(node)
        for line, is_slow in (("loopback", False), ("50 Mbit/s", True)):
            ours = AtlasRoom(browser, node, is_slow=is_slow)
            theirs = OhifRoom(browser, f"http://127.0.0.1:{peer.port}", is_slow=is_slow)
            # The first round fills the HTTP caches and isn't counted.
            opened = [(ours.open(), theirs.open()) for _ in range(ROUNDS + 1)][1:]
            for what, goal in (("first", 5.0), ("last", 3.0)):
                results.append(
                    compared(
                        f"room {what}, {line}",
                        [(getattr(a, f"{what}_s"), getattr(b, f"{what}_s")) for a, b in opened],
                        unit="s",
                        note=f"from a row to the {what} of 300 images, warm cache, against OHIF on Orthanc",
                        goal=goal,
                        more_is_better=False,
                    )
                )
            a, b = opened[-1]
            results.append(
                compared(
                    f"room bytes, {line}",
                    [(a.bytes / 1e6, b.bytes / 1e6) for a, b in opened],
                    unit="MB",
                    note=f"to the first image, in {a.requests} requests against {b.requests}",
                    more_is_better=False,
                )
            )
            ours.close()
            theirs.close()
    return results
