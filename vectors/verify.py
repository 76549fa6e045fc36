#!/usr/bin/python3
"""Reads every vector with a reader that shares no code with Cairn's own, and says where the two differ.

Needs python3-cbor2 and python3-cryptography as Debian has them: /usr/bin/python3 vectors/verify.py
"""

import json
import pathlib
import sys
import traceback

sys.dont_write_bytecode = True

from reader import messages, rules, strict_cbor
from reader.messages import decode
from reader.strict_cbor import Refused

FOLDER = pathlib.Path(__file__).resolve().parent


def bytes_at(case, name):
    return bytes.fromhex(case[name])


def trust_list_of(case):
    return decode("trust-list", bytes_at(case, "trustList"))


def step_decode(case):
    message = decode(case["kind"], bytes_at(case, "bytes"))
    return {"messageId": message.id, **message.content}


def step_code(case):
    kind, certificate, message = messages.read_code(case["text"], case["expected"])
    return {"type": kind, "certificate": certificate.hex(), "message": message.hex()}


def step_call(case):
    envelope, content = messages.read_call(case["purpose"], bytes_at(case, "body"))
    messages.verify(envelope, messages.cose_key(strict_cbor.decode(bytes_at(case, "key"))))
    return {**envelope.content, "content": content.hex()}


def step_records(case):
    return {"records": messages.read_records(case["of"], bytes_at(case, "content"))}


def step_lists(case):
    kind = case["list"]
    offered = decode(kind, bytes_at(case, "offered"))
    held = None if case["held"] is None else decode(kind, bytes_at(case, "held"))
    if kind == "trust-list":
        root = messages.cose_key(strict_cbor.decode(bytes_at(case, "rootKey")))
        rules.refuse("ISSUER_UNKNOWN", offered.rootKeyId != messages.key_id(root))
        messages.verify(offered, root)
        rules.take_trust_list(offered, held, case["now"])
    else:
        rules.verify_by_issuer(offered, trust_list_of(case))
        rules.take_status_list(offered, held, case["now"])
    return {"taken": True}


def step_verify(case):
    rules.verify_by_issuer(decode(case["kind"], bytes_at(case, "bytes")), trust_list_of(case))
    return {"genuine": True}


def read_payee_code(case, kind, expected):
    """A payee certificate and what its terminal signed: decoded, belonging together, genuine."""
    _, first, second = messages.read_code(case["code"], [expected])
    payee, message = decode("payee-certificate", first), decode(kind, second)
    rules.verify_by_issuer(payee, trust_list_of(case))
    rules.refuse("PAYEE_CERTIFICATE_MISMATCH", message.payeeCertificateId != payee.payeeCertificateId)
    messages.verify(message, payee.terminalKey)
    return payee, message


def step_request(case):
    trust_list = trust_list_of(case)
    now = max(case["now"], trust_list.issuedAt)
    rules.take_trust_list(trust_list, None, now)
    payee, request = read_payee_code(case, "payment-request", "request")
    rules.check_request(payee, request, now)
    fields = {"requestId": request.id, "payeeId": payee.payeeId, "payeeName": payee.terms["name"]}
    shown = ("amountMinor", "currency", "orderReference", "expiresAt")
    return {**fields, **{name: request.content[name] for name in shown if name in request.content}}


def terminal_of(case):
    requests = [
        (decode("payment-request", bytes.fromhex(own["request"])), own["voided"]) for own in case.get("requests", [])
    ]
    status_list = decode("status-list", bytes_at(case, "statusList"))
    payee = decode("payee-certificate", bytes_at(case, "payeeCertificate"))
    return rules.Terminal(trust_list_of(case), status_list, payee, requests)


def step_accept(case):
    terminal = terminal_of(case)
    for earlier in case["before"]:
        must_pass(lambda: terminal.accept(earlier["code"], earlier["now"]))
    return terminal.accept(case["code"], case["now"])


def step_accept_open(case):
    terminal = terminal_of(case)
    for earlier in case["before"]:
        must_pass(lambda: terminal.accept_open(earlier["code"], earlier["now"], None))
    capture = None if case["captureMinor"] is None else int(case["captureMinor"])
    return terminal.accept_open(case["code"], case["now"], capture)


def must_pass(action):
    try:
        action()
    except Refused as refused:
        raise AssertionError(f"the case's own history is refused: {refused.code}") from None


def verified_payment(case, kind):
    trust_list = trust_list_of(case)
    payee = decode("payee-certificate", bytes_at(case, "payeeCertificate"))
    certificate, payment = decode("user-certificate", bytes_at(case, "certificate")), decode(kind, bytes_at(case, "payment"))
    rules.verify_by_issuer(certificate, trust_list)
    rules.refuse("CERTIFICATE_MISMATCH", payment.certificateId != certificate.certificateId)
    messages.verify(payment, certificate.deviceKey)
    rules.verify_by_issuer(payee, trust_list)
    return certificate, payment, payee


def step_payment(case):
    request = decode("payment-request", bytes_at(case, "request"))
    certificate, payment, payee = verified_payment(case, "payment")
    rules.check_payment(certificate, payment, payee, request)
    return {"paymentId": payment.id, "requestId": request.id}


def step_captured(case):
    capture = decode("capture", bytes_at(case, "capture"))
    certificate, payment, payee = verified_payment(case, "open-payment")
    messages.verify(capture, payee.terminalKey)
    rules.check_captured(certificate, payment, payee, capture)
    return {"paymentId": payment.id, "takenMinor": capture.amountMinor}


def step_receipt(case):
    payee, receipt = read_payee_code(case, "receipt", "receipt")
    payment = decode("payment", bytes_at(case, "payment"))
    asked = decode("payee-certificate", bytes_at(case, "payeeCertificate"))
    same_till = asked.payeeId == payee.payeeId and asked.terminalKey == payee.terminalKey
    for_it = receipt.paymentId == payment.id and receipt.amountMinor == payment.amountMinor
    rules.refuse("RECEIPT_MISMATCH", not same_till or not for_it)
    rules.check_payee_certificate(payee, receipt.issuedAt)
    return {"paymentId": payment.id, "takenMinor": receipt.amountMinor}


def step_compatible(case):
    return {"compatible": rules.compatible(rules.position(case["left"]), rules.position(case["right"]))}


STEPS = {name[len("step_") :].replace("_", "-"): step for name, step in list(globals().items()) if name.startswith("step_")}


def result_of(case):
    try:
        return {"fields": STEPS[case["step"]](case["input"])}
    except Refused as refused:
        return {"code": refused.code}
    except Exception:  # a fault of this reader is a failed case, not the end of the run
        return {"fault": traceback.format_exc()}


def main():
    passed = failed = 0
    for path in sorted(FOLDER.glob("valid/*.json")) + sorted(FOLDER.glob("invalid/*.json")):
        for case in json.loads(path.read_text(encoding="utf-8")):
            result = result_of(case)
            if result == case["expect"]:
                passed += 1
                continue
            failed += 1
            print(f"{path.parent.name}/{path.name} {case['name']}: {case['description']}")
            print(f"  expected {json.dumps(case['expect'])[:300]}")
            print(f"  got      {result.get('fault') or json.dumps(result)[:300]}")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
