"""Verifies a delivery with the Standard Webhooks library, as a partner's receiver does.

Standard input: {"secret": "whsec_…", "headers": {…}, "body": "…"}. Standard output: the type of the
message. Fails where the signature does not verify, or where a forged one does.
"""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def refuses(webhook, body, headers):
    try:
        webhook.verify(body, headers)
    except WebhookVerificationError:
        return True
    return False


def main():
    delivery = json.load(sys.stdin)
    webhook = Webhook(delivery["secret"])
    body, headers = delivery["body"], delivery["headers"]
    message = webhook.verify(body, headers)
    old = dict(headers, **{"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 600)})
    other = dict(headers, **{"webhook-id": "another"})
    assert refuses(webhook, body + " ", headers), "a changed body verifies"
    assert refuses(webhook, body, old), "an old timestamp verifies"
    assert refuses(webhook, body, other), "another id verifies"
    print(message["type"])


main()
