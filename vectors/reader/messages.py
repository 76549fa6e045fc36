"""Messages: COSE_Sign1, fields and bounds (docs/spec/messages.md), signatures, and what carries messages."""

import hashlib
import re
import unicodedata
import zlib

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from . import strict_cbor
from .strict_cbor import MAXIMUM_INTEGER, Refused

UINT32 = 2**32 - 1
FIELD_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
MAXIMUM_INFLATED = 8_388_608
MAXIMUM_RECORDS = 1_000
MAXIMUM_BODY_BYTES = 2_097_152


def bad(why):
    return Refused("MESSAGE_FIELD_INVALID", why)


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


# Field readers: CBOR value in, value as the vectors write it out.


def unsigned(maximum):
    def read(value):
        if not is_integer(value) or not 0 <= value <= maximum:
            raise bad("not a whole number in bounds")
        return value

    return read


def amount(value):
    return str(unsigned(MAXIMUM_INTEGER)(value))


def octets(length):
    def read(value):
        if not isinstance(value, bytes) or len(value) != length:
            raise bad(f"not {length} bytes")
        return value.hex()

    return read


def formed(pattern, maximum=2**16):
    def read(value):
        if not isinstance(value, str) or len(value) > maximum or not re.fullmatch(pattern, value):
            raise bad("not of the form")
        return value

    return read


currency = formed("[A-Z]{3}")
payee_id = formed("[A-Z0-9-]{1,16}")
issuer_id = formed("[a-z0-9-]{1,16}")
http_url = formed("https?://[\x21-\x7e]+", 200)
uri = formed("[a-z][a-z0-9+.-]*:[\x21-\x7e]+", 200)


