"""The key pair that signs the sandbox's Event Webhook, as SendGrid signs: ECDSA on P-256 with SHA-256."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

FILE = "sandbox-signing-key.pem"


def signing_key(data_dir: Path | None) -> ec.EllipticCurvePrivateKey:
    """The key kept under ``data_dir``, made if there is none yet; without a folder, one for this process only."""
    if data_dir is None:
        return ec.generate_private_key(ec.SECP256R1())
    path = data_dir / FILE
    if not path.exists():
        _keep(ec.generate_private_key(ec.SECP256R1()), path)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} does not hold an elliptic curve key. Delete it, and a new one is made.")
    return key


def public_key(data_dir: Path) -> str:
    """The verification key as SendGrid shows it: base64 of the DER form, for SENDGRID_WEBHOOK_PUBLIC_KEY."""
    return shown(signing_key(data_dir))


def shown(key: ec.EllipticCurvePrivateKey) -> str:
    """The public half of ``key`` as SendGrid shows it."""
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b64encode(der).decode()


def sign(key: ec.EllipticCurvePrivateKey, timestamp: str, body: bytes) -> str:
    """What goes into X-Twilio-Email-Event-Webhook-Signature: over the timestamp and then the raw body."""
    return b64encode(key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()


def _keep(key: ec.EllipticCurvePrivateKey, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(pem)
    fresh.replace(path)
