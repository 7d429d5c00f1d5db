"""Servers that speak MySQL's protocol and mean harm
(https://mariadb.com/kb/en/clientserver-protocol/)."""

import json
import os
import ssl
import stat
import struct
import subprocess
import tempfile
import unittest

from rogue import DEADLINE, RogueTest, garbage

CLIENT_SSL = 0x800
CAPABILITIES = 0x00FFF7DF  # all of the lower 24 but CLIENT_SSL and LOCAL_FILES
LOCAL_FILES = 0x80
NONCE = b"0123456789abcdefghij"

# What the client sends once it is let in, and then what it was told to.
SET_UP = b"\x03SET NAMES"
STATEMENT = b"\x16SELECT 1"


def packet(number, body):
    """One or more packets, as many as `body` needs."""
    out = b""
    while len(body) >= 0xFFFFFF:
        out += b"\xff\xff\xff" + bytes([number % 256]) + body[:0xFFFFFF]
        body = body[0xFFFFFF:]
        number += 1
    return out + struct.pack("<I", len(body))[:3] + bytes([number % 256]) + body


def greeting(tls=False, plugin=b"mysql_native_password", version=b"5.7.99"):
    flags = CAPABILITIES | LOCAL_FILES | (CLIENT_SSL if tls else 0)
    return (b"\x0a" + version + b"\0" + struct.pack("<I", 1) + NONCE[:8] +
            b"\0" + struct.pack("<HBHHB", flags & 0xFFFF, 45, 2, flags >> 16,
                                len(NONCE) + 1) + b"\0" * 10 + NONCE[8:] +
            b"\0" + plugin + b"\0")


def read_packet(peer):
    header = peer.read(4)
    size = header[0] | header[1] << 8 | header[2] << 16
    return header[3], peer.read(size)


OK = b"\0\0\0\x02\0\0\0"


def login(peer, tls=None):
    """Greet and read the client's answer; return its number. `tls` is (folder,
    certificate)."""
    peer.send(packet(0, greeting(tls=tls is not None)))
    number, body = read_packet(peer)
    if tls is not None:
        assert len(body) == 32, body
        peer.start_tls(*tls)
        number, body = read_packet(peer)
    return number


def welcome(peer, beginning):
    """Let the client in and say yes until a command begins so: its number."""
    peer.send(packet(login(peer) + 1, OK))
    number, command = read_packet(peer)
    assert command.startswith(SET_UP), command
    while not command.startswith(beginning):
        peer.send(packet(number + 1, OK))
        number, command = read_packet(peer)
    peer.arrive()
    return number


def error(text, number=1105, state=b"HY000"):
    return b"\xff" + struct.pack("<H", number) + b"#" + state + text


def answering(body, beginning):
    """A server that answers the command that begins so with `body`."""
    def conversation(peer):
        peer.send(packet(welcome(peer, beginning) + 1, body))
        peer.end()
    return conversation


def switching(plugin, data=b"", tls=None):
    """A server that wants another way to authenticate."""
    def conversation(peer):
        number = login(peer, tls)
        peer.arrive()
        peer.send(packet(number + 1, b"\xfe" + plugin + b"\0" + data))
        number, _ = read_packet(peer)
        peer.send(packet(number + 1, error(b"no", 1045, b"28000")))
        peer.read_rest()
    return conversation


class Passwords(RogueTest):
    scheme = "mysql"

    def refuses_clear_text(self, conversation, options=""):
        met = self.keeps_the_password(conversation, options)
        error = json.loads(met.err)["error"]
        self.assertEqual("auth", error["category"], met)

    def test_not_in_clear_text(self):
        for plugin in (b"mysql_clear_password", b"dialog"):
            with self.subTest(plugin=plugin):
                self.refuses_clear_text(switching(plugin, b"\x04Password: "))

    def test_not_to_a_server_whose_certificate_nobody_verified(self):
        self.refuses_clear_text(
            switching(b"mysql_clear_password",
                      tls=(self.certificates, "self")), "?tls=require")

    def test_in_clear_text_once_the_certificate_was_verified(self):
        options = f"?tls=verify-full&tls_ca={self.certificate('ca.pem')}"
        conversation = switching(b"mysql_clear_password",
                                 tls=(self.certificates, "good"))
        met = self.meet(conversation, options, host="localhost")
        self.assertIn(b"q7Zt2mXw9LkB4vNs8RcY1hFd\0", met.received, met)
        self.keeps_the_password(conversation, options + "&clear_password=never",
                                host="localhost")

    def test_in_clear_text_when_the_user_asked_for_it(self):
        met = self.meet(switching(b"mysql_clear_password"),
                        "?clear_password=always")
        self.assertIn(b"q7Zt2mXw9LkB4vNs8RcY1hFd\0", met.received, met)

    def test_not_a_byte_of_the_login_without_tls(self):
        def conversation(peer):
            peer.arrive()
            peer.send(packet(0, greeting()))
            peer.read_rest()
        met = self.keeps_the_password(conversation, "?tls=require")
        self.assertNotIn(b"user", met.received, met)
        self.assertIn("the server does not offer it", met.err, met)

    def test_old_versions_of_tls_are_refused(self):
        for version, options in (
                (ssl.TLSVersion.TLSv1, ""), (ssl.TLSVersion.TLSv1_1, ""),
                (ssl.TLSVersion.TLSv1_2, "&tls_min_version=1.3")):
            with self.subTest(version):
                met = self.keeps_the_password(
                    switching(b"mysql_clear_password",
                              tls=(self.certificates, "good", version)),
                    "?tls=require" + options, is_met=False)
                self.assertNotIn(b"user", met.received, met)
                self.assertIn("protocol version", met.err, met)

    def test_the_name_of_a_plug_in_is_no_path(self):
        folder = tempfile.mkdtemp(prefix="tenon-evil-")
        self.addCleanup(subprocess.run, ["rm", "-rf", folder], check=True)
        source = os.path.join(folder, "evil.c")
        marker = os.path.join(folder, "loaded")
        with open(source, "w", encoding="ascii") as file:
            file.write("#include <stdio.h>\n"
                       "__attribute__((constructor)) static void run(void)\n"
                       f'{{ fclose(fopen("{marker}", "w")); }}\n')
        subprocess.run(["cc", "-shared", "-fPIC", "-o",
                        os.path.join(folder, "evil.so"), source], check=True)
        os.chmod(folder, stat.S_IRWXU)
        for name in (f"../../../../../../..{folder}/evil", f"{folder}/evil",
                     "evil"):
            for variable in ("LIBMYSQL_PLUGIN_DIR", "MARIADB_PLUGIN_DIR"):
                with self.subTest(name=name):
                    self.keeps_the_password(switching(name.encode()),
                                            env={variable: folder})
                    self.assertFalse(os.path.exists(marker))
        met = self.keeps_the_password(
            switching(b"evil"), is_met=False, env={
                "LIBMYSQL_PLUGINS": "evil", "LIBMYSQL_PLUGIN_DIR": folder,
                "MARIADB_PLUGIN_DIR": folder})
        self.assertIn("LIBMYSQL_PLUGINS", met.err, met)
        self.assertFalse(os.path.exists(marker))


