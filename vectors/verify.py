#!/usr/bin/python3
"""An independent reader of Cairn's messages, written from docs/spec alone: every vector must come out as it says.

Needs Debian's python3-cbor2 and python3-cryptography, nothing else. Prints each disagreement and a count.
"""
import glob
import hashlib
import json
import os
import re
import sys
import unicodedata
import zlib

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

HERE = os.path.dirname(os.path.abspath(__file__))
MAX_INT = 2**53 - 1
MAX_32 = 2**32 - 1
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
CURVE_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
SKEW, DAY = 300, 86_400


class Refused(Exception):
    """A refusal by its stable code. Of a stream, `taken` is what came before it."""

    def __init__(self, code, detail="", taken=None):
        super().__init__(f"{code} {detail}")
        self.code, self.taken = code, taken


# ---- CBOR: core deterministic encoding of the subset (messages.md, "Encoding")
class Reader:
    def __init__(self, data, position=0):
        self.data, self.position, self.containers = data, position, 0

    def byte(self):
        if self.position >= len(self.data):
            raise Refused("CBOR_TRUNCATED")
        self.position += 1
        return self.data[self.position - 1]

    def argument(self, info):
        if info < 24:
            return info
        if info > 27:
            raise Refused("CBOR_UNSUPPORTED")
        size = 1 << (info - 24)
        value = int.from_bytes(bytes(self.byte() for _ in range(size)), "big")
        if value < (24 if size == 1 else 256 ** (size // 2)):
            raise Refused("CBOR_NON_MINIMAL")
        return value

    def take(self, length):
        if length > len(self.data) - self.position:
            raise Refused("CBOR_TOO_LONG")
        self.position += length
        return self.data[self.position - length : self.position]

    def item(self, depth=0):
        initial = self.byte()
        major, info = initial >> 5, initial & 31
        if major == 7:
            if initial in (0xF4, 0xF5, 0xF6):
                return {0xF4: False, 0xF5: True, 0xF6: None}[initial]
            raise Refused("CBOR_UNSUPPORTED")
        if major == 6:
            raise Refused("CBOR_UNSUPPORTED")
        argument = self.argument(info)
        if major <= 1:
            value = argument if major == 0 else -1 - argument
            if abs(value) > MAX_INT:
                raise Refused("CBOR_INTEGER_RANGE")
            return value
        if major == 2:
            return bytes(self.take(argument))
        if major == 3:
            try:
                return self.take(argument).decode("utf-8", "strict")
            except UnicodeDecodeError:
                raise Refused("CBOR_INVALID_UTF8") from None
        if depth >= 8:
            raise Refused("CBOR_TOO_DEEP")
        if (argument if major == 4 else 2 * argument) > len(self.data) - self.position:
            raise Refused("CBOR_TOO_LONG")
        self.containers += 1
        if self.containers > 10_000:
            raise Refused("CBOR_TOO_LONG")
        if major == 4:
            return [self.item(depth + 1) for _ in range(argument)]
        return self.map(argument, depth)

    def map(self, size, depth):
        content, previous = {}, None
        for _ in range(size):
            start = self.position
            if start < len(self.data) and self.data[start] >> 5 not in (0, 1, 3):
                raise Refused("CBOR_UNSUPPORTED")
            key = self.item()
            encoded = self.data[start : self.position]
            if previous is not None and encoded <= previous:
                raise Refused("CBOR_DUPLICATE_KEY" if encoded == previous else "CBOR_UNSORTED_KEYS")
            previous = encoded
            content[key] = self.item(depth + 1)
        return content


def decode(data):
    reader = Reader(data)
    value = reader.item()
    if reader.position != len(data):
        raise Refused("CBOR_TRAILING_BYTES")
    if cbor2.dumps(value, canonical=False) and cbor2.loads(data) != value:
        raise Refused("ORACLE", "cbor2 reads something else")
    return value


def sequence(data):
    position = 0
    while position < len(data):
        reader = Reader(data, position)
        value = reader.item()
        yield value, data[position : reader.position]
        position = reader.position


def head(major, length):
    if length < 24:
        return bytes([major << 5 | length])
    for info, size in ((24, 1), (25, 2), (26, 4)):
        if length < 256**size:
            return bytes([major << 5 | info]) + length.to_bytes(size, "big")
    raise ValueError(length)


def bstr(content):
    return head(2, len(content)) + content


# ---- keys and signatures
def cose_key(value):
    if not isinstance(value, dict) or set(value) != {1, -1, -2, -3}:
        raise Refused("COSE_KEY_INVALID")
    x, odd = value[-2], value[-3]
    fine = value[1] == 2 and value[-1] == 1 and isinstance(x, bytes) and len(x) == 32 and isinstance(odd, bool)
    if not fine or value[1] is True or value[-1] is True or int.from_bytes(x, "big") >= PRIME:
        raise Refused("COSE_KEY_INVALID")
    return {"x": x.hex(), "yIsOdd": odd}


def point(key):
    """(x, y) on the curve, or None."""
    x = int(key["x"], 16)
    square = (x * x * x - 3 * x + CURVE_B) % PRIME
    y = pow(square, (PRIME + 1) // 4, PRIME)
    if y * y % PRIME != square:
        return None
    return x, (PRIME - y if (y & 1) != key["yIsOdd"] else y)


def thumbprint(key):
    on_curve = point(key)
    if on_curve is None:
        raise Refused("COSE_KEY_INVALID")
    x, y = on_curve
    content = bytes([0xA4, 1, 2, 0x20, 1, 0x21]) + bstr(x.to_bytes(32, "big")) + b"\x22" + bstr(y.to_bytes(32, "big"))
    return hashlib.sha256(content).hexdigest()


def good_signature(key, content, signature):
    on_curve = point(key)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if on_curve is None or r == 0 or s == 0:
        return False
    public = ec.EllipticCurvePublicNumbers(*on_curve, ec.SECP256R1()).public_key()
    try:
        public.verify(utils.encode_dss_signature(r, s), content, ec.ECDSA(hashes.SHA256()))
        return True
    except InvalidSignature:
        return False


# ---- fields (messages.md, "The messages")
def invalid(name):
    return Refused("MESSAGE_FIELD_INVALID", name)


def number(maximum):
    def read(value, name):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= maximum:
            raise invalid(name)
        return value

    return read


def minor(value, name):
    return str(number(MAX_INT)(value, name))


def octets(length):
    def read(value, name):
        if not isinstance(value, bytes) or len(value) != length:
            raise invalid(name)
        return value.hex()

    return read


def form(pattern, maximum):
    def read(value, name):
        if not isinstance(value, str) or len(value.encode("utf-16-le")) // 2 > maximum or not re.fullmatch(pattern, value):
            raise invalid(name)
        return value

    return read


# Characters that ECMAScript's String.trim removes: white space and line ends of Unicode.
BLANKS = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def shown(maximum):
    def read(value, name):
        if not isinstance(value, str) or not 1 <= len(value.encode()) <= maximum:
            raise invalid(name)
        if any(unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co") for each in value):
            raise invalid(name)
        if value != unicodedata.normalize("NFC", value) or value != value.strip(BLANKS):
            raise invalid(name)
        return value

    return read


def one_of(allowed):
    def read(value, name):
        if isinstance(value, bool) or value not in allowed:
            raise invalid(name)
        return value

    return read


def confirmation(value, name):
    if not isinstance(value, dict) or set(value) != {1}:
        raise invalid(name)
    return cose_key(value[1])


def curve_key(value, _name):
    key = cose_key(value)
    if point(key) is None:
        raise Refused("COSE_KEY_INVALID")
    return key


def row(**columns):
    def read(value, name):
        if not isinstance(value, list) or len(value) != len(columns):
            raise invalid(name)
        return {each: codec(part, each) for (each, codec), part in zip(columns.items(), value)}

    return read


def list_of(codec, maximum):
    def read(value, name):
        if not isinstance(value, list) or len(value) > maximum:
            raise invalid(name)
        return [codec(each, name) for each in value]

    return read


def status_bits(value, name):
    if not isinstance(value, dict) or set(value) != {"bits", "lst"} or value["bits"] != 1 or value["bits"] is True:
        raise invalid(name)
    if not isinstance(value["lst"], bytes):
        raise invalid(name)
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(value["lst"], 8_388_609)
    except zlib.error:
        raise invalid(name) from None
    if len(content) > 8_388_608:
        raise Refused("MESSAGE_TOO_LARGE")
    if not inflater.eof or inflater.unused_data:
        raise invalid(name)
    return content.hex()


TIME, SEQUENCE = number(MAX_32), number(MAX_32)
CURRENCY = form(r"[A-Z]{3}", 3)
PAYEE_ID = form(r"[A-Z0-9-]{1,16}", 16)
USER_TERMS = row(currency=CURRENCY, limitMinor=minor, perPaymentCapMinor=minor, protection=one_of((0, 1, 2, 3)), statusIndex=number(MAX_32))
PAYEE_TERMS = row(name=shown(40), currency=CURRENCY, perPaymentCapMinor=minor, storedTotalCapMinor=minor, perCertificateCapMinor=minor, maximumOfflineSeconds=TIME)
TRUSTED = row(issuerId=form(r"[a-z0-9-]{1,16}", 16), issuerName=shown(40), issuerUrl=form(r"https?://[\x21-\x7e]+", 200), key=curve_key, validFrom=TIME, validUntil=TIME, uses=one_of(range(1, 8)))


def expires_after(content):
    if content["expiresAt"] <= content["issuedAt"]:
        raise Refused("MESSAGE_INCONSISTENT")


def user_agrees(content):
    expires_after(content)
    limit, cap = int(content["terms"]["limitMinor"]), int(content["terms"]["perPaymentCapMinor"])
    if cap > limit or cap == 0:
        raise Refused("MESSAGE_INCONSISTENT")


LINK = {6: ("issuedAt", TIME), -1: ("amountMinor", minor), -5: ("sequence", SEQUENCE), -6: ("spentMinor", minor), -7: ("previous", octets(8))}
ABOUT = {6: ("issuedAt", TIME), -1: ("amountMinor", minor), -9: ("paymentId", octets(32))}
CALL = {6: ("issuedAt", TIME), -3: ("nonce", octets(24)), -10: ("contentHash", octets(32))}
EXPIRY = {4: ("expiresAt", TIME), 6: ("issuedAt", TIME)}
NOTHING = lambda _content: None  # noqa: E731

# kind: key id's name and length, fields by label, optional labels, what the parts must agree on, longest message
KINDS = {
    "user-certificate": (("issuerKeyId", 4), {**EXPIRY, 7: ("certificateId", octets(16)), 8: ("deviceKey", confirmation), -65537: ("terms", USER_TERMS)}, (), user_agrees, 2048),
    "payee-certificate": (("issuerKeyId", 4), {2: ("payeeId", PAYEE_ID), **EXPIRY, 7: ("payeeCertificateId", octets(8)), 8: ("terminalKey", confirmation), -65538: ("terms", PAYEE_TERMS)}, (), expires_after, 2048),
    "payment-request": (("payeeCertificateId", 8), {**EXPIRY, -1: ("amountMinor", minor), -2: ("currency", CURRENCY), -3: ("nonce", octets(8)), -4: ("orderReference", shown(32))}, (-4,), expires_after, 2048),
    "payment": (("certificateId", 16), {**LINK, -8: ("requestHash", octets(16))}, (), NOTHING, 2048),
    "open-payment": (("certificateId", 16), {**LINK, 4: ("expiresAt", TIME), 3: ("audience", PAYEE_ID)}, (3,), expires_after, 2048),
    "capture": (("payeeCertificateId", 8), ABOUT, (), NOTHING, 2048),
    "receipt": (("payeeCertificateId", 8), ABOUT, (), NOTHING, 2048),
    "void": (("payeeCertificateId", 8), {6: ("issuedAt", TIME), -8: ("requestId", octets(32))}, (), NOTHING, 2048),
    "closing": (("certificateId", 16), {6: ("issuedAt", TIME), -5: ("sequence", SEQUENCE), -6: ("spentMinor", minor), -7: ("previous", octets(8))}, (), NOTHING, 2048),
    "trust-list": (("rootKeyId", 4), {**EXPIRY, -65539: ("keys", list_of(TRUSTED, 256)), -65540: ("version", SEQUENCE)}, (), expires_after, 65_536),
    "status-list": (("issuerKeyId", 4), {2: ("uri", form(r"[a-z][a-z0-9+.-]*:[\x21-\x7e]+", 200)), **EXPIRY, 65533: ("bits", status_bits), 65534: ("timeToLiveSeconds", TIME)}, (), expires_after, 4_194_304),
    **{f"call-{purpose}": (("callerId", 8), CALL, (), NOTHING, 2048) for purpose in ("enrolment", "upload", "sync", "outcomes", "devices", "loss", "events", "receiving", "refund")},
}


class Message:
    """One decoded message: its fields, its id, and what its signature covers."""

    def __init__(self, kind, data):
        (self.key_name, key_length), fields, optional, agrees, longest = KINDS[kind]
        if len(data) > longest:
            raise Refused("MESSAGE_TOO_LARGE")
        tagged = kind == "status-list"
        if (data[:1] == b"\xd2") != tagged:
            raise Refused("COSE_MALFORMED")
        parts = decode(data[1:] if tagged else data)
        if not isinstance(parts, list) or len(parts) != 4:
            raise Refused("COSE_MALFORMED")
        protected, unprotected, payload, self.signature = parts
        if not isinstance(protected, bytes) or not isinstance(unprotected, dict) or not isinstance(payload, bytes) or not isinstance(self.signature, bytes):
            raise Refused("COSE_MALFORMED")
        key_id, media_type = self.headers(protected)
        if unprotected:
            raise Refused("COSE_HEADER")
        if len(self.signature) != 64:
            raise Refused("COSE_MALFORMED")
        if key_id is None:
            raise Refused("MESSAGE_FIELD_MISSING", "kid")
        if media_type != ("application/statuslist+cwt" if tagged else None):
            raise invalid("typ")
        context = b"" if tagged else b"cairn/1/" + kind.encode()
        self.signed = b"\x84\x6aSignature1" + bstr(protected) + bstr(context) + bstr(payload)
        self.id = hashlib.sha256(self.signed).hexdigest()
        self.fields = {self.key_name: octets(key_length)(key_id, "kid"), **self.payload(payload, fields, optional)}
        agrees(self.fields)
        self.data = data

    @staticmethod
    def headers(protected):
        labels = decode(protected) if protected else {}
        if not isinstance(labels, dict):
            raise Refused("COSE_MALFORMED")
        if labels.get(1) != -7:
            raise Refused("COSE_ALGORITHM")
        key_id, media_type = None, None
        for label, value in labels.items():
            if label == 4 and isinstance(value, bytes):
                key_id = value
            elif label == 16 and isinstance(value, str):
                media_type = value
            elif label != 1:
                raise Refused("COSE_HEADER")
        return key_id, media_type

    @staticmethod
    def payload(payload, fields, optional):
        content = decode(payload)
        if not isinstance(content, dict):
            raise invalid("payload")
        read, known = {}, 0
        for label, (name, codec) in fields.items():
            if label not in content:
                if label not in optional:
                    raise Refused("MESSAGE_FIELD_MISSING", name)
                continue
            known += 1
            read[name] = codec(content[label], name)
        if known != len(content):
            raise Refused("MESSAGE_FIELD_UNKNOWN")
        return read

    def __getitem__(self, name):
        return self.fields[name]

    def under(self, key):
        if not good_signature(key, self.signed, self.signature):
            raise Refused("SIGNATURE_INVALID")
        return self


# ---- who signed
USES = {"user-certificate": 1, "payee-certificate": 2, "status-list": 4}


def by_issuer(kind, message, trust):
    known = [each for each in trust["keys"] if thumbprint(each["key"])[:8] == message["issuerKeyId"]]
    if not known:
        raise Refused("ISSUER_UNKNOWN")
    allowed = [each for each in known if each["uses"] & USES[kind]]
    if not allowed:
        raise Refused("ISSUER_KEY_NOT_ALLOWED")
    valid = [each for each in allowed if each["validFrom"] <= message["issuedAt"] <= each["validUntil"]]
    if not valid:
        raise Refused("ISSUER_KEY_NOT_VALID")
    if not any(good_signature(each["key"], message.signed, message.signature) for each in valid):
        raise Refused("SIGNATURE_INVALID")
    return message


# ---- rules (refusals.md)
def check(condition, code):
    if not condition:
        raise Refused(code)


def payee_valid(payee, at):
    check(payee["issuedAt"] <= at + SKEW, "PAYEE_CERTIFICATE_NOT_YET_VALID")
    check(payee["expiresAt"] >= at, "PAYEE_CERTIFICATE_EXPIRED")


def user_valid(user, at):
    check(user["issuedAt"] <= at + SKEW, "CERTIFICATE_NOT_YET_VALID")
    check(user["expiresAt"] >= at, "CERTIFICATE_EXPIRED")


def request_rules(payee, request, at):
    check(request["payeeCertificateId"] == payee["payeeCertificateId"], "PAYEE_CERTIFICATE_MISMATCH")
    payee_valid(payee, request["issuedAt"])
    check(request["currency"] == payee["terms"]["currency"], "CURRENCY_MISMATCH")
    check(int(request["amountMinor"]) > 0, "AMOUNT_ZERO")
    check(int(request["amountMinor"]) <= int(payee["terms"]["perPaymentCapMinor"]), "AMOUNT_OVER_PAYEE_CAP")
    check(request["expiresAt"] - request["issuedAt"] <= 3600, "REQUEST_VALIDITY_TOO_LONG")
    check(request["issuedAt"] <= at + SKEW, "REQUEST_NOT_YET_VALID")
    check(request["expiresAt"] >= at, "REQUEST_EXPIRED")


def chain_rules(user, link):
    amount, spent = int(link["amountMinor"]), int(link["spentMinor"])
    check(link["certificateId"] == user["certificateId"], "CERTIFICATE_MISMATCH")
    check(amount > 0, "AMOUNT_ZERO")
    check(amount <= int(user["terms"]["perPaymentCapMinor"]), "AMOUNT_OVER_CERTIFICATE_CAP")
    check(link["sequence"] > 0 and spent >= amount, "SPENT_INCONSISTENT")
    check(spent <= int(user["terms"]["limitMinor"]), "LIMIT_EXCEEDED")


def payment_rules(user, payment, payee, request):
    check(payment["requestHash"] == request.id[:32], "REQUEST_MISMATCH")
    request_rules(payee, request, request["issuedAt"])
    user_valid(user, request["issuedAt"])
    user_valid(user, payment["issuedAt"])
    check(user["terms"]["currency"] == payee["terms"]["currency"], "CURRENCY_MISMATCH")
    check(payment["amountMinor"] == request["amountMinor"], "AMOUNT_MISMATCH")
    check(abs(payment["issuedAt"] - request["issuedAt"]) <= DAY, "PAYMENT_CLOCK_DIFFERS")
    chain_rules(user, payment)


def open_rules(user, payment, payee, at):
    payee_valid(payee, at)
    user_valid(user, at)
    user_valid(user, payment["issuedAt"])
    check(user["terms"]["currency"] == payee["terms"]["currency"], "CURRENCY_MISMATCH")
    check(payment.fields.get("audience") in (None, payee["payeeId"]), "AUDIENCE_MISMATCH")
    check(payment["expiresAt"] - payment["issuedAt"] <= 300, "PAYMENT_VALIDITY_TOO_LONG")
    check(payment["issuedAt"] <= at + 60, "PAYMENT_NOT_YET_VALID")
    check(payment["expiresAt"] + 60 >= at, "PAYMENT_EXPIRED")
    chain_rules(user, payment)


def capture_rules(user, payment, payee, capture):
    check(capture["paymentId"] == payment.id, "CAPTURE_MISMATCH")
    check(capture["payeeCertificateId"] == payee["payeeCertificateId"], "PAYEE_CERTIFICATE_MISMATCH")
    open_rules(user, payment, payee, capture["issuedAt"])
    check(int(capture["amountMinor"]) <= int(payment["amountMinor"]), "CAPTURE_OVER_MAXIMUM")
    check(int(capture["amountMinor"]) <= int(payee["terms"]["perPaymentCapMinor"]), "AMOUNT_OVER_PAYEE_CAP")


def follows(earlier, later):
    return earlier["sequence"] < later["sequence"] and int(earlier["spentMinor"]) + int(later["amountMinor"]) <= int(later["spentMinor"])


def is_revoked(status, index):
    bits = bytes.fromhex(status["bits"])
    return index // 8 < len(bits) and bits[index // 8] >> (index & 7) & 1 == 1


# ---- codes
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
TYPES = {"R": "request", "P": "payment", "O": "open-payment", "T": "receipt", "V": "void"}


def base45(text):
    check(len(text) % 3 != 1, "CODE_TEXT_INVALID")
    content = b""
    for start in range(0, len(text), 3):
        values = [ALPHABET.find(each) for each in text[start : start + 3]]
        check(min(values) >= 0, "CODE_TEXT_INVALID")
        value = sum(each * 45**power for power, each in enumerate(values))
        size = len(values) - 1
        check(value < 256**size, "CODE_TEXT_INVALID")
        content += value.to_bytes(size, "big")
    return content


def read_code(text, expected):
    text = text.strip(BLANKS)
    check(text.startswith("CAIRN:"), "CODE_PREFIX_UNKNOWN")
    check(text[6:7] == "1", "CODE_VERSION_UNKNOWN")
    check(text[7:8] in TYPES and text[7:8], "CODE_TYPE_UNKNOWN")
    check(len(text) - 8 <= 3 * 2048, "MESSAGE_TOO_LARGE")
    items = [data for _, data in sequence(base45(text[8:]))]
    check(len(items) == 2, "BUNDLE_MALFORMED")
    kind = TYPES[text[7]]
    check(kind in expected, "CODE_TYPE_UNEXPECTED")
    return kind, items[0], items[1]


# ---- records
RECORDS = {
    "upload": {1: ("payment", ("payeeCertificate", "request", "certificate", "payment", "hint*")), 2: ("open-payment", ("payeeCertificate", "capture", "certificate", "payment", "hint*")), 3: ("void", ("payeeCertificate", "request", "requestVoid"))},
    "sync": {1: ("closing", ("closing",)), 2: ("payment", ("certificate", "payment", "payeeCertificate", "request", "receipt?", "requestVoid?")), 3: ("open-payment", ("certificate", "payment", "payeeCertificate?", "receipt?"))},
}


def read_record(of, value):
    check(isinstance(value, list) and value and not isinstance(value[0], bool) and isinstance(value[0], int) and value[0] in RECORDS[of], "BUNDLE_MALFORMED")
    kind, names = RECORDS[of][value[0]]
    # A name with "?" may be null, one with "*" may be left out.
    needed = [name for name in names if not name.endswith("*")]
    check(len(needed) < len(value) <= len(names) + 1, "BUNDLE_MALFORMED")
    record = {"kind": kind}
    for name, part in zip(names, value[1:]):
        if part is None and name.endswith("?"):
            continue
        check(isinstance(part, bytes), "BUNDLE_MALFORMED")
        check(name != "hint*" or len(part) == 32, "BUNDLE_MALFORMED")
        record[name.rstrip("?*")] = part.hex()
    if of == "sync" and kind == "open-payment":
        check(("receipt" in record) == ("payeeCertificate" in record), "BUNDLE_MALFORMED")
    return record


# ---- the steps of the vectors (README.md)
def data(case, name):
    return bytes.fromhex(case[name])


def trusted(case):
    return Message("trust-list", data(case, "trustList"))


def do_decode(case):
    message = Message(case["kind"], data(case, "bytes"))
    return {"messageId": message.id, **message.fields}


def do_code(case):
    kind, certificate, message = read_code(case["text"], case["expected"])
    return {"type": kind, "certificate": certificate.hex(), "message": message.hex()}


def do_call(case):
    body = data(case, "body")
    check(len(body) <= 2_097_152, "MESSAGE_TOO_LARGE")
    first = next(sequence(body), None)
    check(first is not None, "BUNDLE_MALFORMED")
    envelope = Message("call-" + case["purpose"], first[1])
    content = body[len(first[1]) :]
    check(hashlib.sha256(content).hexdigest() == envelope["contentHash"], "MESSAGE_INCONSISTENT")
    envelope.under(cose_key(decode(data(case, "key"))))
    return {**envelope.fields, "content": content.hex()}


def portions(body):
    """Byte strings one behind the other (messages.md, "Upload streams"), each looked at before the next has come."""
    position = 0
    while position < len(body):
        reader = Reader(body, position)
        initial = reader.byte()
        check(initial >> 5 == 2, "BUNDLE_MALFORMED")
        check(initial & 31 <= 27, "CBOR_UNSUPPORTED")
        size = {24: 1, 25: 2, 26: 4, 27: 8}.get(initial & 31, 0)
        length = int.from_bytes(body[position + 1 : position + 1 + size], "big") if size else initial & 31
        check(size < 8, "BODY_TOO_LARGE")
        check(position + 1 + size <= len(body), "BUNDLE_MALFORMED")
        check(length <= 2_097_152, "BODY_TOO_LARGE")
        check(position + 1 + size + length <= len(body), "BUNDLE_MALFORMED")
        reader.position = position
        yield reader.item()
        position = reader.position
    check(position > 0, "BUNDLE_MALFORMED")


def do_stream(case):
    key, nonce, caller, taken = cose_key(decode(data(case, "key"))), case["nonce"], None, []
    try:
        for portion in portions(data(case, "body")):
            first = next(sequence(portion), None)
            check(first is not None, "BUNDLE_MALFORMED")
            envelope = Message("call-upload", first[1])
            content = portion[len(first[1]) :]
            check(hashlib.sha256(content).hexdigest() == envelope["contentHash"], "MESSAGE_INCONSISTENT")
            check(envelope["nonce"] == nonce and envelope["callerId"] == (caller or envelope["callerId"]), "NONCE_INVALID")
            envelope.under(key)
            nonce, caller = envelope.id[:48], envelope["callerId"]
            taken.append(content.hex())
    except Refused as refusal:
        raise Refused(refusal.code, taken=taken) from None
    return {"portions": taken}


def do_records(case):
    items = []
    for value, _ in sequence(data(case, "content")):
        check(len(items) < 1000, "MESSAGE_TOO_LARGE")
        items.append(value)
    return {"records": [read_record(case["of"], value) for value in items]}


def do_lists(case):
    kind = case["list"]
    offered = Message(kind, data(case, "offered"))
    held = Message(kind, data(case, "held")) if case["held"] else None
    if kind == "trust-list":
        root = cose_key(decode(data(case, "rootKey")))
        check(offered["rootKeyId"] == thumbprint(root)[:8], "ISSUER_UNKNOWN")
        offered.under(root)
        if held:
            check(offered["version"] >= held["version"], "TRUST_LIST_ROLLBACK")
            check(offered["version"] > held["version"] or offered.id == held.id, "TRUST_LIST_ROLLBACK")
        check(offered["expiresAt"] + SKEW >= case["now"], "TRUST_LIST_EXPIRED")
    else:
        by_issuer(kind, offered, trusted(case))
        check(held is None or offered["issuedAt"] >= held["issuedAt"], "STATUS_LIST_ROLLBACK")
        check(offered["expiresAt"] >= case["now"], "STATUS_LIST_STALE")
    return {"taken": True}


def do_verify(case):
    by_issuer(case["kind"], Message(case["kind"], data(case, "bytes")), trusted(case))
    return {"genuine": True}


def do_payment(case):
    trust = trusted(case)
    payee = Message("payee-certificate", data(case, "payeeCertificate"))
    request = Message("payment-request", data(case, "request"))
    user = Message("user-certificate", data(case, "certificate"))
    payment = Message("payment", data(case, "payment"))
    by_issuer("user-certificate", user, trust)
    check(payment["certificateId"] == user["certificateId"], "CERTIFICATE_MISMATCH")
    payment.under(user["deviceKey"])
    by_issuer("payee-certificate", payee, trust)
    payment_rules(user, payment, payee, request)
    return {"paymentId": payment.id, "requestId": request.id}


def do_request(case):
    kind, certificate, message = read_code(case["code"], ["request"])
    trust = trusted(case)
    payee = Message("payee-certificate", certificate)
    request = Message("payment-request", message)
    check(trust["expiresAt"] + SKEW >= case["now"], "TRUST_LIST_EXPIRED")
    by_issuer("payee-certificate", payee, trust)
    check(request["payeeCertificateId"] == payee["payeeCertificateId"], "PAYEE_CERTIFICATE_MISMATCH")
    request.under(payee["terminalKey"])
    request_rules(payee, request, case["now"])
    fields = {name: request[name] for name in ("amountMinor", "currency", "expiresAt")}
    if "orderReference" in request.fields:
        fields["orderReference"] = request["orderReference"]
    return {"requestId": request.id, "payeeId": payee["payeeId"], "payeeName": payee["terms"]["name"], **fields}


def do_receipt(case):
    trust = trusted(case)
    payment = Message("payment", data(case, "payment"))
    asked = Message("payee-certificate", data(case, "payeeCertificate"))
    _, certificate, message = read_code(case["code"], ["receipt"])
    payee, receipt = Message("payee-certificate", certificate), Message("receipt", message)
    by_issuer("payee-certificate", payee, trust)
    check(receipt["payeeCertificateId"] == payee["payeeCertificateId"], "PAYEE_CERTIFICATE_MISMATCH")
    receipt.under(payee["terminalKey"])
    check(receipt["paymentId"] == payment.id, "RECEIPT_MISMATCH")
    check(payee["payeeId"] == asked["payeeId"] and payee["terminalKey"] == asked["terminalKey"], "RECEIPT_MISMATCH")
    check(receipt["amountMinor"] == payment["amountMinor"], "RECEIPT_MISMATCH")
    payee_valid(payee, receipt["issuedAt"])
    return {"paymentId": payment.id, "takenMinor": receipt["amountMinor"]}


def do_captured(case):
    trust = trusted(case)
    user = Message("user-certificate", data(case, "certificate"))
    payment = Message("open-payment", data(case, "payment"))
    payee = Message("payee-certificate", data(case, "payeeCertificate"))
    capture = Message("capture", data(case, "capture"))
    by_issuer("user-certificate", user, trust)
    check(payment["certificateId"] == user["certificateId"], "CERTIFICATE_MISMATCH")
    payment.under(user["deviceKey"])
    by_issuer("payee-certificate", payee, trust)
    capture.under(payee["terminalKey"])
    capture_rules(user, payment, payee, capture)
    return {"paymentId": payment.id, "takenMinor": capture["amountMinor"]}


class Terminal:
    """What one terminal remembers: its lists, its requests, the payments that it accepted."""

    def __init__(self, case):
        self.trust = trusted(case)
        self.status = Message("status-list", data(case, "statusList"))
        self.payee = Message("payee-certificate", data(case, "payeeCertificate"))
        self.requests = [(Message("payment-request", data(each, "request")), each["voided"]) for each in case.get("requests", [])]
        self.accepted = []

    def offered(self, code, kind, now):
        _, certificate, message = read_code(code, [kind])
        user, payment = Message("user-certificate", certificate), Message(kind, message)
        check(self.trust["expiresAt"] + SKEW >= now, "TRUST_LIST_EXPIRED")
        by_issuer("user-certificate", user, self.trust)
        check(payment["certificateId"] == user["certificateId"], "CERTIFICATE_MISMATCH")
        payment.under(user["deviceKey"])
        check(all(payment.id != earlier.id for earlier in self.accepted), "PAYMENT_REPLAYED")
        check(not is_revoked(self.status, user["terms"]["statusIndex"]), "CERTIFICATE_REVOKED")
        check(now - self.status["issuedAt"] <= self.payee["terms"]["maximumOfflineSeconds"], "STATUS_LIST_STALE")
        return user, payment, max(now, user["issuedAt"])

    def remember(self, payment, taken):
        own = [each for each in self.accepted if each["certificateId"] == payment["certificateId"]]
        if own:
            newest = max(own, key=lambda each: each["sequence"])
            check(follows(newest, payment), "SEQUENCE_CONFLICT")
        terms = self.payee["terms"]
        stored = sum(int(each["amountMinor"]) for each in self.accepted)
        check(stored + int(payment["amountMinor"]) <= int(terms["storedTotalCapMinor"]), "STORED_TOTAL_REACHED")
        self.accepted.append(payment)
        of_certificate = sum(int(each["amountMinor"]) for each in own) + taken
        return of_certificate <= int(terms["perCertificateCapMinor"])

    def accept(self, code, now):
        user, payment, now = self.offered(code, "payment", now)
        asked = [each for each in self.requests if each[0].id[:32] == payment["requestHash"]]
        check(asked, "REQUEST_UNKNOWN")
        request, voided = asked[0]
        check(not voided, "REQUEST_VOIDED")
        check(request["expiresAt"] >= now, "REQUEST_EXPIRED")
        paid = any(each.fields.get("requestHash") == payment["requestHash"] for each in self.accepted)
        check(not paid, "REQUEST_ALREADY_PAID")
        payment_rules(user, payment, self.payee, request)
        guaranteed = self.remember(payment, int(payment["amountMinor"]))
        return {"paymentId": payment.id, "takenMinor": payment["amountMinor"], "guaranteed": guaranteed}

    def accept_open(self, code, now, capture):
        user, payment, now = self.offered(code, "open-payment", now)
        open_rules(user, payment, self.payee, now)
        if capture is not None:
            check(int(capture) > 0, "AMOUNT_ZERO")
            check(int(capture) <= int(payment["amountMinor"]), "CAPTURE_OVER_MAXIMUM")
            check(int(capture) <= int(self.payee["terms"]["perPaymentCapMinor"]), "AMOUNT_OVER_PAYEE_CAP")
        guaranteed = self.remember(payment, int(payment["amountMinor"] if capture is None else capture))
        return {"paymentId": payment.id, "takenMinor": capture, "guaranteed": guaranteed}


def do_accept(case):
    terminal = Terminal(case)
    for each in case["before"]:
        terminal.accept(each["code"], each["now"])
    return terminal.accept(case["code"], case["now"])


def do_accept_open(case):
    terminal = Terminal(case)
    for each in case["before"]:
        terminal.accept_open(each["code"], each["now"], None)
    return terminal.accept_open(case["code"], case["now"], case["captureMinor"])


def do_compatible(case):
    left, right = case["left"], case["right"]
    return {"compatible": follows(left, right) or follows(right, left)}


STEPS = {name[3:].replace("_", "-"): step for name, step in list(globals().items()) if name.startswith("do_")}


def outcome(case):
    try:
        return {"fields": STEPS[case["step"]](case["input"])}
    except Refused as refusal:
        return {"code": refusal.code, **({} if refusal.taken is None else {"taken": refusal.taken})}


def main():
    files = sorted(glob.glob(os.path.join(HERE, "valid", "*.json")) + glob.glob(os.path.join(HERE, "invalid", "*.json")))
    passed = failed = 0
    for path in files:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        for case in content["cases"] if isinstance(content, dict) else content:
            found = outcome(case)
            if found == case["expect"]:
                passed += 1
                continue
            failed += 1
            print(f"{os.path.relpath(path, HERE)}: {case['name']}: expected {case['expect']}, found {found}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if passed > 0 and failed == 0 else 1)


if __name__ == "__main__":
    main()
