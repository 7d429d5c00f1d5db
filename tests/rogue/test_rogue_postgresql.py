"""Servers that speak PostgreSQL's protocol and mean harm (protocol 3.0:
https://www.postgresql.org/docs/15/protocol-message-formats.html)."""

import json
import ssl
import struct
import unittest

from rogue import RogueTest, garbage

SSL_REQUEST = 80877103
GSS_REQUEST = 80877104

AUTH_OK = struct.pack("!i", 0)
AUTH_CLEAR = struct.pack("!i", 3)
AUTH_SASL = struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0"
PARAMETERS = ("server_version\x0015.0", "client_encoding\0UTF8",
              "standard_conforming_strings\0on", "integer_datetimes\0on",
              "DateStyle\0ISO, MDY", "TimeZone\0UTC",
              "default_transaction_read_only\0off", "in_hot_standby\0off")


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def start(peer, tls=None, answer=b"N"):
    """Read up to the start-up packet; `tls` is (folder, certificate)."""
    while True:
        size, = struct.unpack("!i", peer.read(4))
        body = peer.read(size - 4)
        code, = struct.unpack("!i", body[:4])
        if code == GSS_REQUEST:
            peer.send(b"N")
        elif code == SSL_REQUEST and tls is not None:
            peer.send(b"S")
            peer.start_tls(*tls)
        elif code == SSL_REQUEST:
            peer.send(answer)
        else:
            return


def read_message(peer):
    kind = peer.read(1)
    size, = struct.unpack("!i", peer.read(4))
    return kind, peer.read(size - 4)


def welcome(peer):
    """Let the client in, and answer what it asks then: for the process's number."""
    start(peer)
    peer.send(message(b"R", AUTH_OK) +
              b"".join(message(b"S", row.encode() + b"\0")
                       for row in PARAMETERS) +
              message(b"K", struct.pack("!ii", 1, 2)) + message(b"Z", b"I"))
    kind, _ = read_message(peer)
    assert kind == b"Q", kind
    peer.send(message(b"T", struct.pack("!h", 1) + b"n\0" +
                      struct.pack("!ihihih", 0, 0, 23, 4, -1, 0)) +
              message(b"D", struct.pack("!hi", 1, 1) + b"1") +
              message(b"C", b"SELECT 1\0") + message(b"Z", b"I"))


def error_fields(text, state=b"XX000"):
    return b"SERROR\0VERROR\0C" + state + b"\0M" + text + b"\0\0"


def failure(text):
    return message(b"E", error_fields(text)) + message(b"Z", b"I")


def answering(data):
    """A server that answers the first statement with `data`."""
    def conversation(peer):
        welcome(peer)
        read_message(peer)
        peer.send(data)
        peer.read_rest()
    return conversation


