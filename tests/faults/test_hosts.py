"""Several servers, and what becomes of them: test_hosts.py NAME DIR.

NAME is pgpair, mypair or galera; tests/servers has started it in DIR. A load
(load.c) checks by itself that no write that was acknowledged is lost; where
each single loan counts, loans.c takes them."""
import os
import re
import sys
import time
import unittest

from driver import AWAY, Load, Pipe, servers, wait_until

LOANS = os.environ["TENON_FAULTS_LOANS"]
READERS = os.environ["TENON_FAULTS_READERS"]
PREPARED = os.environ["TENON_FAULTS_PREPARED"]
PROXY = os.environ["TENON_FAULT_PROXY"]
NAME, DIR = sys.argv[1], sys.argv[2]
THREADS = 8
SERVICE_S = 3  # from when a server takes writes until all threads are served
ENGINE = f"max_pool_size={THREADS}&max_overflow=0&pool_retry_time=1&query_timeout=1"


class Hosts(unittest.TestCase):
    """What both pairs and the cluster need. Where a session is, `place` tells:
    the port of its server."""

    place = "SELECT @@port"
    can_restart = True
    is_changed = False  # by a test: the next one begins with new servers

    def setUp(self):
        if self.can_restart and Hosts.is_changed:
            servers("start", NAME, DIR)
        Hosts.is_changed = False
        self.url = servers("url", NAME, DIR)
        hosts = self.url.split("@")[1].split("/")[0].split(",")
        self.ports = [int(host.rpartition(":")[2]) for host in hosts]

    @staticmethod
    def sql(number, *lines):
        Hosts.is_changed = True
        return servers("sql", f"{NAME}.{number}", DIR, text="\n".join(lines))

    @staticmethod
    def kill(number):
        Hosts.is_changed = True
        servers("kill", f"{NAME}.{number}", DIR)

    def loans(self, options):
        pipe = Pipe(LOANS, f"{self.url}?{ENGINE}&{options}")
        self.addCleanup(pipe.kill)
        self.assertEqual(pipe.first, "ready")
        return pipe

    def load(self, options):
        load = Load(f"{self.url}?{ENGINE}&{options}", THREADS)
        self.addCleanup(load.kill)
        load.expect_service(5)
        return load

    def where(self, options):
        """The number of the server that a connection leads to."""
        answer = self.loans(options).ask(f"run {self.place}").split()
        self.assertEqual(answer[0], "ok", answer)
        return self.ports.index(int(answer[1])) + 1

    def refusal(self, options):
        """Why no server will do, in how many seconds: a line for each."""
        began = time.monotonic()
        answer = self.loans(options).ask(f"run {self.place}")
        self.assertEqual(answer.split()[0], "connect", answer)
        lines = answer.split(" | ", 1)[1].split("|")
        self.assertEqual(len(lines), len(self.ports), answer)
        for port, line in zip(self.ports, lines):
            self.assertIn(f":{port}: ", line)
        return lines, time.monotonic() - began

    def spread(self, tries):
        """Which servers so many connections of a random order lead to."""
        pipe = self.loans("host_policy=random&pool_kind=null")
        return {pipe.ask(f"run {self.place}").split()[1] for _ in range(tries)}


