"""Reads a TAXII 2.1 feed with the real clients, and judges every object.

usage: taxii.py DISCOVERY_URL TOKEN INDICATORS REPORTS

Polls until so many indicators and reports have come, while the server goes on publishing; then reads
all of it again another way, and compares. Whatever is not as it should be is an AssertionError.
"""

import json
import sys
import time

import requests
import stix2
import taxii2client.v21 as taxii
from requests.adapters import HTTPAdapter
from stix2validator import ValidationOptions, validate_instance, validate_string
from urllib3.util.retry import Retry

PAGE = 7
PATIENCE_SECONDS = 120


class Scheme(requests.auth.AuthBase):
    """A token under one of the words that readers send it with."""

    def __init__(self, word, token):
        self.word, self.token = word, token

    def __call__(self, request):
        request.headers["Authorization"] = f"{self.word} {self.token}"
        return request


class Feed:
    """One collection, and what stood in the head of its last answer."""

    def __init__(self, discovery, **credential):
        server = taxii.Server(discovery, **credential)
        (root,) = server.api_roots
        (self.collection,) = root.collections
        self.collection.refresh()
        assert self.collection.can_read and not self.collection.can_write
        session = self.collection._conn.session
        waits = Retry(total=50, status_forcelist=[429], respect_retry_after_header=True)
        session.mount("http://", HTTPAdapter(max_retries=waits))
        session.hooks["response"].append(self.remember)

    def remember(self, response, *_args, **_kwargs):
        self.last = response.headers.get("X-TAXII-Date-Added-Last")
        self.first = response.headers.get("X-TAXII-Date-Added-First")

    def pages(self, **question):
        for page in taxii.as_pages(self.collection.get_objects, per_request=PAGE, **question):
            assert ("next" in page) == page.get("more", False), page
            yield page.get("objects", [])


def to_millisecond(header):
    """What a client remembers that keeps no more than milliseconds."""
    assert header.endswith("000Z") and len(header) == len("2026-11-02T06:00:00.000000Z"), header
    return header[:-4] + "Z"


def name(stix_object):
    return stix_object["id"], stix_object.get("modified")


def poll_while_it_grows(feed, indicators, reports):
    seen, after, deadline = [], None, time.monotonic() + PATIENCE_SECONDS
    while True:
        question = {"added_after": after} if after else {}
        question["version"] = "all"
        for objects in feed.pages(**question):
            assert len(objects) <= PAGE
            seen.extend(objects)
            if objects:
                assert feed.first <= feed.last
                after = to_millisecond(feed.last)
            else:
                assert feed.last is None
        kinds = [it["type"] for it in seen]
        if kinds.count("indicator") >= indicators and kinds.count("report") >= reports:
            break
        assert time.monotonic() < deadline, f"only {kinds}"
        time.sleep(1.5)
    assert feed.collection.get_objects(added_after=after) == {}, "what was read comes again"
    names = [name(it) for it in seen]
    assert len(set(names)) == len(names), "an object came twice"
    return seen


def read_by_head_alone(feed):
    """Without `next`: as clients do that only remember when the last object was added."""
    seen, after = [], "1970-01-01T00:00:00Z"
    while True:
        objects = feed.collection.get_objects(added_after=after, limit=50, version="all").get("objects", [])
        if not objects:
            return seen
        seen.extend(objects)
        after = feed.last


def check_versions(feed, seen):
    last = {it["id"]: it for it in seen}
    page = feed.collection.get_objects()
    assert not page["more"]
    assert {it["id"]: it for it in page["objects"]} == last, "the last versions are not the default"
    manifest = feed.collection.get_manifest()["objects"]
    assert [it["id"] for it in manifest] == [it["id"] for it in page["objects"]]
    assert [it["date_added"] for it in manifest] == sorted(it["date_added"] for it in manifest)
    for record in manifest:
        said = last[record["id"]]
        version = said.get("modified", said.get("created"))
        assert version is None or version == record["version"], record
    indicator = next(it for it in page["objects"] if it["type"] == "indicator")
    alone = feed.collection.get_object(indicator["id"])["objects"]
    assert alone == [indicator]
    versions = feed.collection.object_versions(indicator["id"])["versions"]
    assert versions == [it["modified"] for it in seen if it["id"] == indicator["id"]]
    few = feed.collection.get_objects(type=["indicator", "report"])["objects"]
    assert {it["type"] for it in few} == {"indicator", "report"}