class Passwords(RogueTest):
    scheme = "postgresql"

    def ask(self, *requests, tls=None, at_once=False):
        def conversation(peer):
            start(peer, tls)
            if at_once:
                peer.send(b"".join(message(b"R", body) for body in requests))
            else:
                for body in requests:
                    peer.send(message(b"R", body))
                    if body is not requests[-1]:
                        read_message(peer)
            peer.read_rest()
        return conversation

    def refuses_clear_text(self, conversation, options=""):
        met = self.keeps_the_password(conversation, options)
        error = json.loads(met.err)["error"]
        self.assertEqual("auth", error["category"], met)
        self.assertIn("clear", error["message"], met)

    def test_not_in_clear_text(self):
        self.refuses_clear_text(self.ask(AUTH_CLEAR))
        self.refuses_clear_text(self.ask(AUTH_CLEAR), "?tls=off")

    def test_not_in_clear_text_byte_by_byte(self):
        def conversation(peer):
            start(peer)
            peer.drip(message(b"R", AUTH_CLEAR), 0.01)
            peer.read_rest()
        self.refuses_clear_text(conversation)

    def test_not_after_another_kind_was_begun(self):
        self.refuses_clear_text(self.ask(AUTH_SASL, AUTH_CLEAR))

    def test_not_behind_another_request_in_one_packet(self):
        self.refuses_clear_text(self.ask(AUTH_SASL, AUTH_CLEAR, at_once=True))

    def test_not_to_a_server_whose_certificate_nobody_verified(self):
        tls = (self.certificates, "self")
        self.refuses_clear_text(self.ask(AUTH_CLEAR, tls=tls), "?tls=require")
        self.refuses_clear_text(self.ask(AUTH_CLEAR, tls=tls))

    def test_in_clear_text_once_the_certificate_was_verified(self):
        options = f"?tls=verify-full&tls_ca={self.certificate('ca.pem')}"
        conversation = self.ask(AUTH_CLEAR, tls=(self.certificates, "good"))
        met = self.meet(conversation, options, host="localhost")
        self.assertIn(b"q7Zt2mXw9LkB4vNs8RcY1hFd\0", met.received, met)
        met = self.keeps_the_password(conversation,
                                      options + "&clear_password=never",
                                      host="localhost")

    def test_in_clear_text_when_the_user_asked_for_it(self):
        met = self.meet(self.ask(AUTH_CLEAR), "?clear_password=always")
        self.assertIn(b"q7Zt2mXw9LkB4vNs8RcY1hFd\0", met.received, met)

    def test_unknown_kinds_are_refused(self):
        for kind in (2, 4, 6, 7, 8, 9, 13, 99, -1):
            with self.subTest(kind=kind):
                self.keeps_the_password(self.ask(struct.pack("!i", kind)))

    def test_not_a_byte_of_the_login_without_tls(self):
        def conversation(peer):
            start(peer)
            peer.read_rest()
        met = self.keeps_the_password(conversation, "?tls=require")
        self.assertNotIn(b"user", met.received, met)

    def test_old_versions_of_tls_are_refused(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.subTest(version):
                tls = (self.certificates, "good", version)
                met = self.keeps_the_password(self.ask(AUTH_CLEAR, tls=tls),
                                              "?tls=require")
                self.assertNotIn(b"user", met.received, met)
        tls = (self.certificates, "good", ssl.TLSVersion.TLSv1_2)
        self.keeps_the_password(self.ask(AUTH_CLEAR, tls=tls),
                                "?tls=require&tls_min_version=1.3")

    def test_data_before_tls_is_refused(self):
        def conversation(peer):
            start(peer, answer=b"S" + message(b"R", AUTH_OK) +
                  message(b"Z", b"I"))
            peer.read_rest()
        self.keeps_the_password(conversation, "?tls=require")


class Answers(RogueTest):
    scheme = "postgresql"

    def test_a_text_of_16_megabytes_is_cut(self):
        text = b"x" * (16 << 20)
        met = self.meet(answering(failure(text)))
        self.assertNotEqual(0, met.code, met)
        self.assertLess(len(met.err), 8192)

    def test_control_characters_are_escaped(self):
        evil = b"\x1b]0;owned\x07\x1b[2J\r\x08\xc2\x9b31m"
        met = self.meet(answering(failure(evil)))
        self.assertIn("owned", met.err, met)

    def test_notices_are_escaped_too(self):
        def conversation(peer):
            welcome(peer)
            peer.send(message(b"N", error_fields(b"\x1b[31mnotice")))
            read_message(peer)
            peer.send(failure(b"no"))
            peer.read_rest()
        self.meet(conversation)

    def test_lengths_that_lie_are_errors(self):
        column = b"n\0" + struct.pack("!ihihih", 0, 0, 23, 4, -1, 1)
        row = message(b"T", struct.pack("!h", 1) + column)
        ready = message(b"1") + message(b"t", struct.pack("!h", 0))
        cases = {
            "message too long": b"T" + struct.pack("!i", 0x7fffffff),
            "negative length": b"T" + struct.pack("!i", -5),
            "zero length": b"D" + struct.pack("!i", 0),
            "more columns than sent":
                ready + message(b"T", struct.pack("!h", 400) + column),
            "a field longer than its row":
                ready + row + message(b"2") +
                message(b"D", struct.pack("!hi", 1, 0x7ffffff0) + b"abcd"),
            "a field of negative length":
                ready + row + message(b"2") +
                message(b"D", struct.pack("!hi", 1, -7)),
            "more fields than columns":
                ready + row + message(b"2") +
                message(b"D", struct.pack("!h", 300) +
                        struct.pack("!i", 0) * 300),
            "an int of 3 bytes":
                ready + row + message(b"Z", b"I") + message(b"2") +
                message(b"D", struct.pack("!hi", 1, 3) + b"abc") +
                message(b"C", b"SELECT 1\0") + message(b"Z", b"I"),
        }
        for name, data in cases.items():
            with self.subTest(name):
                met = self.meet(answering(data))
                self.assertNotEqual(0, met.code, met)

    def test_a_copy_that_nobody_asked_for_is_an_error(self):
        body = struct.pack("!bhh", 0, 1, 0)
        for kind in (b"G", b"H", b"W"):
            with self.subTest(kind=kind):
                met = self.meet(answering(message(kind, body) +
                                          message(b"Z", b"I")))
                self.assertNotEqual(0, met.code, met)

    def test_an_endless_drip_ends_at_the_deadline(self):
        def conversation(peer):
            welcome(peer)
            while True:
                peer.drip(message(b"S", b"application_name\0x\0"), 0.02)
        met = self.meet(conversation)
        self.assertEqual(5, met.code, met)

    def test_an_endless_flood_ends_at_the_deadline(self):
        def conversation(peer):
            welcome(peer)
            notice = message(b"N", error_fields(b"again")) * 100
            while True:
                peer.send(notice)
        met = self.meet(conversation)
        self.assertEqual(5, met.code, met)

    def test_noise_is_an_error(self):
        for seed in range(60):
            with self.subTest(seed=seed):
                noise = garbage(seed, 400)

                def conversation(peer, noise=noise, seed=seed):
                    if seed % 3 == 0:
                        peer.send(noise)
                    elif seed % 3 == 1:
                        start(peer)
                        peer.send(noise)
                    else:
                        welcome(peer)
                        read_message(peer)
                        peer.send(noise)
                met = self.meet(conversation)
                self.assertNotEqual(0, met.code, met)


if __name__ == "__main__":
    unittest.main()
