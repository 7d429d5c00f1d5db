"""A server that does what no server should, and the tool that meets it.

A test gives a conversation: a function that plays the server's side on one
socket. What the client sends is kept, so that a test can say what must not be
in it. When it is about to do harm it says so (Peer.arrive): a client that fails
or gives up before that has not met what the test is about.
"""

import os
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))

from support import TENON, environment  # noqa: E402

PASSWORD = "q7Zt2mXw9LkB4vNs8RcY1hFd"
DEADLINE_S = 3  # of what is to meet it
PATIENCE_S = 30  # of what is to end before
DEADLINE = 5  # what the tool exits with when it has passed
GRACE_S = 0.25

# A program under a sanitizer, on a busy machine, takes a while to start.
START_S = 10


class Gone(Exception):
    """The client has closed its end."""


class Peer:
    """The server's end of one connection; remembers what it was sent."""

    def __init__(self, sock):
        self.sock = sock
        self.received = bytearray()
        self.has_arrived = False

    def arrive(self):
        """The conversation has come to what the test is about."""
        self.has_arrived = True

    def send(self, data):
        self.sock.sendall(data)

    def read(self, size):
        data = bytearray()
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise Gone
            data += piece
            self.received += piece
        return bytes(data)

    def read_rest(self):
        """All that comes until the client closes."""
        try:
            while True:
                self.read(1)
        except (Gone, OSError):
            pass

    def end(self):
        """Nothing follows: whoever waits for more need not wait for long."""
        self.sock.shutdown(socket.SHUT_WR)
        self.read_rest()

    def start_tls(self, certificates, name, version=None):
        """`version`: the newest that is spoken, however old it is."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if version is not None:
            warnings.simplefilter("ignore", DeprecationWarning)
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = version
        context.load_cert_chain(os.path.join(certificates, name + ".pem"),
                                os.path.join(certificates, name + ".key"))
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def drip(self, data, pause_s):
        for byte in data:
            self.send(bytes([byte]))
            time.sleep(pause_s)


class Rogue:
    """Listens on loopback and holds `conversation` with whoever comes."""

    def __init__(self, conversation):
        self.conversation = conversation
        self.peers = []
        self.problems = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(sock,),
                             daemon=True).start()

    def talk(self, sock):
        peer = Peer(sock)
        self.peers.append(peer)
        try:
            self.conversation(peer)
        except (Gone, OSError):
            pass
        except Exception as problem:  # a fault of the test, not of the client
            self.problems.append(repr(problem))
        finally:
            peer.sock.close()

    def has_arrived(self):
        return any(peer.has_arrived for peer in self.peers)

    def received(self):
        return b"".join(bytes(peer.received) for peer in self.peers)

    def close(self):
        self.listener.close()


class Met:
    """How the tool fared."""

    def __init__(self, code, out, err, seconds, received):
        self.code = code
        self.out = out
        self.err = err
        self.seconds = seconds
        self.received = received

    def __repr__(self):
        return (f"exit {self.code} after {self.seconds:.2f} s\n"
                f"out: {self.out[:600]!r}\nerr: {self.err[:2000]!r}\n"
                f"received: {self.received[:300]!r}")


class RogueTest(unittest.TestCase):
    maxDiff = None
    scheme = ""

    @classmethod
    def setUpClass(cls):
        if not TENON:
            raise RuntimeError("TENON must name the program to test")
        cls.certificates = tempfile.mkdtemp(prefix="tenon-rogue-")
        cls.addClassCleanup(shutil.rmtree, cls.certificates)
        subprocess.run([os.path.join(os.path.dirname(HERE), "tls",
                                     "certificates"), cls.certificates],
                       check=True)

    def meet(self, conversation, options="", sql="SELECT 1", host="127.0.0.1",
             env=None, is_met=True, deadline_s=PATIENCE_S):
        """Send the tool to such a server; it must come back whole. `is_met`: it
        comes to what the conversation is about, or else it must not."""
        rogue = Rogue(conversation)
        self.addCleanup(rogue.close)
        url = (f"{self.scheme}://user:{PASSWORD}@{host}:{rogue.port}/db"
               f"{options}")
        begin = time.monotonic()
        done = subprocess.run(
            [TENON, "--format", "json", "query", url, sql,
             "--deadline", f"{deadline_s}s"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment(env), check=False,
            timeout=deadline_s + START_S + 30)
        met = Met(done.returncode, done.stdout.decode(errors="replace"),
                  done.stderr.decode(errors="replace"),
                  time.monotonic() - begin, rogue.received())
        self.assertEqual([], rogue.problems, met)
        self.assertEqual(is_met, rogue.has_arrived(), met)
        self.assertGreaterEqual(met.code, 0, met)
        if deadline_s == PATIENCE_S:
            self.assertNotEqual(DEADLINE, met.code, met)
        self.assertNotIn("Sanitizer", met.err, met)
        self.assertNotIn("runtime error", met.err, met)
        self.assertLess(met.seconds, deadline_s + GRACE_S + START_S, met)
        for text in (met.out, met.err):
            self.assertNotIn(PASSWORD, text)
            for character in text:
                self.assertTrue(character >= " " or character in "\n\t",
                                (character, met))
        return met

    def meet_endless(self, conversation):
        """It gives up at its deadline."""
        met = self.meet(conversation, deadline_s=DEADLINE_S)
        self.assertEqual(DEADLINE, met.code, met)

    def keeps_the_password(self, *args, **options):
        """It fails, and has not said the password nor any half of it."""
        met = self.meet(*args, **options)
        self.assertNotEqual(0, met.code, met)
        for start in range(0, len(PASSWORD) - 8):
            self.assertNotIn(PASSWORD[start:start + 8].encode(), met.received)
        return met

    def certificate(self, name):
        return os.path.join(self.certificates, name)


def garbage(seed, size):
    return random.Random(seed).randbytes(size)
