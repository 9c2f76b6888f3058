"""Does what the JSON on stdin says with smtplib; prints what came of it.

Each job is a connection. The result is "sent", or the exception's class with
the reply that it carries.
"""

import base64
import json
import smtplib
import ssl
import sys


def b64(text):
    return base64.b64encode(text.encode()).decode()


def token_message(job):
    user, token = job["username"], job["password"]
    if job["mechanism"] == "XOAUTH2":
        return f"user={user}\x01auth=Bearer {token}\x01\x01"
    name = user.replace("=", "=3D").replace(",", "=2C")
    return f"n,a={name},\x01host=127.0.0.1\x01auth=Bearer {token}\x01\x01"


def connect(job):
    context = ssl.create_default_context(cafile=job.get("trusted"))
    if job["mode"] == "implicit TLS":
        return smtplib.SMTP_SSL(
            "127.0.0.1", job["port"], job["helo"], timeout=20, context=context
        )
    smtp = smtplib.SMTP("127.0.0.1", job["port"], job["helo"], timeout=20)
    if job["mode"] == "STARTTLS":
        smtp.starttls(context=context)
    return smtp


def log_in(smtp, job):
    """By smtplib's own means; they know ASCII only, so UTF-8 goes by hand."""
    user, password = job["username"], job["password"]
    smtp.ehlo_or_helo_if_needed()
    if job["how"] == "login":
        smtp.login(user, password)
        return
    if job["how"] in ("with initial response", "without initial response"):
        smtp.user, smtp.password = user, password
        mechanism = job["mechanism"]
        step = getattr(smtp, "auth_" + mechanism.lower())
        initial = job["how"] == "with initial response"
        smtp.auth(mechanism, step, initial_response_ok=initial)
        return
    if job["how"].startswith("token"):
        initial = job["how"] == "token with initial response"
        smtp.auth(
            job["mechanism"],
            # The challenge is empty, or the error as JSON.
            lambda challenge=None: "" if challenge else token_message(job),
            initial_response_ok=initial,
        )
        return
    if job["mechanism"] == "PLAIN":
        code, text = smtp.docmd("AUTH", "PLAIN " + b64(f"\0{user}\0{password}"))
    else:
        code, text = smtp.docmd("AUTH", "LOGIN " + b64(user))
        if code == 334:
            code, text = smtp.docmd(b64(password))
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, text)


def do(job):
    smtp = connect(job)
    try:
        for attempt in range(1, job["attempts"] + 1):
            try:
                log_in(smtp, job)
            except smtplib.SMTPAuthenticationError:
                if attempt == job["attempts"]:
                    raise
        with open(job["message"], "rb") as file:
            message = file.read()
        refused = smtp.sendmail(
            job["sender"], job["recipients"], message, job["options"]
        )
        smtp.quit()
        return "sent" if not refused else f"refused: {refused}"
    except smtplib.SMTPResponseException as error:
        text = error.smtp_error.decode()
        return f"{type(error).__name__} {error.smtp_code} {text}"
    except smtplib.SMTPException as error:
        return f"{type(error).__name__} {error}"
    finally:
        smtp.close()


print(json.dumps([do(job) for job in json.load(sys.stdin)]))