class Pair(Hosts):
    """Two servers: the first takes writes, the second does not."""

    def test_policies(self):
        for policy, number in (("first", 1), ("primary", 1), ("standby", 2),
                               ("prefer-standby", 2)):
            with self.subTest(policy):
                self.assertEqual(self.where(f"host_policy={policy}"), number)
        self.assertEqual(len(self.spread(24)), 2)

    def test_standby_killed(self):
        self.kill(2)
        self.assertEqual(self.where("host_policy=prefer-standby"), 1)
        self.assertEqual(self.where("host_policy=random"), 1)
        lines, _ = self.refusal("host_policy=standby")
        self.assertIn("host_policy=standby wants a standby", lines[0])
        self.assertIn("refused", lines[1])

    def test_primary_killed(self):
        """Without a primary writes fail in time and say why; then all goes on."""
        load = self.load("host_policy=primary")
        self.kill(1)
        lines, seconds = self.refusal("host_policy=primary")
        self.assertIn("refused", lines[0])
        self.assertIn("host_policy=primary wants a primary", lines[1])
        self.assertLess(seconds, 2)
        self.assertEqual(self.where("host_policy=prefer-standby"), 2)
        self.promote()
        load.expect_service(SERVICE_S)
        self.assertTrue(load.end(AWAY)["errors"])
        self.assertEqual(self.where("host_policy=primary"), 2)

    def test_own_writes_are_read(self):
        """From a replica that is late, and what became of it is said."""
        proxy = Pipe(PROXY, self.source())
        self.addCleanup(proxy.kill)
        self.follow(int(proxy.first))
        self.assertEqual(proxy.ask("delay 15"), "ok")
        readers = self.readers()
        self.assertEqual(proxy.ask("delay 300"), "ok")
        _, primary, stale = self.counts(readers.ask("plain 80"))
        self.assertEqual(primary, 0)
        self.assertGreater(stale, 40, "the replica is not late: this tests nothing")
        self.assertEqual(proxy.ask("delay 15"), "ok")
        self.assertEqual(self.counts(readers.ask("after 1000 5000")), [1000, 0, 0])
        self.assertEqual(proxy.ask("delay 3000"), "ok")
        replica, primary, stale = self.counts(readers.ask("after 40 50"))
        self.assertEqual(stale, 0)
        self.assertGreater(primary, 30, f"{replica} readers had it in time")
        self.kill(2)
        self.assertEqual(self.counts(readers.ask("after 40 50"))[2], 0)

    def test_readers_follow_a_promotion(self):
        readers = self.readers()
        self.assertEqual(self.counts(readers.ask("after 80 5000"))[2], 0)
        self.kill(1)
        self.promote()
        self.assertEqual(readers.ask(f"write {SERVICE_S * 1000}"), "ok 0 1 0")
        _, primary, stale = self.counts(readers.ask("after 80 5000"))
        self.assertEqual((primary, stale), (0, 0), "what was promoted has its own writes")

    def test_silent_replica(self):
        """One that answers no more holds nobody up for longer than was said."""
        proxy = Pipe(PROXY, f"127.0.0.1:{self.ports[1]}")
        self.addCleanup(proxy.kill)
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        self.assertIn(hosts, self.url)
        url = self.url.replace(hosts, f"127.0.0.1:{proxy.first}")
        readers = self.readers(f"{url}?max_pool_size={THREADS}&max_overflow=0")
        self.assertEqual(self.counts(readers.ask("after 80 5000"))[1:], [0, 0])
        self.assertEqual(proxy.ask("hole 0 both"), "ok")
        began = time.monotonic()
        self.assertEqual(self.counts(readers.ask("after 8 300")), [0, 8, 0])
        self.assertLess(time.monotonic() - began, 1.5)

    def readers(self, replica=None):
        """Programs that write to the primary and read from the other."""
        pipe = Pipe(READERS, f"{self.url}?{ENGINE}&host_policy=primary",
                    replica or f"{self.url}?{ENGINE}&host_policy=prefer-standby")
        self.addCleanup(pipe.kill)
        self.assertEqual(pipe.first, "ready")
        return pipe

    def counts(self, answer):
        self.assertEqual(answer.split()[0], "ok", answer)
        return [int(word) for word in answer.split()[1:]]

    def source(self):
        """Where the standby gets all from."""
        raise NotImplementedError

    def follow(self, port):
        """Let the standby get it from that port; commits do not wait for it."""
        raise NotImplementedError

    def promote(self):
        raise NotImplementedError


