"""tenon metrics: what another program's parser makes of the text."""

import os
import unittest

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from support import CONNECT, INTERNAL, PLUGIN, USAGE, TenonTest


# Only a TCP connection has them.
BYTES = {("tenon_received_bytes_total",), ("tenon_sent_bytes_total",)}


def read_samples(text):
    """Each sample by its name and its labels without the target; the targets."""
    samples, targets = {}, set()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = dict(sample.labels)
            targets.add(labels.pop("target"))
            key = (sample.name, *sorted(labels.items()))
            assert key not in samples, key
            samples[key] = sample.value
    return samples, targets


class Metrics(TenonTest):
    def check(self, text, url):
        samples, targets = read_samples(text)
        self.assertEqual({url}, targets)
        self.assertEqual(1, samples["tenon_connections", ("state", "idle")])
        self.assertEqual(0, samples["tenon_connections", ("state", "lent")])
        self.assertEqual(1, samples["tenon_takes_total",])
        self.assertEqual(1, samples["tenon_connects_total",])
        self.assertEqual(0, samples["tenon_connect_failures_total",])
        self.assertEqual(0, samples["tenon_failures_total",])
        self.assertEqual(0, samples["tenon_waits_total",])
        self.assertEqual(0, samples["tenon_wait_seconds_bucket", ("le", "+Inf")])
        self.assertTrue(text.endswith("\n# EOF\n"), text[-80:])

    def test_every_backend_says_the_same(self):
        named = {}
        self.check(self.succeed("metrics", self.url), self.url)
        named["sqlite"] = read_samples(self.succeed("metrics", self.url))[0]
        for name in ("postgresql", "mysql"):
            url = os.environ["TENON_TEST_" + name.upper()]
            login, _, place = url.partition("@")
            text = self.succeed("metrics", url)
            self.check(text, login.rpartition(":")[0] + ":***@" + place)
            named[name] = read_samples(text)[0]
        for name in ("postgresql", "mysql"):
            self.assertEqual(named[name].keys() - named["sqlite"].keys(), BYTES)
            self.assertEqual(set(), named["sqlite"].keys() - named[name].keys())
            for sample in BYTES:
                self.assertGreater(named[name][sample], 100)

    def test_bytes_that_nobody_counts_are_left_out(self):
        for name in ("postgresql", "mysql"):
            text = self.succeed("metrics", os.environ[f"TENON_TEST_{name.upper()}_UNIX"])
            self.assertNotIn("bytes", text)

    def test_the_target_is_found_as_elsewhere(self):
        url = os.environ["TENON_TEST_POSTGRESQL"]
        login, _, place = url.partition("@")
        user, _, password = login.rpartition(":")
        shown = user + ":***@" + place
        config = self.write("c.ini", f"[database:b]\nconnection = {user}@{place}\n"
                                     "password = env:SECRET\nmax_pool_size = 1\n")
        for words in (["env:URL"], ["--password", "env:SECRET", f"{user}@{place}"],
                      ["--config", config, "@b"], [url + "?pool_lifetime=60"]):
            with self.subTest(words=words[:2]):
                self.check(self.succeed(
                    "--deadline", "20s", "metrics", *words,
                    env={"URL": url, "SECRET": password}), shown)

    def test_a_failure_is_told_as_elsewhere(self):
        absent = "sqlite:////nonexistent/folder/x.db"
        for code, words in (
                (CONNECT, [absent]), (CONNECT, ["postgresql://127.0.0.1:1/x"]),
                (PLUGIN, ["nosuchdb:///x"]), (USAGE, [self.url + "?nonsense=1"]),
                (USAGE, ["no url"]), (USAGE, ["--deadline", "soon", self.url]),
                (USAGE, ["--config", self.write("c.ini", ""), "@b"])):
            with self.subTest(words=words):
                self.assertEqual(self.fail_with(code, "ping", *words),
                                 self.fail_with(code, "metrics", *words))
                self.assertEqual("", self.run_tool("metrics", *words).out)

    def test_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "wb") as full:
            done = self.run_tool("metrics", self.url, stdout=full)
        self.assertEqual(INTERNAL, done.code, done)
        self.assertIn("No space left", done.err)


if __name__ == "__main__":
    unittest.main()
