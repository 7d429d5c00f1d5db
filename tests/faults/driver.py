"""What the drivers of programs under harm share."""
import json
import os
import subprocess
import time

SERVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers")

# What a load may meet while its server is away, or throws sessions out.
AWAY = {"connect", "lost", "timeout", "uncertain", "canceled", "limit"}

SERVICE_S = 2  # from when there is a server again until all threads are served


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Pipe:
    """A program that answers lines with lines."""

    def __init__(self, *command, **how):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1, **how)
        self.first = self.process.stdout.readline().strip()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        answer = self.process.stdout.readline().strip()
        if answer.startswith("not ok"):
            raise AssertionError(answer)
        return answer

    def close(self):
        """Its last lines and status."""
        rest, _ = self.process.communicate(timeout=100)
        return rest, self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.communicate()


class Load(Pipe):
    """load.c, which has begun; `how` is Popen's."""

    def __init__(self, url, threads=8, limit_ms=1000, **how):
        super().__init__(os.environ["TENON_FAULTS_LOAD"], url, str(threads), str(limit_ms), **how)
        if self.first != "ready":
            raise AssertionError(self.first)

    def state(self):
        return json.loads(self.ask("state"))

    def sessions(self):
        """How many the pool has."""
        state = self.state()
        return state["idle"] + state["lent"]

    def expect_service(self, seconds=SERVICE_S):
        answer = self.ask("service").split()
        if answer[0] != "ok" or int(answer[1]) > seconds * 1000:
            raise AssertionError(f"{answer} {self.state()}")

    def end(self, allowed):
        """Nothing was wrong, and no other errors were met: its last state."""
        self.process.stdin.write("end\n")
        rest, status = self.close()
        if status != 0:
            raise AssertionError(rest)
        state = json.loads(rest.splitlines()[-2])
        if not set(state["errors"]) <= allowed or state["done"] < 8:
            raise AssertionError(rest)
        return state


def servers(verb, name, top, *options, text=""):
    """tests/servers, what it prints."""
    done = subprocess.run([SERVERS, verb, name, top, *options], input=text, text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout.strip()