def shown(maximum):
    def read(value):
        if not isinstance(value, str) or not 1 <= len(value.encode()) <= maximum:
            raise bad("not text in bounds")
        if any(unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co") for char in value):
            raise bad("an invisible character")
        if unicodedata.normalize("NFC", value) != value:
            raise bad("not in normal form C")
        if unicodedata.category(value[0]) == "Zs" or unicodedata.category(value[-1]) == "Zs":
            raise bad("a space at an end")
        return value

    return read


def one_of(*allowed):
    def read(value):
        if not is_integer(value) or value not in allowed:
            raise bad("not one of the allowed numbers")
        return value

    return read


def cose_key(value):
    def refuse(why):
        return Refused("COSE_KEY_INVALID", why)

    if not isinstance(value, dict) or len(value) != 4:
        raise refuse("not a map of four")
    if not is_integer(value.get(1)) or value.get(1) != 2 or not is_integer(value.get(-1)) or value.get(-1) != 1:
        raise refuse("not P-256")
    x, sign = value.get(-2), value.get(-3)
    if not isinstance(x, bytes) or not isinstance(sign, bool):
        raise refuse("not in the compressed form")
    if len(x) != 32 or int.from_bytes(x, "big") >= FIELD_PRIME:
        raise refuse("x out of range")
    return {"x": x.hex(), "yIsOdd": sign}


def confirmation(value):
    if not isinstance(value, dict) or list(value) != [1]:
        raise bad("not one COSE_Key")
    return cose_key(value[1])


def row(**columns):
    def read(value):
        if not isinstance(value, list) or len(value) != len(columns):
            raise bad("not a row of this length")
        return {name: column(entry) for (name, column), entry in zip(columns.items(), value)}

    return read


def rows(column, maximum):
    def read(value):
        if not isinstance(value, list) or len(value) > maximum:
            raise bad("not a list of this length")
        return [column(entry) for entry in value]

    return read


def status_bits(value):
    if not isinstance(value, dict) or set(value) != {"bits", "lst"} or not is_integer(value["bits"]) or value["bits"] != 1:
        raise bad("not one bit a certificate")
    if not isinstance(value["lst"], bytes):
        raise bad("lst is not a byte string")
    stream = zlib.decompressobj()
    try:
        inflated = stream.decompress(value["lst"], MAXIMUM_INFLATED + 1)
    except zlib.error:
        raise bad("not zlib data") from None
    if len(inflated) > MAXIMUM_INFLATED:
        raise Refused("MESSAGE_TOO_LARGE")
    if not stream.eof or stream.unused_data:
        raise bad("not one zlib stream")
    return inflated.hex()


time, seconds, sequence_number, version = (unsigned(UINT32) for _ in range(4))

LINK = {
    "issuedAt": (6, time),
    "amountMinor": (-1, amount),
    "sequence": (-5, sequence_number),
    "spentMinor": (-6, amount),
    "previous": (-7, octets(8)),
}
ABOUT_PAYMENT = {"issuedAt": (6, time), "amountMinor": (-1, amount), "paymentId": (-9, octets(32))}
CALL = {"issuedAt": (6, time), "nonce": (-3, octets(24)), "contentHash": (-10, octets(32))}

USER_TERMS = row(
    currency=currency,
    limitMinor=amount,
    perPaymentCapMinor=amount,
    protection=one_of(0, 1, 2, 3),
    statusIndex=unsigned(UINT32),
)
PAYEE_TERMS = row(
    name=shown(40),
    currency=currency,
    perPaymentCapMinor=amount,
    storedTotalCapMinor=amount,
    perCertificateCapMinor=amount,
    maximumOfflineSeconds=seconds,
)
TRUSTED_KEY = row(
    issuerId=issuer_id,
    issuerName=shown(40),
    issuerUrl=http_url,
    key=cose_key,
    validFrom=time,
    validUntil=time,
    uses=one_of(1, 2, 3, 4, 5, 6, 7),
)


class Kind:
    def __init__(self, kid, kid_length, fields, optional=(), maximum=2_048, expires=False, context=None, typ=None):
        self.kid, self.kid_length, self.fields, self.optional = kid, kid_length, fields, optional
        self.maximum, self.expires, self.context, self.typ = maximum, expires, context, typ


VALIDITY = {"expiresAt": (4, time), "issuedAt": (6, time)}
KINDS = {
    "user-certificate": Kind(
        "issuerKeyId", 4, {**VALIDITY, "certificateId": (7, octets(16)), "deviceKey": (8, confirmation), "terms": (-65537, USER_TERMS)}, expires=True
    ),
    "payee-certificate": Kind(
        "issuerKeyId",
        4,
        {"payeeId": (2, payee_id), **VALIDITY, "payeeCertificateId": (7, octets(8)), "terminalKey": (8, confirmation), "terms": (-65538, PAYEE_TERMS)},
        expires=True,
    ),
    "payment-request": Kind(
        "payeeCertificateId",
        8,
        {**VALIDITY, "amountMinor": (-1, amount), "currency": (-2, currency), "nonce": (-3, octets(8)), "orderReference": (-4, shown(32))},
        optional=("orderReference",),
        expires=True,
    ),
    "payment": Kind("certificateId", 16, {**LINK, "requestHash": (-8, octets(16))}),
    "open-payment": Kind(
        "certificateId", 16, {**LINK, "expiresAt": (4, time), "audience": (3, payee_id)}, optional=("audience",), expires=True
    ),
    "capture": Kind("payeeCertificateId", 8, ABOUT_PAYMENT),
    "receipt": Kind("payeeCertificateId", 8, ABOUT_PAYMENT),
    "void": Kind("payeeCertificateId", 8, {"issuedAt": (6, time), "requestId": (-8, octets(32))}),
    "closing": Kind(
        "certificateId", 16, {"issuedAt": (6, time), "sequence": (-5, sequence_number), "spentMinor": (-6, amount), "previous": (-7, octets(8))}
    ),
    "trust-list": Kind(
        "rootKeyId", 4, {**VALIDITY, "keys": (-65539, rows(TRUSTED_KEY, 256)), "version": (-65540, version)}, maximum=65_536, expires=True
    ),
    "status-list": Kind(
        "issuerKeyId",
        4,
        {"uri": (2, uri), **VALIDITY, "bits": (65533, status_bits), "timeToLiveSeconds": (65534, seconds)},
        maximum=4_194_304,
        expires=True,
        context="",
        typ="application/statuslist+cwt",
    ),
    **{f"call-{purpose}": Kind("callerId", 8, CALL) for purpose in ("enrolment", "upload", "sync", "outcomes")},
}


class Message:
    """A decoded message. Nobody has checked yet who signed it."""

    def __init__(self, kind, content, to_be_signed, signature):
        self.kind, self.content, self.to_be_signed, self.signature = kind, content, to_be_signed, signature
        self.id = hashlib.sha256(to_be_signed).hexdigest()

    def __getattr__(self, name):
        return self.content[name]

    def time(self, name):
        return self.content[name]

    def minor(self, name):
        return int(self.content[name])


def byte_string(value):
    return cbor2.dumps(value)


def second_opinion(data, value):
    """cbor2 must see the same value, and encode it to the same bytes."""
    if cbor2.loads(data) != value or cbor2.dumps(value, canonical=True) != data:
        raise AssertionError("cbor2 disagrees about " + data.hex())


def decode(name, data):
    """Strict decoding of one message: bytes in, Message out, or Refused."""
    kind = KINDS[name]
    if len(data) > kind.maximum:
        raise Refused("MESSAGE_TOO_LARGE")
    tagged = kind.typ is not None
    if (data[:1] == b"\xd2") != tagged:
        raise Refused("COSE_MALFORMED", "tag")
    parts = strict_cbor.decode(data, 1 if tagged else 0)
    if not isinstance(parts, list) or len(parts) != 4:
        raise Refused("COSE_MALFORMED", "not four parts")
    protected, unprotected, payload, signature = parts
    if not (isinstance(protected, bytes) and isinstance(unprotected, dict) and isinstance(payload, bytes) and isinstance(signature, bytes)):
        raise Refused("COSE_MALFORMED", "a part of another type")
    headers = read_headers(protected)
    if unprotected:
        raise Refused("COSE_HEADER", "unprotected")
    if len(signature) != 64:
        raise Refused("COSE_MALFORMED", "signature length")
    if 4 not in headers:
        raise Refused("MESSAGE_FIELD_MISSING", "kid")
    if headers.get(16) != kind.typ:
        raise bad("typ")
    context = f"cairn/1/{name}" if kind.context is None else kind.context
    to_be_signed = b"\x84\x6aSignature1" + b"".join(byte_string(part) for part in (protected, context.encode(), payload))
    content = {kind.kid: octets(kind.kid_length)(headers[4])}
    claims = strict_cbor.decode(payload)
    content.update(read_fields(kind, claims))
    check(name, kind, content)
    second_opinion(protected, headers)
    second_opinion(payload, claims)
    return Message(name, content, to_be_signed, signature)


def read_headers(protected):
    headers = strict_cbor.decode(protected) if protected else {}
    if not isinstance(headers, dict):
        raise Refused("COSE_MALFORMED", "protected header")
    if not is_integer(headers.get(1)) or headers[1] != -7:
        raise Refused("COSE_ALGORITHM")
    for label, value in headers.items():
        known = label == 1 or (label == 4 and isinstance(value, bytes)) or (label == 16 and isinstance(value, str))
        if not known:
            raise Refused("COSE_HEADER", str(label))
    return headers


def read_fields(kind, claims):
    if not isinstance(claims, dict):
        raise bad("payload")
    content = {}
    for name, (label, read) in kind.fields.items():
        if label in claims:
            content[name] = read(claims[label])
        elif name not in kind.optional:
            raise Refused("MESSAGE_FIELD_MISSING", name)
    if len(content) != len(claims):
        raise Refused("MESSAGE_FIELD_UNKNOWN")
    return content


def check(name, kind, content):
    if kind.expires and content["expiresAt"] <= content["issuedAt"]:
        raise Refused("MESSAGE_INCONSISTENT", "expires before it begins")
    if name == "user-certificate":
        limit, cap = int(content["terms"]["limitMinor"]), int(content["terms"]["perPaymentCapMinor"])
        if cap > limit or cap == 0:
            raise Refused("MESSAGE_INCONSISTENT", "cap")
    if name == "trust-list":
        for trusted in content["keys"]:
            if public_key(trusted["key"]) is None:
                raise Refused("COSE_KEY_INVALID", "off the curve")


def public_key(key):
    """The key object, or None when the curve has no such point."""
    point = bytes([3 if key["yIsOdd"] else 2]) + bytes.fromhex(key["x"])
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return None


def verify(message, key):
    """Refuses unless the signature holds under the key."""
    public = public_key(key)
    signature = message.signature
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        if public is None:
            raise InvalidSignature
        public.verify(der, message.to_be_signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Refused("SIGNATURE_INVALID", message.kind) from None


def key_id(key):
    """The first 4 bytes of the thumbprint (RFC 9679): y in full, whatever the form on the wire."""
    numbers = public_key(key).public_numbers()
    full = {1: 2, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
    return hashlib.sha256(cbor2.dumps(full, canonical=True)).hexdigest()[:8]


# Codes, calls and records.

CODE_TYPES = {"R": "request", "P": "payment", "O": "open-payment", "T": "receipt", "V": "void"}
BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def base45(text):
    damaged = Refused("CODE_TEXT_INVALID")
    if len(text) % 3 == 1:
        raise damaged
    result = bytearray()
    for at in range(0, len(text), 3):
        digits = [BASE45.find(char) for char in text[at : at + 3]]
        if -1 in digits:
            raise damaged
        value = sum(digit * 45**power for power, digit in enumerate(digits))
        length = len(digits) - 1
        if value >= 256**length:
            raise damaged
        result += value.to_bytes(length, "big")
    return bytes(result)


def read_code(text, expected):
    text = text.strip()
    if not text.startswith("CAIRN:"):
        raise Refused("CODE_PREFIX_UNKNOWN")
    if text[6:7] != "1":
        raise Refused("CODE_VERSION_UNKNOWN")
    if text[7:8] not in CODE_TYPES:
        raise Refused("CODE_TYPE_UNKNOWN")
    if len(text) - 8 > 3 * 2_048:
        raise Refused("MESSAGE_TOO_LARGE")
    items = [data for _, data in strict_cbor.sequence(base45(text[8:]))]
    if len(items) != 2:
        raise Refused("BUNDLE_MALFORMED")
    if CODE_TYPES[text[7]] not in expected:
        raise Refused("CODE_TYPE_UNEXPECTED")
    return CODE_TYPES[text[7]], *items


def read_call(purpose, body):
    if len(body) > MAXIMUM_BODY_BYTES:
        raise Refused("MESSAGE_TOO_LARGE")
    first = next(strict_cbor.sequence(body), None)
    if first is None:
        raise Refused("BUNDLE_MALFORMED")
    envelope = decode(f"call-{purpose}", first[1])
    content = body[len(first[1]) :]
    if hashlib.sha256(content).hexdigest() != envelope.contentHash:
        raise Refused("MESSAGE_INCONSISTENT", "not the content that was signed")
    return envelope, content


RECORDS = {
    "upload": {
        1: ("payment", ("payeeCertificate", "request", "certificate", "payment"), ()),
        2: ("open-payment", ("payeeCertificate", "capture", "certificate", "payment"), ()),
        3: ("void", ("payeeCertificate", "request", "requestVoid"), ()),
    },
    "sync": {
        1: ("closing", ("closing",), ()),
        2: ("payment", ("certificate", "payment", "payeeCertificate", "request", "receipt", "requestVoid"), ("receipt", "requestVoid")),
        3: ("open-payment", ("certificate", "payment", "payeeCertificate", "receipt"), ("payeeCertificate", "receipt")),
    },
}


def read_record(of, value):
    malformed = Refused("BUNDLE_MALFORMED")
    if not isinstance(value, list) or not value or not is_integer(value[0]) or value[0] not in RECORDS[of]:
        raise malformed
    kind, names, optional = RECORDS[of][value[0]]
    if len(value) != 1 + len(names):
        raise malformed
    record = {"kind": kind}
    for name, entry in zip(names, value[1:]):
        if entry is None and name in optional:
            continue
        if not isinstance(entry, bytes):
            raise malformed
        record[name] = entry.hex()
    if (of, kind) == ("sync", "open-payment") and ("receipt" in record) != ("payeeCertificate" in record):
        raise malformed
    return record


def read_records(of, content):
    values = []
    for value, _ in strict_cbor.sequence(content):
        if len(values) == MAXIMUM_RECORDS:
            raise Refused("MESSAGE_TOO_LARGE")
        values.append(value)
    return [read_record(of, value) for value in values]
