"""The load of load.c, for who does harm to its database meanwhile."""
import json
import os
import subprocess

SERVICE_S = 2  # from when there is a database again until all threads are served


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


class Load:
    """Threads that write and read back, from now on; `how` is Popen's."""

    def __init__(self, test, url, threads="8", **how):
        self.test = test
        self.pipe = Pipe(os.environ["TENON_FAULTS_LOAD"], url, threads, **how)
        test.addCleanup(self.stop)
        test.assertEqual(self.pipe.first, "ready")
        self.expect_service(5)

    def stop(self):
        if self.pipe is not None:
            self.pipe.process.kill()
            self.pipe.process.communicate()

    def state(self):
        return json.loads(self.pipe.ask("state"))

    def expect_service(self, seconds=SERVICE_S):
        answer = self.pipe.ask("service").split()
        self.test.assertEqual(answer[0], "ok", self.state())
        self.test.assertLessEqual(int(answer[1]), seconds * 1000)

    def end(self, allowed):
        """End the load: nothing was wrong, and no other error was met."""
        self.pipe.process.stdin.write("end\n")
        rest, status = self.pipe.close()
        self.pipe = None
        self.test.assertEqual(status, 0, rest)
        state = json.loads(rest.splitlines()[-2])
        self.test.assertLessEqual(set(state["errors"]), allowed, rest)
        self.test.assertGreaterEqual(state["done"], 8, rest)
        print(f"{self.test.id().split('.')[-1]}: {state}", flush=True)
        return state
