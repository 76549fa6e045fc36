"""What payer, payee and issuer check, in order (docs/spec/refusals.md)."""

from . import messages
from .messages import decode, key_id, read_code, verify
from .strict_cbor import Refused

CLOCK_SKEW = 300
PAYMENT_CLOCK_TOLERANCE = 86_400
MAXIMUM_REQUEST_VALIDITY = 3_600
MAXIMUM_OPEN_PAYMENT_VALIDITY = 300
OPEN_PAYMENT_CLOCK_TOLERANCE = 60
USES = {"user-certificate": 1, "payee-certificate": 2, "status-list": 4}


def refuse(code, when):
    if when:
        raise Refused(code)


def verify_by_issuer(message, trust_list):
    """A certificate or status list under an issuer key of the trust list."""
    named = [trusted for trusted in trust_list.keys if key_id(trusted["key"]) == message.issuerKeyId]
    refuse("ISSUER_UNKNOWN", not named)
    allowed = [trusted for trusted in named if trusted["uses"] & USES[message.kind]]
    refuse("ISSUER_KEY_NOT_ALLOWED", not allowed)
    valid = [trusted for trusted in allowed if trusted["validFrom"] <= message.issuedAt <= trusted["validUntil"]]
    refuse("ISSUER_KEY_NOT_VALID", not valid)
    for trusted in valid:
        try:
            return verify(message, trusted["key"])
        except Refused:
            if trusted is valid[-1]:
                raise
    return None


def take_trust_list(offered, held, now):
    refuse("TRUST_LIST_ROLLBACK", held is not None and offered.version < held.version)
    refuse("TRUST_LIST_ROLLBACK", held is not None and offered.version == held.version and offered.id != held.id)
    refuse("TRUST_LIST_EXPIRED", offered.expiresAt + CLOCK_SKEW < now)


def take_status_list(offered, held, now):
    refuse("STATUS_LIST_ROLLBACK", held is not None and offered.issuedAt < held.issuedAt)
    refuse("STATUS_LIST_STALE", offered.expiresAt < now)


def is_revoked(status_list, index):
    bits = bytes.fromhex(status_list.bits)
    return index // 8 < len(bits) and bits[index // 8] >> index % 8 & 1 == 1


def check_payee_certificate(payee, at):
    refuse("PAYEE_CERTIFICATE_NOT_YET_VALID", payee.issuedAt > at + CLOCK_SKEW)
    refuse("PAYEE_CERTIFICATE_EXPIRED", payee.expiresAt < at)


def check_user_certificate(certificate, at):
    refuse("CERTIFICATE_NOT_YET_VALID", certificate.issuedAt > at + CLOCK_SKEW)
    refuse("CERTIFICATE_EXPIRED", certificate.expiresAt < at)


def check_request(payee, request, at):
    refuse("PAYEE_CERTIFICATE_MISMATCH", request.payeeCertificateId != payee.payeeCertificateId)
    check_payee_certificate(payee, request.issuedAt)
    refuse("CURRENCY_MISMATCH", request.currency != payee.terms["currency"])
    refuse("AMOUNT_ZERO", request.minor("amountMinor") == 0)
    refuse("AMOUNT_OVER_PAYEE_CAP", request.minor("amountMinor") > int(payee.terms["perPaymentCapMinor"]))
    refuse("REQUEST_VALIDITY_TOO_LONG", request.expiresAt - request.issuedAt > MAXIMUM_REQUEST_VALIDITY)
    refuse("REQUEST_NOT_YET_VALID", request.issuedAt > at + CLOCK_SKEW)
    refuse("REQUEST_EXPIRED", request.expiresAt < at)


def check_chain_link(certificate, link):
    amount, spent = link.minor("amountMinor"), link.minor("spentMinor")
    refuse("CERTIFICATE_MISMATCH", link.certificateId != certificate.certificateId)
    refuse("AMOUNT_ZERO", amount == 0)
    refuse("AMOUNT_OVER_CERTIFICATE_CAP", amount > int(certificate.terms["perPaymentCapMinor"]))
    refuse("SPENT_INCONSISTENT", link.sequence == 0 or spent < amount)
    refuse("LIMIT_EXCEEDED", spent > int(certificate.terms["limitMinor"]))


def check_payment(certificate, payment, payee, request):
    refuse("REQUEST_MISMATCH", payment.requestHash != request.id[:32])
    check_request(payee, request, request.issuedAt)
    check_user_certificate(certificate, request.issuedAt)
    check_user_certificate(certificate, payment.issuedAt)
    refuse("CURRENCY_MISMATCH", certificate.terms["currency"] != payee.terms["currency"])
    refuse("AMOUNT_MISMATCH", payment.amountMinor != request.amountMinor)
    refuse("PAYMENT_CLOCK_DIFFERS", abs(payment.issuedAt - request.issuedAt) > PAYMENT_CLOCK_TOLERANCE)
    check_chain_link(certificate, payment)


def check_open_payment(certificate, payment, payee, at):
    check_payee_certificate(payee, at)
    check_user_certificate(certificate, at)
    check_user_certificate(certificate, payment.issuedAt)
    refuse("CURRENCY_MISMATCH", certificate.terms["currency"] != payee.terms["currency"])
    refuse("AUDIENCE_MISMATCH", payment.content.get("audience", payee.payeeId) != payee.payeeId)
    refuse("PAYMENT_VALIDITY_TOO_LONG", payment.expiresAt - payment.issuedAt > MAXIMUM_OPEN_PAYMENT_VALIDITY)
    refuse("PAYMENT_NOT_YET_VALID", payment.issuedAt > at + OPEN_PAYMENT_CLOCK_TOLERANCE)
    refuse("PAYMENT_EXPIRED", payment.expiresAt + OPEN_PAYMENT_CLOCK_TOLERANCE < at)
    check_chain_link(certificate, payment)


