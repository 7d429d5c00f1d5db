"""The fault proxy does what it is told: the other tests here rely on it."""

import os
import socket
import subprocess
import threading
import time
import unittest

PROXY = os.environ["TENON_FAULT_PROXY"]
SILENCE_S = 0.2


def echo(listener):
    """Send back what comes, on each connection, until its end."""
    def serve(peer):
        with peer:
            try:
                while data := peer.recv(65536):
                    peer.sendall(data)
            except OSError:
                pass

    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(peer,), daemon=True).start()


class Proxy(unittest.TestCase):
    def setUp(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.addCleanup(listener.close)
        self.addCleanup(listener.shutdown, socket.SHUT_RDWR)
        threading.Thread(target=echo, args=(listener,), daemon=True).start()
        target = f"127.0.0.1:{listener.getsockname()[1]}"
        self.process = subprocess.Popen([PROXY, target], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        self.port = int(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.assertEqual(0, self.process.wait(5))
        self.process.stdout.close()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def tell(self, line):
        self.assertEqual("ok", self.ask(line))

    def connect(self):
        peer = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        self.addCleanup(peer.close)
        return peer

    def send(self, text):
        peer = self.connect()
        peer.sendall(text)
        return peer

    def expect(self, peer, text):
        """Exactly this comes, and then nothing for a while."""
        self.expect_some(peer, text)
        peer.settimeout(SILENCE_S)
        self.assertRaises(TimeoutError, peer.recv, 1)
        peer.settimeout(5)

    def expect_some(self, peer, text):
        data = b""
        while len(data) < len(text):
            piece = peer.recv(len(text) - len(data))
            self.assertNotEqual(b"", piece, data)
            data += piece
        self.assertEqual(text, data)

    def test_passes_both_ways(self):
        big = os.urandom(1 << 20)
        peer = self.connect()
        threading.Thread(target=peer.sendall, args=(big,)).start()
        self.expect(peer, big)
        self.assertEqual(f"1 {len(big)} {len(big)}", self.ask("count"))
        peer.shutdown(socket.SHUT_WR)
        self.assertEqual(b"", peer.recv(1))

    def test_holes(self):
        self.tell("hole 3 down")
        self.expect(self.send(b"abcdef"), b"abc")
        self.tell("hole 4 up")
        self.expect(self.send(b"abcdef"), b"abcd")
        self.tell("pass")
        peer = self.send(b"abc")
        self.expect(peer, b"abc")
        self.tell("hole 2 both")
        peer.sendall(b"defgh")
        self.expect(peer, b"de")
        self.tell("hole 0 down")
        peer.sendall(b"ijk")
        self.expect(peer, b"")
        self.tell("pass")
        self.expect(peer, b"fghijk")

    def test_resets(self):
        self.tell("reset 3 down")
        peer = self.send(b"abcdef")
        self.expect_some(peer, b"abc")
        self.assertRaises(ConnectionResetError, peer.recv, 1)
        self.tell("pass")
        peer = self.send(b"abc")
        self.expect(peer, b"abc")
        self.tell("reset 0 both")
        self.assertRaises(ConnectionResetError, peer.recv, 1)

    def test_half_closes(self):
        self.tell("half 3 down")
        peer = self.send(b"abcdef")
        self.expect_some(peer, b"abc")
        self.assertEqual(b"", peer.recv(1))
        self.tell("half 3 up")
        peer = self.send(b"abcdef")
        self.expect_some(peer, b"abc")
        self.assertEqual(b"", peer.recv(1))

    def test_greetings(self):
        self.tell("silent")
        self.expect(self.send(b"abc"), b"")
        self.tell("refuse")
        self.assertEqual(b"", self.connect().recv(1))
        self.tell("backlog")
        peer = socket.socket()
        self.addCleanup(peer.close)
        peer.settimeout(SILENCE_S)
        self.assertRaises(TimeoutError, peer.connect, ("127.0.0.1", self.port))
        self.tell("pass")
        self.expect(self.send(b"abc"), b"abc")

    def test_slices(self):
        self.tell("slice 1 400000")
        began = time.monotonic()
        peer = self.send(b"abc")
        self.assertEqual([b"a", b"b", b"c"], [peer.recv(9) for _ in range(3)])
        self.assertGreater(time.monotonic() - began, 0.7)

    def test_delay_and_rate(self):
        self.tell("delay 100")
        began = time.monotonic()
        self.expect_some(self.send(b"abc"), b"abc")
        self.assertGreater(time.monotonic() - began, 0.2)
        self.tell("pass")
        self.tell("rate 100000")
        began = time.monotonic()
        self.expect_some(self.send(b"a" * 20000), b"a" * 20000)
        self.assertGreater(time.monotonic() - began, 0.18)

    def test_a_client_that_leaves_is_noticed_in_any_state(self):
        for rule in ("pass", "silent", "hole 0 up", "hole 0 down",
                     "hole 0 both", "half 0 down"):
            self.tell(rule)
            for _ in range(300):  # more than it has room for at a time
                peer = self.connect()
                peer.sendall(b"abc")
                peer.close()
        self.tell("pass")
        self.expect(self.send(b"abc"), b"abc")

    def test_a_server_that_is_not_there(self):
        with subprocess.Popen([PROXY, "127.0.0.1:1"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as process:
            port = int(process.stdout.readline())
            with socket.create_connection(("127.0.0.1", port)) as peer:
                self.assertRaises(ConnectionResetError, peer.recv, 1)

    def test_nonsense_is_told(self):
        self.assertEqual('what is "hole 3"?', self.ask("hole 3"))
        self.assertEqual('what is "hole 3 sideways"?',
                         self.ask("hole 3 sideways"))


if __name__ == "__main__":
    unittest.main()