class PgPair(Pair):

    place = "SELECT inet_server_port()"

    def setting(self):
        return re.search("host=.*", self.sql(2, "SHOW primary_conninfo"))[0].strip()

    def source(self):
        folder, port = re.match("host=([^ ]+) port=([0-9]+)", self.setting()).groups()
        return f"{folder}/.s.PGSQL.{port}"

    def follow(self, port):
        source = re.sub("port=[0-9]+", f"port={port}",
                        re.sub("host=[^ ]+", "host=127.0.0.1", self.setting()))
        self.sql(1, "ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
        self.sql(2, f"ALTER SYSTEM SET primary_conninfo = '{source}'", "SELECT pg_reload_conf()")
        wait_until(lambda: "streaming" in self.sql(1, "SELECT state FROM pg_stat_replication")
                   and f"port={port}" in self.sql(2, "SELECT conninfo FROM pg_stat_wal_receiver"),
                   10, "the standby streams")

    def promote(self):
        self.sql(2, "SELECT pg_promote(true, 10)")

    def test_promoted_standby(self):
        """A session that is idle is found out before it is lent."""
        idle = self.loans("host_policy=standby&pool_ping_time=1")
        self.assertEqual(idle.ask(f"run {self.place}"), f"ok {self.ports[1]}")
        self.promote()
        time.sleep(1.1)
        answer = idle.ask(f"run {self.place}")
        self.assertEqual(answer.split()[0], "connect", answer)
        self.assertIn("host_policy=standby wants a standby", answer)

    def test_what_was_prepared_follows_a_promotion(self):
        """What became of a commit does not: its number may be another's there."""
        pipe = Pipe(PREPARED, f"{self.url}?host_policy=primary")
        self.addCleanup(pipe.kill)
        for line in ("setup", "prepare kept 1", "write 2", "begin 3"):
            self.assertEqual(pipe.ask(line), "ok")
        self.kill(1)
        self.promote()
        wait_until(lambda: pipe.ask("list") == "ok kept", SERVICE_S, "it is prepared there")
        answer = pipe.ask("outcome")
        self.assertEqual(answer.split()[0], "uncertain", answer)
        self.assertEqual(pipe.ask("rows"), "ok 1")
        self.assertEqual(pipe.ask("commit kept"), "ok")
        self.assertEqual(pipe.ask("rows"), "ok 2")
        servers("start", NAME, DIR)  # where one is prepared still, on the first

    def test_read_only(self):
        """A server that takes no more writes is left by who wants to write."""
        pipe = self.loans("target_session_attrs=read-write")
        self.assertEqual(pipe.ask("run CREATE TABLE t (a int)"), "ok")
        self.sql(1, "ALTER SYSTEM SET default_transaction_read_only = on",
                 "SELECT pg_reload_conf()")
        wait_until(lambda: not pipe.ask("run INSERT INTO t VALUES (1)").startswith("ok"), 5,
                   "read-only")
        answer = pipe.ask("run SELECT 1")
        self.assertEqual(answer.split()[0], "connect", answer)

    def test_access_is_the_users(self):
        """What a session sets for itself says nothing of the server."""
        pipe = self.loans("target_session_attrs=read-write")
        pipe.ask("run CREATE TABLE u (a int)")
        pipe.ask("hold")
        self.assertEqual(pipe.ask("held BEGIN READ ONLY"), "ok")
        answer = pipe.ask("held INSERT INTO u VALUES (1)")
        self.assertEqual(answer.split()[:2], ["read_only", "aborted"], answer)
        self.assertEqual(pipe.ask("held ROLLBACK"), "ok")


class MyPair(Pair):

    def source(self):
        return f"127.0.0.1:{self.ports[0]}"

    def follow(self, port):
        self.sql(1, "SET GLOBAL rpl_semi_sync_master_enabled = 0")
        self.sql(2, "STOP SLAVE", f"CHANGE MASTER TO MASTER_PORT = {port}", "START SLAVE")
        wait_until(lambda: "Yes\tYes" in self.sql(2, "SHOW SLAVE STATUS"), 10, "it follows")

    def promote(self):
        """When it has done all that it was sent."""
        self.sql(2, "STOP SLAVE IO_THREAD")
        names, values = (line.split("\t") for line in self.sql(2, "SHOW SLAVE STATUS").split("\n"))
        at = dict(zip(names, values))["Gtid_IO_Pos"]
        if at:
            done = self.sql(2, f"SELECT MASTER_GTID_WAIT('{at}', 10)")
            self.assertEqual(done.splitlines()[-1], "0")
        self.sql(2, "STOP SLAVE", "SET GLOBAL read_only = 0")

    def switch(self):
        """Commits have waited until the replica had them, so it has all."""
        self.sql(1, "SET GLOBAL read_only = 1")
        self.promote()

    def sessions(self, number):
        found = self.sql(number, "SELECT count(*) FROM information_schema.processlist "
                         "WHERE user = 'tenon'")
        return int(found.splitlines()[-1])

    def test_demoted(self):
        """One error at most for each loan, and no session is left there."""
        load = self.load("host_policy=primary")
        self.switch()
        load.expect_service(SERVICE_S)
        wait_until(lambda: self.sessions(1) == 0, 2, "nobody is at the demoted server")
        errors = load.end(AWAY | {"read_only"})["errors"]
        self.assertLessEqual(errors.get("read_only", 0), THREADS, errors)

    def test_demoted_without_a_replica(self):
        """What it met stays so: the error of a write is clear and comes soon."""
        pipe = self.loans("host_policy=primary")
        pipe.ask("run CREATE TABLE t (a int)")
        self.assertEqual(pipe.ask("fill 4"), "ok")
        pipe.ask("hold")
        self.sql(1, "SET GLOBAL read_only = 1")
        answer = pipe.ask("run INSERT INTO t VALUES (1)")
        self.assertEqual(answer.split()[:2], ["read_only", "dead"], answer)
        answer = pipe.ask("run INSERT INTO t VALUES (1)")
        self.assertEqual(answer.split()[0], "connect", answer)
        self.assertIn("host_policy=primary wants a primary", answer)
        self.assertEqual(pipe.ask(f"held {self.place}"), f"ok {self.ports[0]}")
        self.assertEqual(pipe.ask("give"), "ok")
        self.assertEqual(pipe.ask("state").split()[1], "0", "all of its age have gone")

    def test_idle_sessions_change_over(self):
        """Both kinds are found out by their pings: no loan meets an error."""
        writer = self.loans("host_policy=primary&pool_ping_time=1")
        reader = self.loans("host_policy=standby&pool_ping_time=1")
        self.assertEqual(writer.ask(f"run {self.place}"), f"ok {self.ports[0]}")
        self.assertEqual(reader.ask(f"run {self.place}"), f"ok {self.ports[1]}")
        self.switch()
        time.sleep(1.1)
        self.assertEqual(writer.ask(f"run {self.place}"), f"ok {self.ports[1]}")
        self.assertEqual(reader.ask(f"run {self.place}"), f"ok {self.ports[0]}")

    def test_read_only_transaction(self):
        """What the session asked for says nothing of the server."""
        pipe = self.loans("host_policy=primary")
        pipe.ask("run CREATE TABLE u (a int)")
        pipe.ask("hold")
        self.assertEqual(pipe.ask("held START TRANSACTION READ ONLY"), "ok")
        answer = pipe.ask("held INSERT INTO u VALUES (1)")
        self.assertEqual(answer.split()[:2], ["read_only", "usable"], answer)


class Galera(Hosts):

    can_restart = False  # it takes a while

    def status(self, number):
        return self.sql(number, "SHOW STATUS LIKE 'wsrep_ready'").split()[-1]

    def test_isolated_node(self):
        """A node without the others is left, and taken again when it is back."""
        self.assertEqual(self.where("host_policy=primary"), 1)
        load = self.load("host_policy=first")
        self.sql(1, "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'")
        wait_until(lambda: self.status(1) == "OFF", 10, "the node is cut off")
        load.expect_service(SERVICE_S + 3)
        self.assertEqual(self.where("host_policy=first"), 2)
        load.end(AWAY)
        self.sql(1, "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'")
        wait_until(lambda: self.status(1) == "ON", 20, "the node is back")
        self.assertEqual(self.where("host_policy=first"), 1)

    def test_random(self):
        self.assertEqual(len(self.spread(40)), 3)

    def test_without_quorum(self):
        """What is left of a cluster is no server, and an idle session says so."""
        pipe = self.loans("pool_ping_time=1")
        self.assertEqual(pipe.ask(f"run {self.place}"), f"ok {self.ports[0]}")
        self.kill(2)
        self.kill(3)
        wait_until(lambda: self.status(1) == "OFF", 10, "the node is alone")
        time.sleep(1.1)
        answer = pipe.ask(f"run {self.place}")
        self.assertEqual(answer.split()[0], "connect", answer)
        lines, seconds = self.refusal("host_policy=first")
        self.assertIn("a cluster", lines[0])
        self.assertIn("non-Primary", lines[0])
        self.assertIn("refused", lines[1])
        self.assertLess(seconds, 2)


CASES = {"pgpair": PgPair, "mypair": MyPair, "galera": Galera}

if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(CASES[NAME])
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(not result.wasSuccessful())
