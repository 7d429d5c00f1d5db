"""What is prepared outlives all processes: test_prepared.py NAME.

A server of the test's own, which is killed between the two phases, and likewise
the program that has prepared."""
import os
import shutil
import sys
import tempfile
import time
import unittest

from driver import Pipe, servers

PROGRAM = os.environ["TENON_FAULTS_PREPARED"]
NAME = sys.argv[1]
FEW = 6


class Killed(unittest.TestCase):
    """What all need."""

    how = ("--durable",)  # the server is started

    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix="tn-", dir="/tmp")
        os.chmod(cls.top, 0o755)
        cls.addClassCleanup(shutil.rmtree, cls.top, ignore_errors=True)
        cls.addClassCleanup(servers, "destroy", NAME, cls.top)
        servers("start", NAME, cls.top, *cls.how)

    def setUp(self):
        self.program = self.start()
        for left in self.listed():  # by a case that failed
            self.program.ask(f"rollback {left}")
        self.expect("setup", "ok")

    def start(self):
        pipe = Pipe(PROGRAM, servers("url", NAME, self.top))
        self.addCleanup(pipe.kill)
        self.assertEqual(pipe.first, "ready")
        return pipe

    def expect(self, line, answer):
        self.assertEqual(self.program.ask(line), answer, line)

    def fails(self, line, category):
        self.assertEqual(self.program.ask(line).split()[0], category, line)

    def listed(self):
        """A session that was just used is lent unseen, and may have died since."""
        for _ in range(2):
            answer = self.program.ask("list").split()
            if answer[0] != "lost":
                break
        self.assertEqual(answer[0], "ok", answer)
        return sorted(answer[1:])

    def kill_server(self):
        servers("kill", NAME, self.top)
        servers("restart", NAME, self.top)

    def kill_program(self):
        self.program.kill()
        self.program = self.start()


class Prepared(Killed):

    def both_phases(self, harm):
        """Nothing prepared is lost, and what was not is; what ends stays ended."""
        ids = [f"t-{number}" for number in range(FEW)]
        for number, name in enumerate(ids):
            self.expect(f"prepare {name} {number}", "ok")
        self.expect(f"open never {FEW}", "ok")
        harm()
        self.assertEqual(self.listed(), ids)
        self.expect("rows", "ok 0")
        self.expect(f"commit {ids[0]}", "ok")
        self.expect(f"rollback {ids[1]}", "ok")
        harm()
        if NAME == "mysql" and ids[1] in self.listed():
            # The server writes a rollback down within a second, not at once.
            self.expect(f"rollback {ids[1]}", "ok")
        self.assertEqual(self.listed(), ids[2:])
        self.expect("rows", "ok 1")
        for name in ids[2:]:
            self.expect(f"commit {name}", "ok")
        harm()
        self.assertEqual(self.listed(), [])
        self.expect("rows", f"ok {FEW - 1}")
        self.fails(f"commit {ids[0]}", "not_found")
        self.fails("rollback never", "not_found")

    def test_server_killed(self):
        self.both_phases(self.kill_server)

    def test_program_killed(self):
        self.both_phases(self.kill_program)

    def test_both_killed(self):
        def harm():
            servers("kill", NAME, self.top)
            self.program.kill()
            servers("restart", NAME, self.top)
            self.program = self.start()
        self.both_phases(harm)


class Outcome(Killed):
    """Of a commit that was lost, which one server tells."""

    def test_what_has_ended_is_told(self):
        self.expect("write 1", "ok")
        self.expect("outcome", "ok 1")

    def test_what_ends_with_its_session_is_told(self):
        self.expect("begin 1", "ok")
        servers("sql", NAME, self.top, text="SELECT pg_terminate_backend(pid) FROM "
                "pg_stat_activity WHERE usename = 'tenon' AND state = 'idle in transaction'")
        self.expect("outcome", "ok 0")

    def test_a_restart_leaves_a_commit_unknown(self):
        """Its number may have been given again: it is better not to know."""
        self.expect("write 1", "ok")
        self.kill_server()
        self.fails("outcome", "uncertain")
        self.expect("rows", "ok 1")

    def test_a_restart_does_not_make_it_committed(self):
        """Nor when others have had its number since."""
        self.expect("begin 1", "ok")
        self.kill_server()
        self.assertNotEqual(self.program.ask("outcome"), "ok 1")
        kept = self.program
        self.program = self.start()
        for number in range(2, 20):
            self.expect(f"write {number}", "ok")
        self.program = kept
        self.assertNotEqual(self.program.ask("outcome"), "ok 1")

    def test_what_is_prepared_is_not_rolled_back(self):
        self.expect("both again 1", "ok")
        self.kill_server()
        self.fails("outcome", "uncertain")
        self.expect("commit again", "ok")
        self.expect("rows", "ok 1")
        self.fails("outcome", "uncertain")

    def test_what_is_prepared_is_waited_for(self):
        self.expect("both later 1", "ok")
        begun = time.monotonic()
        self.fails("outcome", "timeout")
        self.assertGreater(time.monotonic() - begun, 3)
        self.expect("rollback later", "ok")
        self.expect("outcome", "ok 0")


class Refused(Killed):
    """A server that allows none, as one of the two does unless told otherwise."""

    how = ("--set", "max_prepared_transactions=0")

    def test_begin_says_what_to_set(self):
        answer = self.program.ask("prepare never 1")
        self.assertEqual(answer.split()[0], "unsupported")
        self.assertIn("set its max_prepared_transactions above 0", answer)
        self.assertEqual(self.program.ask("open never 1"), answer)
        self.expect("rows", "ok 0")

    def test_all_else_works(self):
        self.program.ask("prepare never 1")
        self.expect("write 1", "ok")
        self.expect("outcome", "ok 1")
        self.expect("rows", "ok 1")
        self.assertEqual(self.listed(), [])
        self.fails("commit never", "not_found")
        self.fails("rollback never", "not_found")


if __name__ == "__main__":
    cases = ["Prepared"] + ["Outcome", "Refused"] * (NAME == "postgresql")
    unittest.main(argv=sys.argv[:1] + cases, verbosity=2)
