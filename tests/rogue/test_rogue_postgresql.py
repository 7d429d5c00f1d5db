"""Servers that speak PostgreSQL's protocol and mean harm (protocol 3.0:
https://www.postgresql.org/docs/15/protocol-message-formats.html)."""

import json
import ssl
import struct
import unittest

from rogue import DEADLINE, RogueTest, garbage

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


# The answers to what prepares a statement; and a column, an integer in binary.
PREPARED = message(b"1") + message(b"t", struct.pack("!h", 0))
COLUMN = b"n\0" + struct.pack("!ihihih", 0, 0, 23, 4, -1, 1)


def read_statement(peer):
    """What the tool was told to run has come."""
    _, body = read_message(peer)
    assert b"SELECT 1" in body, body
    peer.arrive()


def answering(data):
    """A server that answers the first statement with `data`."""
    def conversation(peer):
        welcome(peer)
        read_statement(peer)
        peer.send(data)
        peer.end()
    return conversation


class Passwords(RogueTest):
    scheme = "postgresql"

    def ask(self, *requests, tls=None, at_once=False):
        def conversation(peer):
            start(peer, tls)
            *others, last = (message(b"R", body) for body in requests)
            if at_once:
                last = b"".join([*others, last])
                others = []
            for request in others:
                peer.send(request)
                read_message(peer)
            peer.arrive()
            peer.send(last)
            read_message(peer)
            peer.send(message(b"E", error_fields(b"no", b"28000")))
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
            peer.arrive()
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
                met = self.keeps_the_password(self.ask(struct.pack("!i", kind)))
                self.assertIn('"auth"', met.err, met)

    def test_not_a_byte_of_the_login_without_tls(self):
        met = self.keeps_the_password(self.ask(AUTH_CLEAR), "?tls=require",
                                      is_met=False)
        self.assertNotIn(b"user", met.received, met)
        self.assertIn("does not support SSL", met.err, met)

    def test_old_versions_of_tls_are_refused(self):
        for version, options in (
                (ssl.TLSVersion.TLSv1, ""), (ssl.TLSVersion.TLSv1_1, ""),
                (ssl.TLSVersion.TLSv1_2, "&tls_min_version=1.3")):
            with self.subTest(version):
                tls = (self.certificates, "good", version)
                met = self.keeps_the_password(self.ask(AUTH_CLEAR, tls=tls),
                                              "?tls=require" + options,
                                              is_met=False)
                self.assertNotIn(b"user", met.received, met)
                self.assertIn("protocol version", met.err, met)

    def test_data_before_tls_is_refused(self):
        def conversation(peer):
            peer.read(8)
            peer.arrive()
            peer.send(b"S" + message(b"R", AUTH_OK) + message(b"Z", b"I"))
            peer.read_rest()
        met = self.keeps_the_password(conversation, "?tls=require")
        self.assertIn('"connect"', met.err, met)
        self.assertNotIn(b"user", met.received, met)


class Answers(RogueTest):
    scheme = "postgresql"

    def test_a_text_of_16_megabytes_is_cut(self):
        text = b"x" * (16 << 20)
        met = self.meet(answering(failure(text)))
        self.assertIn("xxx", met.err)
        self.assertLess(len(met.err), 8192)

    def test_control_characters_are_escaped(self):
        evil = b"\x1b]0;owned\x07\x1b[2J\r\x08\xc2\x9b31m"
        met = self.meet(answering(failure(evil)))
        self.assertIn("owned", met.err, met)

    def test_notices_are_escaped_too(self):
        def conversation(peer):
            welcome(peer)
            peer.send(message(b"N", error_fields(b"\x1b[31mnotice")))
            read_statement(peer)
            peer.send(failure(b"no"))
            peer.end()
        met = self.meet(conversation)
        self.assertIn('"message":"no"', met.err, met)

    def meet_lies(self, lies, conversation):
        for name, data in lies.items():
            with self.subTest(name):
                met = self.meet(conversation(data))
                self.assertNotIn(met.code, (0, DEADLINE), met)

    def test_lengths_that_lie_are_errors(self):
        self.meet_lies({
            "message too long": b"T" + struct.pack("!i", 0x7fffffff),
            "negative length": b"T" + struct.pack("!i", -5),
            "zero length": b"D" + struct.pack("!i", 0),
            "more columns than sent":
                PREPARED + message(b"T", struct.pack("!h", 400) + COLUMN),
        }, answering)

    @staticmethod
    def selecting(data):
        """A server that gives one row, `data`, of one column."""
        def conversation(peer):
            welcome(peer)
            read_message(peer)
            row = message(b"T", struct.pack("!h", 1) + COLUMN)
            peer.send(PREPARED + row + message(b"Z", b"I"))
            while read_message(peer)[0] != b"E":
                pass
            peer.arrive()
            peer.send(message(b"2") + row + message(b"D", data) +
                      message(b"C", b"SELECT 1\0") + message(b"Z", b"I"))
            peer.end()
        return conversation

    def test_rows_that_lie_are_errors(self):
        self.meet_lies({
            "a field longer than its row":
                struct.pack("!hi", 1, 0x7ffffff0) + b"abcd",
            "more fields than columns":
                struct.pack("!h", 300) + struct.pack("!i", 0) * 300,
            "an int of 3 bytes": struct.pack("!hi", 1, 3) + b"abc",
        }, self.selecting)

    def test_a_field_of_negative_length_is_null(self):
        met = self.meet(self.selecting(struct.pack("!hi", 1, -7)))
        self.assertEqual(0, met.code, met)
        self.assertEqual([[None]], json.loads(met.out)["rows"], met)

    def test_a_copy_that_nobody_asked_for_is_an_error(self):
        body = struct.pack("!bhh", 0, 1, 0)
        for kind in (b"G", b"H", b"W"):
            with self.subTest(kind=kind):
                met = self.meet(answering(message(kind, body) +
                                          message(b"Z", b"I")))
                self.assertNotIn(met.code, (0, DEADLINE), met)

    def test_an_endless_drip_ends_at_the_deadline(self):
        def conversation(peer):
            welcome(peer)
            read_statement(peer)
            while True:
                peer.drip(message(b"S", b"application_name\0x\0"), 0.02)
        self.meet_endless(conversation)

    def test_an_endless_flood_ends_at_the_deadline(self):
        def conversation(peer):
            welcome(peer)
            read_statement(peer)
            notice = message(b"N", error_fields(b"again")) * 100
            while True:
                peer.send(notice)
        self.meet_endless(conversation)

    def test_noise_is_an_error(self):
        for seed in range(60):
            with self.subTest(seed=seed):
                noise = garbage(seed, 400)

                def conversation(peer, noise=noise, seed=seed):
                    if seed % 3 == 1:
                        start(peer)
                    elif seed % 3 == 2:
                        welcome(peer)
                        read_statement(peer)
                    peer.arrive()
                    peer.send(noise)
                    peer.end()
                met = self.meet(conversation)
                self.assertNotIn(met.code, (0, DEADLINE), met)


if __name__ == "__main__":
    unittest.main()
