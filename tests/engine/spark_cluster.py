"""A real standalone Spark cluster on loopback: a master, two workers, a Connect server; started and ended by pid.

``python -m tests.engine.spark_cluster`` runs one until Ctrl-C and prints its address. Spark itself is not in the
environment of khaosat (its client and its server are packages of the same name): ``make spark`` puts it in
``.venv-spark``; Java 17 comes from the system.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START = 120  # seconds a JVM may take on a busy machine


def spark_home() -> Path | None:
    """Where Spark is installed: ``SPARK_HOME``, or what ``make spark`` made."""
    if os.environ.get("SPARK_HOME"):
        return Path(os.environ["SPARK_HOME"])
    return next(iter((ROOT / ".venv-spark" / "lib").glob("python*/site-packages/pyspark")), None)


def lacking() -> str:
    """What keeps a cluster from starting here; empty if nothing does."""
    if spark_home() is None:
        return "Spark is not installed: make spark"
    return "" if shutil.which("java") else "Java is not installed: apt install openjdk-17-jre-headless"


@dataclass
class Cluster:
    """Processes of a running cluster; each leads a process group that its children belong to."""

    address: str = ""
    master: str = ""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    others: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def kill_a_worker(self) -> None:
        """As a power cut would: no goodbye, its executor with it."""
        worker = self.workers.pop()
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def end(self) -> None:
        processes = [*reversed(self.others), *self.workers]
        for process in processes:
            os.killpg(process.pid, signal.SIGTERM)
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def cluster(*, workers: int = 2) -> Iterator[Cluster]:
    """A cluster for the length of a ``with`` block."""
    home = spark_home()
    assert home is not None, lacking()
    held = Cluster()
    with tempfile.TemporaryDirectory(prefix="khaosat-spark-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        try:
            _start(held, home, place, workers)
            yield held
        finally:
            held.end()


def _start(held: Cluster, home: Path, place: Path, workers: int) -> None:
    port, web, connect = _free_port(), _free_port(), _free_port()
    held.master = f"spark://127.0.0.1:{port}"
    here = ["--host", "127.0.0.1"]
    master = [
        "spark-class",
        "org.apache.spark.deploy.master.Master",
        *here,
        "--port",
        str(port),
        "--webui-port",
        str(web),
    ]
    held.others.append(_run(home, place, "master", master))
    _wait(port, held.others[-1], place / "master.log")
    for number in range(workers):
        room = ["--cores", "1", "--memory", "1g", "--webui-port", str(_free_port())]
        folder = ["--work-dir", str(place / f"work-{number}")]
        worker = ["spark-class", "org.apache.spark.deploy.worker.Worker", *here, *room, *folder, held.master]
        held.workers.append(_run(home, place, f"worker-{number}", worker))
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": str(connect),
        "spark.driver.host": "127.0.0.1", "spark.executor.memory": "768m", "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2", "spark.sql.warehouse.dir": str(place / "warehouse"),
    }  # fmt: skip
    server = ["spark-submit", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
              "--master", held.master]  # fmt: skip
    server += [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
    held.others.append(_run(home, place, "connect", [*server, "spark-internal"], memory="1g"))
    _wait(connect, held.others[-1], place / "connect.log")
    held.address = f"sc://127.0.0.1:{connect}"


def _run(home: Path, place: Path, name: str, command: list[str], *, memory: str = "256m") -> subprocess.Popen[bytes]:
    python = str(home.parents[3] / "bin" / "python")
    environment = {
        **os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_DIRS": str(place),
        "SPARK_DAEMON_MEMORY": memory, "PYSPARK_PYTHON": python,
    }  # fmt: skip
    with (place / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [str(home / "bin" / command[0]), *command[1:]],
            env=environment, cwd=place, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"{log.stem} did not start:\n{log.read_text(errors='replace')[-3000:]}")


if __name__ == "__main__":
    with cluster() as running:
        print(running.address, flush=True)
        signal.pause()
