"""What was asked of TLS is what happens, or there is no connection: every kind
of certificate, every mode, every backend that has TLS, against real servers."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(TESTS, "cli"))

from support import TENON, environment  # noqa: E402

MODES = ("off", "prefer", "require", "verify-ca", "verify-full")

# Certificate, name of the server's host, and the modes that must not connect.
CERTIFICATES = (
    ("good", "localhost", ""),
    ("expired", "localhost", "verify-ca verify-full"),
    ("early", "localhost", "verify-ca verify-full"),
    ("stranger", "localhost", "verify-ca verify-full"),
    ("self", "localhost", "verify-ca verify-full"),
    ("revoked", "localhost", "verify-ca verify-full"),
    ("elsewhere", "localhost", "verify-full"),
    ("wildcard", "db.tenon.test", ""),
    ("wildcard", "localhost", "verify-full"),
    ("wildcard", "a.b.tenon.test", "verify-full"),
    ("address", "127.0.0.1", ""),
    ("address", "localhost", "verify-full"),
    ("weak", "localhost", "verify-ca verify-full"),
)

IS_ENCRYPTED = {
    "postgresql": "SELECT ssl AS is_on FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    "mysql": "SELECT VARIABLE_VALUE <> '' AS is_on FROM information_schema."
             "SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_cipher'",
}


class Matrix(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if not TENON:
            raise RuntimeError("TENON must name the program to test")
        cls.folder = tempfile.mkdtemp(prefix="tn-tls-", dir="/tmp")
        os.chmod(cls.folder, 0o755)
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.certificates = os.path.join(cls.folder, "certificates")
        subprocess.run([os.path.join(HERE, "certificates"), cls.certificates],
                       check=True)
        cls.hosts = os.path.join(cls.folder, "hosts")
        with open(cls.hosts, "w", encoding="ascii") as file:
            file.write("127.0.0.1 localhost db.tenon.test a.b.tenon.test\n")

    def servers(self, *words):
        return subprocess.run([os.path.join(TESTS, "servers"), *words],
                              check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip()

    def start(self, name, certificate):
        """Start the server anew; its URL."""
        self.servers("start", name, self.folder, "--tls", self.certificates,
                     "--certificate", certificate)
        self.addCleanup(self.servers, "stop", name, self.folder)
        url = self.servers("url", name, self.folder, "tcp")
        self.assertIn("@127.0.0.1:", url)
        return url

    def run_tool(self, *words):
        """Run the tool where the names of the certificates are known. In a
        chroot, whose root is no mount, nothing can be made private, so what is
        mounted is unmounted again."""
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c",
             'mount --make-rprivate / 2>/dev/null;'
             ' mount --bind "$0" /etc/hosts || exit;'
             ' "$@"; code=$?; umount /etc/hosts; exit $code', self.hosts, TENON,
             *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment(), text=True, timeout=60,
            check=False)

    @staticmethod
    def at(host, url, options):
        """The server's URL, by another name of its host."""
        return url.replace("@127.0.0.1:", f"@{host}:") + "?" + options

    def options(self, mode):
        if not mode.startswith("verify"):
            return "tls=" + mode
        return (f"tls={mode}&tls_ca={self.certificates}/ca.pem"
                f"&tls_crl={self.certificates}/crl.pem")

    def check(self, name, url, mode, is_refused):
        done = self.run_tool("--format", "csv", "query", url,
                             IS_ENCRYPTED[name], "--deadline", "20s")
        about = (name, mode, done.stdout, done.stderr)
        self.assertNotIn("Sanitizer", done.stderr, about)
        if is_refused:
            self.assertEqual(3, done.returncode, about)
            self.assertRegex(done.stderr, "(?i)certificate|key", about)
            return
        self.assertEqual(0, done.returncode, about)
        is_encrypted = done.stdout.split()[1] in ("true", "1")
        self.assertEqual(mode != "off", is_encrypted, about)

    def check_all(self, name):
        for certificate, host, refused in CERTIFICATES:
            url = self.start(name, certificate)
            for mode in MODES:
                with self.subTest(certificate=certificate, host=host,
                                  mode=mode):
                    self.check(name, self.at(host, url, self.options(mode)),
                               mode, mode in refused.split())

    def test_postgresql(self):
        self.check_all("postgresql")

    def test_mysql(self):
        self.check_all("mysql")

    def test_a_client_certificate_is_shown(self):
        sql = {
            "postgresql": "SELECT client_dn FROM pg_stat_ssl"
                          " WHERE pid = pg_backend_pid()",
        }
        url = self.at("localhost", self.start("postgresql", "good"),
                      self.options("verify-full") +
                      f"&tls_cert={self.certificates}/client.pem"
                      f"&tls_key={self.certificates}/client.key")
        done = self.run_tool("--format", "csv", "query", url,
                             sql["postgresql"])
        self.assertIn("CN=client", done.stdout, done)

    def test_without_an_authority_the_systems_are_asked(self):
        for name in IS_ENCRYPTED:
            with self.subTest(name):
                url = self.start(name, "good")
                done = self.run_tool("ping", self.at("localhost", url,
                                                     "tls=verify-full"))
                self.assertEqual(3, done.returncode, done)
                self.assertIn("certificate", done.stderr.lower(), done)


if __name__ == "__main__":
    unittest.main()