def judge(seen):
    """Every object by itself, and all together."""
    options = ValidationOptions(version="2.1", strict_properties=True)
    for it in seen:
        result = validate_instance(dict(it), options)
        assert result.is_valid, (it, [str(error) for error in result.errors])
        parsed = stix2.parse(it, allow_custom=False, version="2.1")
        if "created" not in it:
            nameless = {key: value for key, value in it.items() if key != "id"}
            assert stix2.parse(nameless, version="2.1").id == parsed.id, it
    text = json.dumps(bundle(seen))
    result = validate_string(text, ValidationOptions(version="2.1", enforce_refs=True))
    assert result.is_valid, [str(error) for error in result.errors]
    assert not any(it["type"] == "note" for it in seen)
    known = set()
    for it in seen:
        for key, value in it.items():
            refs = value if key.endswith("_refs") else [value] if key.endswith("_ref") else []
            for ref in refs:
                assert ref in known or ref == it["id"], f"{it['id']} comes before {ref}"
        known.add(it["id"])


def bundle(objects):
    last = list({it["id"]: it for it in objects}.values())
    return {"type": "bundle", "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d", "objects": last}


def import_to_misp(objects):
    from misp_stix_converter import ExternalSTIX2toMISPParser

    parser = ExternalSTIX2toMISPParser()
    parser.load_stix_bundle(stix2.parse(bundle(objects), allow_custom=True, version="2.1"))
    parser.parse_stix_bundle(single_event=True)
    assert not parser.errors, parser.errors
    warnings = {key: list(value) for key, value in parser.warnings.items()}
    event = parser.misp_event
    attributes = list(event.attributes)
    for misp_object in event.objects:
        attributes.extend(misp_object.attributes)
    flagged = {it.value for it in attributes if it.to_ids and it.type.startswith("ip-")}
    values = {str(it.value) for it in attributes}
    flows = sum(it.name == "network-traffic" for it in event.objects)
    return flagged, values, flows, warnings


def check_misp(seen):
    last = bundle(seen)["objects"]
    patterns = " ".join(it["pattern"] for it in last if it["type"] == "indicator")
    addresses = [it["value"] for it in last if it["type"] in ("ipv4-addr", "ipv6-addr")]
    flagged, values, flows, warnings = import_to_misp(seen)
    assert not warnings, warnings
    assert flows == sum(it["type"] == "network-traffic" for it in last), "MISP lost traffic"
    for number in (it["number"] for it in last if it["type"] == "autonomous-system"):
        assert f"AS{number}" in values, f"MISP lost AS{number}"
    for address in addresses:
        assert address in values, f"MISP lost {address}"
        indicated = f"'{address}'" in patterns
        assert (address in flagged) == indicated, f"{address}: indicated {indicated}, flagged {flagged}"


def main():
    discovery, token, indicators, reports = sys.argv[1:]
    feed = Feed(discovery, auth=Scheme("Bearer", token))
    seen = poll_while_it_grows(feed, int(indicators), int(reports))
    # By OpenCTI's word, and by the only way that many clients know.
    for credential in ({"auth": Scheme("Token", token)}, {"user": "th-cert", "password": token}):
        again = read_by_head_alone(Feed(discovery, **credential))
        assert again == seen, "read another way it is something else"
    check_versions(feed, seen)
    judge(seen)
    check_misp(seen)
    print(json.dumps({"objects": len(seen)}))


main()
