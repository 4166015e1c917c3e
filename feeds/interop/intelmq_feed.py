"""IntelMQ's own HTTP collector, parser and taxonomy expert on one of our addresses.

    INTELMQ_ROOT_DIR=... python intelmq_feed.py json|shadowserver URL AUTHORIZATION

Prints one JSON object: how many reports were collected, each report's file name, every event as the
expert left it, and what went wrong. Of what went wrong nothing is hidden: an exception ends the run.
"""

import json
import logging
import sys

from intelmq.bots.collectors.http.collector_http import HTTPCollectorBot
from intelmq.bots.experts.taxonomy.expert import TaxonomyExpertBot
from intelmq.bots.parsers.json.parser import JSONParserBot
from intelmq.bots.parsers.shadowserver.parser import ShadowserverParserBot
from intelmq.lib.bot import BotLibSettings
from intelmq.lib.message import MessageFactory


# Without a Redis each bot would try for seconds to leave its statistics in one.
SETTINGS = BotLibSettings | {"statistics_host": None}


def bot(kind, **settings):
    return kind("interop", settings=SETTINGS | settings)


def collect(url, authorization):
    collector = bot(
        HTTPCollectorBot,
        http_url=url,
        http_header={"Authorization": authorization},
        name="interop",
        provider="interop",
        http_timeout_max_tries=1,
    )
    # In IntelMQ 3.5 process_message() of a collector does nothing, and process() leaves texts.
    collector.process()
    texts = collector._Bot__destination_pipeline.state.pop("output", [])
    return [MessageFactory.unserialize(text, default_type="Report") for text in texts]


def parser(kind):
    if kind == "json":
        return bot(JSONParserBot, splitlines=True)
    return bot(ShadowserverParserBot)


def main():
    kind, url, authorization = sys.argv[1:]
    logging.disable(logging.INFO)
    reports = collect(url, authorization)
    expert = bot(TaxonomyExpertBot)
    events, errors = [], []
    for report in reports:
        parsed = parser(kind).process_message(report.copy())
        errors += parsed.get("error", [])
        for event in parsed.get("output", []):
            classified = expert.process_message(event)
            errors += classified.get("error", [])
            events += classified.get("output", [])
    names = [report.get("extra.file_name") for report in reports]
    answer = {
        "reports": len(reports),
        "file_names": names,
        "events": [json.loads(event.to_json(hierarchical=False)) for event in events],
        "errors": [str(error) for error in errors],
    }
    json.dump(answer, sys.stdout)


main()
