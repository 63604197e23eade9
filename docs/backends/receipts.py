import jwt  # PyJWT


def verify_receipt(receipt: str, secret: str) -> dict:
    options = {"require": ["exp"]}
    return jwt.decode(
        receipt, secret, algorithms=["HS256"], audience="oss-direct-upload/receipt", options=options
    )
