"""PyMISP on one of our MISP feeds: manifest, events, objects against their templates, hashes.

    python misp_feed.py URL AUTHORIZATION

Prints one JSON object: what PyMISP read, and every way in which it is not what MISP expects.
"""

import json
import sys
from hashlib import md5

import requests
from pymisp import MISPEvent, MISPObject

MANIFEST_KEYS = {"Orgc", "Tag", "info", "date", "analysis", "threat_level_id", "timestamp"}


def get(name):
    url, authorization = sys.argv[1:]
    headers = {"Accept": "application/json, text/plain, text/*", "Authorization": authorization}
    answer = requests.get(url + name, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer.text


def against_template(read):
    """The object once more, built by PyMISP from the template it ships."""
    built = MISPObject(read.name, strict=True)
    wrong = []
    if (read.template_uuid, str(read.template_version)) != (
        built.template_uuid,
        str(built.template_version),
    ):
        wrong.append(f"{read.name}: template {read.template_uuid} {read.template_version}")
    for attribute in read.attributes:
        again = built.add_attribute(attribute.object_relation, value=attribute.value)
        if again is None or again.type != attribute.type:
            wrong.append(f"{read.name}: {attribute.object_relation} is no {attribute.type}")
    built.to_dict(strict=True)
    return wrong


def hashes_of(attribute):
    if attribute.type != "datetime":
        return attribute.hash_values("md5")
    # PyMISP hashes its own spelling of a time; MISP hashes what the feed says.
    return [md5(json.loads(attribute.to_json())["value"].encode()).hexdigest()]


def attribute_facts(attribute):
    return {
        "type": attribute.type,
        "value": str(attribute.value),
        "to_ids": attribute.to_ids,
        "deleted": bool(attribute.deleted),
        "tags": [tag.name for tag in attribute.tags],
    }


def main():
    manifest = json.loads(get("manifest.json"))
    wrong, events, hashes = [], {}, set()
    for uuid, entry in manifest.items():
        if set(entry) != MANIFEST_KEYS:
            wrong.append(f"manifest: {sorted(entry)}")
        event = MISPEvent()
        event.load(get(uuid + ".json"), validate=True)
        if event.uuid != uuid or int(event.timestamp.timestamp()) != int(entry["timestamp"]):
            wrong.append(f"{uuid}: manifest and event differ")
        for part in event.objects:
            wrong += against_template(part)
        everything = list(event.attributes)
        for part in event.objects:
            everything += part.attributes
        for attribute in everything:
            if not attribute.deleted:
                hashes |= {f"{digest},{uuid}" for digest in hashes_of(attribute)}
        events[uuid] = {
            "date": str(event.date),
            "tags": [tag.name for tag in event.tags],
            "orgc": event.Orgc.name,
            "objects": [
                {"name": part.name, "deleted": bool(part.deleted)} for part in event.objects
            ],
            "attributes": [attribute_facts(attribute) for attribute in everything],
        }
    served = set(get("hashes.csv").splitlines())
    wrong += [f"hashes.csv lacks {line}" for line in hashes - served]
    wrong += [f"hashes.csv has {line}" for line in served - hashes]
    json.dump({"events": events, "wrong": wrong, "hashes": len(served)}, sys.stdout)


main()
