"""A hub and nodes on one machine: each node with a database, keys, a store and an agent of its own.

What they share is the machine, one embedded PostgreSQL server that holds all their databases, and the
program. Every agent is a process that calls the hub over HTTP, as it would from another country.
"""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
from psycopg import sql

from atlas import postgres
from tests.e2e.node import ROOT, Node

WEB_PROCESSES = 2
CONNECTIONS_MAX = 500  # of all nodes together; elsewhere each has a server of its own
SETTLED_AT_ONCE = 2
LISTED_WITHIN_S = 180

_HUB = """
from accounts import permissions
from accounts.models import User
from accounts.services.tokens import make_token
from network.federation import membership
admin = User.objects.create_user("bench", password="bench-bench-bench")
permissions.grant(user=admin, role="administrator", scope=None)
print(make_token(by=admin, name="bench")[1])
for number in range({nodes}):
    print(membership.invite(by=admin, name=f"Hospital {{number:02d}}", country="ES").text)
"""
_LISTED = """
from network.models import Listing
listed = Listing.objects.exclude(node=None).exclude(version="")
print(listed.values("node").distinct().count(), listed.count())
"""


def settle(share: int, shares: int, invitation: str) -> None:
    """Runs inside a node (`manage.py shell`): its share of the metadata, published, and the hub joined."""
    from accounts.models import Organisation
    from atlas.models import Dataset
    from network import listings, sample
    from network.federation import joining
    from network.models import Listing

    Organisation.objects.create(name=f"Hospital {share:02d}", slug="hospital", country="ES")
    for pk in sample.load_share("hospital", share, shares):
        listings.publish(Dataset.objects.get(pk=pk))
    Listing.objects.update(is_listed=True, answers=Listing.Answers.ITSELF)
    joining.join(by=None, offer=joining.look(by=None, invitation=invitation))


class Network:
    """`with Network(30) as network:` a hub that runs, and so many nodes that have joined it and published.

    `shares`: into how many the metadata is parted; a network of fewer nodes has the first of them.
    """

    def __init__(self, nodes: int, *, shares: int) -> None:
        self.nodes = nodes
        self.shares = shares
        self.hub = Node(web=WEB_PROCESSES)
        self.hub.environment |= {"ATLAS_ADDRESS": self.hub.base_url, "ATLAS_NODE_NAME": "Hub"}
        self.agents: dict[int, subprocess.Popen[bytes]] = {}
        self.token = ""
        self.listed = 0

    def __enter__(self) -> "Network":
        try:
            self.hub.start()
            self._settle()
            for number in range(self.nodes):
                self.start_agent(number)
            self._wait_until_listed()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for agent in self.agents.values():
            agent.kill()
            agent.wait()
        self.hub.__exit__()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity"}

    # Setting up

    def _settle(self) -> None:
        with self._server() as server:
            most = sql.SQL("ALTER SYSTEM SET max_connections = {}").format(sql.Literal(CONNECTIONS_MAX))
            server.execute(most)
        self.hub.stop()  # nobody may look at a database while it is copied
        postgres.ensure_running(self.hub.home)
        with self._server() as server:
            for number in range(self.nodes):
                names = sql.Identifier(_name(number)), sql.Identifier(postgres.DATABASE)
                server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        self.hub.start()
        said = self.hub.python(_HUB.format(nodes=self.nodes)).strip().splitlines()
        self.token, invitations = said[-1 - self.nodes], said[-self.nodes :]
        with ThreadPoolExecutor(SETTLED_AT_ONCE) as pool:
            list(pool.map(self._settle_one, range(self.nodes), invitations))

    def _settle_one(self, number: int, invitation: str) -> None:
        code = f"from benchmarks.federated import settle\nsettle({number}, {self.shares}, {invitation!r})"
        self._manage(_name(number), "shell", "--no-imports", "--command", code)

    def _wait_until_listed(self) -> None:
        deadline = time.monotonic() + LISTED_WITHIN_S
        while True:
            nodes, self.listed = map(int, self.hub.python(_LISTED).split()[-2:])
            if nodes == self.nodes:
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"Only {nodes} of {self.nodes} nodes have published.\n{self.hub.log_tail()}")
            time.sleep(1)

    def _server(self) -> psycopg.Connection:
        facts = postgres.connection(self.hub.home).parameters(database="postgres")
        return psycopg.connect(**facts, autocommit=True)

    # Nodes

    def start_agent(self, number: int) -> None:
        with (self.hub.home / "agents.log").open("ab") as log:
            self.agents[number] = subprocess.Popen(
                [sys.executable, "manage.py", "agent"],
                cwd=ROOT,
                env=self._environment(_name(number)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill_agents(self, numbers: list[int]) -> None:
        """As power cuts would, all at once."""
        for number in numbers:
            os.kill(self.agents[number].pid, signal.SIGKILL)
        for number in numbers:
            self.agents[number].wait()

    def memory_mb(self) -> float:
        """Of all agents, with what they share counted once (PSS)."""
        total = 0
        for agent in self.agents.values():
            told = Path(f"/proc/{agent.pid}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:"))
        return total / 1000

    def _manage(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self._environment(name),
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise SystemExit(f"{name}: manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}")

    def _environment(self, name: str) -> dict[str, str]:
        home = self.hub.home / "nodes" / name
        home.mkdir(parents=True, exist_ok=True)
        facts = postgres.connection(self.hub.home)
        return self.hub.environment | {
            "ATLAS_HOME": str(home),
            "ATLAS_NODE_NAME": name,
            "DATABASE_URL": facts.url.replace(f"/{facts.database}?", f"/{name}?"),
        }


def _name(number: int) -> str:
    return f"hospital_{number:02d}"