class Answers(RogueTest):
    scheme = "mysql"

    def meet_at_both(self, body):
        """A server that answers so, first to what sets the session up, then to
        the statement: the tool fails, and not by its deadline."""
        for beginning in (SET_UP, STATEMENT):
            met = self.meet(answering(body, beginning))
            self.assertNotIn(met.code, (0, DEADLINE), met)
            yield met

    def test_no_file_is_sent(self):
        def asking(beginning):
            def conversation(peer):
                number = welcome(peer, beginning)
                peer.send(packet(number + 1, b"\xfb/etc/passwd"))
                number, body = read_packet(peer)
                assert body == b"", body
                peer.send(packet(number + 1, OK))
                peer.end()
            return conversation
        met = self.meet(asking(SET_UP))
        self.assertIn("infile forbidden", met.err, met)
        for beginning, sql in ((STATEMENT, "SELECT 1"),
                               (b"\x16LOAD DATA", "LOAD DATA LOCAL INFILE 'a' INTO TABLE t")):
            with self.subTest(sql):
                met = self.meet(answering(b"\xfb/etc/passwd", beginning), sql=sql)
                self.assertNotIn(met.code, (0, DEADLINE), met)
                self.assertNotIn(b"root:", met.received, met)

    def test_a_text_of_16_megabytes_is_cut(self):
        for met in self.meet_at_both(error(b"x" * (16 << 20))):
            self.assertIn("xxx", met.err)
            self.assertLess(len(met.err), 8192)

    def test_control_characters_are_escaped(self):
        evil = b"\x1b]0;owned\x07\x1b[2J\r\x08\xc2\x9b31m"
        for met in self.meet_at_both(error(evil)):
            self.assertIn("owned", met.err, met)

    def test_lengths_that_lie_are_errors(self):
        endless = b"\xfe" + b"\xff" * 8
        cases = {
            "an OK that promises more": b"\0" + endless + endless,
            "an OK cut short": b"\0",
            "a million columns": b"\xfd\xff\xff\xff",
            "columns without end": endless,
            "a statement with 65535 of all":
                b"\0" + struct.pack("<IHHBH", 1, 0xFFFF, 0xFFFF, 0, 0),
            "nothing": b"",
            "an error without its number": b"\xff",
        }
        for name, body in cases.items():
            with self.subTest(name):
                for _met in self.meet_at_both(body):
                    pass

    def test_an_endless_drip_ends_at_the_deadline(self):
        for beginning in (SET_UP, STATEMENT):
            with self.subTest(beginning=beginning):
                def conversation(peer, beginning=beginning):
                    welcome(peer, beginning)
                    peer.drip(b"\xff" * 4000, 0.02)
                self.meet_endless(conversation)

    def test_a_greeting_that_never_comes_ends_at_the_deadline(self):
        def conversation(peer):
            peer.arrive()
            peer.read_rest()
        self.meet_endless(conversation)

    def test_noise_is_an_error(self):
        for seed in range(80):
            with self.subTest(seed=seed):
                noise = garbage(seed, 400)

                def conversation(peer, noise=noise, seed=seed):
                    if seed % 4 == 0:
                        peer.arrive()
                        peer.send(noise)
                    elif seed % 4 == 1:
                        number = login(peer)
                        peer.arrive()
                        peer.send(packet(number + 1, noise))
                    else:
                        number = welcome(peer, (SET_UP, STATEMENT)[seed % 4 - 2])
                        peer.send(packet(number + 1, noise))
                    peer.end()
                met = self.meet(conversation)
                self.assertNotIn(met.code, (0, DEADLINE), met)


if __name__ == "__main__":
    unittest.main()