def check_captured(certificate, payment, payee, capture):
    refuse("CAPTURE_MISMATCH", capture.paymentId != payment.id)
    refuse("PAYEE_CERTIFICATE_MISMATCH", capture.payeeCertificateId != payee.payeeCertificateId)
    check_open_payment(certificate, payment, payee, capture.issuedAt)
    refuse("CAPTURE_OVER_MAXIMUM", capture.minor("amountMinor") > payment.minor("amountMinor"))
    refuse("AMOUNT_OVER_PAYEE_CAP", capture.minor("amountMinor") > int(payee.terms["perPaymentCapMinor"]))


def follows(earlier, later):
    return earlier["sequence"] < later["sequence"] and earlier["spent"] + later["amount"] <= later["spent"]


def compatible(left, right):
    return follows(left, right) or follows(right, left)


def position(link):
    return {"sequence": link["sequence"], "spent": int(link["spentMinor"]), "amount": int(link["amountMinor"])}


def read_pair(trust_list, kind, code, certificate_kind, expected):
    """A code's certificate and message, decoded; then the certificate's issuer."""
    _, first, second = read_code(code, [expected])
    certificate, message = decode(certificate_kind, first), decode(kind, second)
    return certificate, message


class Terminal:
    """A terminal with its lists, its own requests and its journal."""

    def __init__(self, trust_list, status_list, payee, requests):
        self.trust_list, self.status_list, self.payee, self.requests = trust_list, status_list, payee, requests
        self.accepted = []
        self.newest_issuer_time = 0

    def read(self, code, kind, clock):
        newest = max(self.trust_list.issuedAt, self.status_list.issuedAt, self.payee.issuedAt, self.newest_issuer_time)
        now = max(clock, newest)
        certificate, payment = read_pair(self.trust_list, kind, code, "user-certificate", kind)
        take_trust_list(self.trust_list, None, now)
        verify_by_issuer(certificate, self.trust_list)
        now = max(now, certificate.issuedAt)
        take_trust_list(self.trust_list, None, now)
        refuse("CERTIFICATE_MISMATCH", payment.certificateId != certificate.certificateId)
        verify(payment, certificate.deviceKey)
        return certificate, payment, now

    def check_lists(self, certificate, payment, now):
        refuse("PAYMENT_REPLAYED", any(earlier.id == payment.id for earlier in self.accepted))
        refuse("CERTIFICATE_REVOKED", is_revoked(self.status_list, certificate.terms["statusIndex"]))
        refuse("STATUS_LIST_STALE", now - self.status_list.issuedAt > self.payee.terms["maximumOfflineSeconds"])

    def check_journal(self, payment):
        of_certificate = [earlier for earlier in self.accepted if earlier.certificateId == payment.certificateId]
        newest = max(of_certificate, key=lambda earlier: earlier.sequence, default=None)
        refuse("SEQUENCE_CONFLICT", newest is not None and not follows(position(newest.content), position(payment.content)))
        stored = sum(earlier.minor("amountMinor") for earlier in self.accepted) + payment.minor("amountMinor")
        refuse("STORED_TOTAL_REACHED", stored > int(self.payee.terms["storedTotalCapMinor"]))
        return sum(earlier.minor("amountMinor") for earlier in of_certificate)

    def remember(self, certificate, payment, taken, before):
        self.accepted.append(payment)
        self.newest_issuer_time = max(self.newest_issuer_time, certificate.issuedAt)
        risked = before + (payment.minor("amountMinor") if taken is None else taken)
        guaranteed = risked <= int(self.payee.terms["perCertificateCapMinor"])
        return {"paymentId": payment.id, "takenMinor": None if taken is None else str(taken), "guaranteed": guaranteed}

    def accept(self, code, clock):
        certificate, payment, now = self.read(code, "payment", clock)
        self.check_lists(certificate, payment, now)
        request, voided = next(
            (own for own in self.requests if own[0].id[:32] == payment.requestHash), (None, False)
        )
        refuse("REQUEST_UNKNOWN", request is None)
        refuse("REQUEST_VOIDED", voided)
        refuse("REQUEST_EXPIRED", request.expiresAt < now)
        paid = any(earlier.content.get("requestHash") == payment.requestHash for earlier in self.accepted)
        refuse("REQUEST_ALREADY_PAID", paid)
        check_payment(certificate, payment, self.payee, request)
        before = self.check_journal(payment)
        return self.remember(certificate, payment, payment.minor("amountMinor"), before)

    def accept_open(self, code, clock, capture):
        certificate, payment, now = self.read(code, "open-payment", clock)
        self.check_lists(certificate, payment, now)
        check_open_payment(certificate, payment, self.payee, now)
        if capture is not None:
            refuse("AMOUNT_ZERO", capture == 0)
            refuse("CAPTURE_OVER_MAXIMUM", capture > payment.minor("amountMinor"))
            refuse("AMOUNT_OVER_PAYEE_CAP", capture > int(self.payee.terms["perPaymentCapMinor"]))
        before = self.check_journal(payment)
        return self.remember(certificate, payment, capture, before)


__all__ = ["messages", "Terminal"]
